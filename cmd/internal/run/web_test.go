package run

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"superlistd/config"
	"superlistd/lists"
	"superlistd/lists/memstore"
	"superlistd/token"
)

// webHouse is a page with a list of one member, and its log.
type webHouse struct {
	cfg   config.Config
	store lists.Store
	keys  *token.Keys
	team  lists.Address
	ann   lists.Address
	hooks webHooks
	out   lockedBuffer
	log   zerolog.Logger
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func newWebHouse(t *testing.T) *webHouse {
	t.Helper()
	keys, err := token.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	h := &webHouse{cfg: config.Default(), store: memstore.New(), keys: keys}
	h.log = zerolog.New(&h.out)
	h.cfg.Web.URL = "https://lists.example.org"
	h.cfg.Web.Listen = config.Endpoint{Network: config.Unix, Address: filepath.Join(t.TempDir(), "web")}
	h.team, h.ann = lists.Address{Local: "team", Domain: "lists.example.org"}, lists.Address{Local: "ann", Domain: "example.org"}
	err = h.store.Create(t.Context(), lists.List{Address: h.team, Settings: lists.DefaultSettings()}, nil)
	if err == nil {
		_, err = h.store.Change(t.Context(), h.team, lists.Change{Add: []lists.Member{{Address: h.ann}}})
	}
	if err != nil {
		t.Fatal(err)
	}
	h.hooks = webHooks{
		left: func(context.Context, lists.List, lists.Member) {},
		ask:  func(context.Context, lists.List, lists.Address, netip.Addr) error { return errors.New("no mail today") },
	}
	return h
}

// A member leaves by one click at a socket behind a web server, and the log has it.
func TestWebFromTheSettingsToTheLog(t *testing.T) {
	t.Parallel()
	h := newWebHouse(t)
	links := newLinks(h.cfg, h.keys)
	site, err := newWeb(h.cfg, links, h.store, h.hooks, h.log)
	if err != nil {
		t.Fatal(err)
	}
	l, err := openWeb(h.cfg)
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	serving := startWeb(l, site, failed, h.log)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", h.cfg.Web.Listen.Address)
	}}}
	post := func(url, body string, want int) {
		t.Helper()
		r, err := http.NewRequest(http.MethodPost, "http"+strings.TrimPrefix(url, "https"), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("X-Forwarded-For", "192.0.2.7")
		w, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Body.Close()
		if text, _ := io.ReadAll(w.Body); w.StatusCode != want {
			t.Errorf("%d, want %d: %s", w.StatusCode, want, text)
		}
	}
	post(links.URL(h.team, h.ann), "List-Unsubscribe=One-Click", http.StatusOK)
	post(links.ListURL(h.team), "address=bob@example.org", http.StatusServiceUnavailable)
	if _, found, err := h.store.Member(t.Context(), h.team, h.ann); found || err != nil {
		t.Errorf("ann is still there: %v, %v", found, err)
	}
	if err := serving.end(t.Context()); err != nil || len(failed) > 0 {
		t.Errorf("%v, %d failed", err, len(failed))
	}
	for _, want := range []string{
		`{"level":"info","list":"team@lists.example.org","member":"ann@example.org","client":"192.0.2.7","door":"web","message":"left by the web"}`,
		`{"level":"error","error":"no mail today","list":"team@lists.example.org","member":"bob@example.org","client":"192.0.2.7","door":"web","message":"not done"}`,
	} {
		if !strings.Contains(h.out.String(), want+"\n") {
			t.Errorf("the log lacks %s:\n%s", want, h.out.String())
		}
	}
}

func TestNoWeb(t *testing.T) {
	t.Parallel()
	h := newWebHouse(t)
	h.cfg.Web = config.Web{}
	if url := newLinks(h.cfg, h.keys).ListURL(h.team); url != "" {
		t.Errorf("a link to %s", url)
	}
	site, err := newWeb(h.cfg, newLinks(h.cfg, h.keys), h.store, h.hooks, h.log)
	l, err2 := openWeb(h.cfg)
	if site != nil || err != nil || l != nil || err2 != nil {
		t.Errorf("%v, %v; %v, %v", site, err, l, err2)
	}
	if err := startWeb(nil, nil, nil, h.log).end(t.Context()); err != nil {
		t.Error(err)
	}
}

// A page that fails is told like a door that does, and one that crashes stays.
func TestWebFaultsAreTold(t *testing.T) {
	t.Parallel()
	h := newWebHouse(t)
	h.cfg.Web.Listen = config.Endpoint{Network: config.TCP, Address: "127.0.0.1:0"}
	l, err := openWeb(h.cfg)
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	serving := startWeb(l, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("oh") }), failed, h.log)
	if w, err := http.Get("http://" + l.Addr().String()); err == nil {
		w.Body.Close()
		t.Errorf("a crash was answered with %d", w.StatusCode)
	}
	l.Close()
	if err := <-failed; !strings.HasPrefix(err.Error(), l.Addr().String()+": ") {
		t.Errorf("told %v", err)
	}
	if err := serving.end(t.Context()); err != nil {
		t.Error(err)
	}
	if !strings.Contains(h.out.String(), `"door":"web"`) || !strings.Contains(h.out.String(), "panic serving") {
		t.Errorf("the log is %s", h.out.String())
	}
}
