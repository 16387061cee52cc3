package web

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"superlistd/lists"
	"superlistd/lists/memstore"
)

// house is a site with a list of two members.
type house struct {
	*Site
	links Links
	store *faulty
	team  lists.Address
	clock time.Time

	mu     sync.Mutex
	left   []string
	asked  []string
	events []string
	askErr error

	mailing time.Duration // how long it takes to write to a member
}

func newHouse(t *testing.T, settings ...string) *house {
	t.Helper()
	h := &house{links: NewLinks(base, newKeys(t)), store: &faulty{Store: memstore.New()}, team: address(t, "team@lists.example.org"), clock: time.Unix(1e9, 0)}
	l := lists.List{Address: h.team, Settings: lists.DefaultSettings()}
	for _, line := range settings {
		name, value, _ := strings.Cut(line, "=")
		s, err := lists.LookupSetting(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Set(&l.Settings, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.store.Store.Create(t.Context(), l, nil); err != nil {
		t.Fatal(err)
	}
	h.add(t, lists.Member{Address: address(t, "Ann@example.org"), Name: "Ann"})
	h.add(t, lists.Member{Address: address(t, "bob@example.org"), Aliases: []lists.Address{address(t, "bob@home.example")}, Language: "fr"})
	var err error
	h.Site, err = New(Options{
		Links: h.links, Store: h.store, Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Now: func() time.Time { return h.clock },
		Left: func(ctx context.Context, l lists.List, m lists.Member) {
			h.note(&h.left, l.Address.String()+" "+m.Address.String()+" "+m.Name)
		},
		Ask: func(ctx context.Context, l lists.List, a lists.Address, client netip.Addr) error {
			h.note(&h.asked, l.Address.String()+" "+a.String()+" "+client.String())
			if _, member, _ := h.store.Store.Member(ctx, l.Address, a); member {
				time.Sleep(h.mailing)
			}
			return h.askErr
		},
		Log: func(e Event) {
			h.note(&h.events, e.What)
			if e.Err != nil && !errors.Is(e.Err, errFault) {
				t.Errorf("%s: %v", e.What, e.Err)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.askTime = 0 // see TestAskingTakesItsTime
	return h
}

func (h *house) note(to *[]string, s string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	*to = append(*to, s)
}

func (h *house) add(t *testing.T, m lists.Member) {
	t.Helper()
	if _, err := h.store.Store.Change(t.Context(), h.team, lists.Change{Add: []lists.Member{m}}); err != nil {
		t.Fatal(err)
	}
}

// members are those of the list, in order.
func (h *house) members(t *testing.T) string {
	t.Helper()
	all, err := h.store.Store.Members(t.Context(), h.team, lists.Address{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	var s []string
	for _, m := range all {
		s = append(s, m.Address.String())
	}
	return strings.Join(s, " ")
}

const everybody = "Ann@example.org bob@example.org"

// member is the link of a member.
func (h *house) member(t *testing.T, who string) string { return h.links.URL(h.team, address(t, who)) }

const (
	formType  = "application/x-www-form-urlencoded"
	oneClick  = "List-Unsubscribe=One-Click"
	multiType = "multipart/form-data; boundary=x"
	multi     = "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n"
)

// do sends one request.
func (h *house) do(method, url, kind, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, url, strings.NewReader(body))
	r.RemoteAddr = "192.0.2.7:4711"
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func (h *house) get(url string) *httptest.ResponseRecorder { return h.do(http.MethodGet, url, "", "") }

func (h *house) post(url, body string) *httptest.ResponseRecorder {
	return h.do(http.MethodPost, url, formType, body)
}

var errFault = errors.New("disk on fire")

// faulty is a store whose n-th call fails; 0: none does.
type faulty struct {
	lists.Store
	mu      sync.Mutex
	failing int
}

// fault counts a call, and tells whether it is the one.
func (f *faulty) fault() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failing--; f.failing == 0 {
		return errFault
	}
	return nil
}

func (f *faulty) List(ctx context.Context, list lists.Address) (lists.List, error) {
	if err := f.fault(); err != nil {
		return lists.List{}, err
	}
	return f.Store.List(ctx, list)
}

func (f *faulty) Member(ctx context.Context, list, who lists.Address) (lists.Member, bool, error) {
	if err := f.fault(); err != nil {
		return lists.Member{}, false, err
	}
	return f.Store.Member(ctx, list, who)
}

func (f *faulty) Change(ctx context.Context, list lists.Address, c lists.Change) (lists.Outcome, error) {
	if err := f.fault(); err != nil {
		return lists.Outcome{}, err
	}
	return f.Store.Change(ctx, list, c)
}
