package enrol_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"superlistd/delivery"
	"superlistd/delivery/spool"
	"superlistd/enrol"
	"superlistd/internal/faultdisk"
	"superlistd/letters"
	"superlistd/lists"
	"superlistd/lists/memstore"
	"superlistd/message"
	"superlistd/templates"
	"superlistd/token"
)

// letter is a mail that was sent.
type letter struct{ to, text string }

func (l letter) value(name string) string {
	return strings.Join(message.ParseHeader([]byte(l.text)).Values(name), " | ")
}

func (l letter) subject() string {
	return strings.Join(message.Texts(message.ParseHeader([]byte(l.text)), "Subject"), " | ")
}

// body is what a person reads.
func (l letter) body(t testing.TB) string {
	h := message.ParseHeader([]byte(l.text))
	text, err := letters.Text(h, strings.NewReader(l.text[h.Len():]))
	must(t, err)
	return strings.ReplaceAll(text, "\r\n", "\n")
}

// house is a Desk with a store, a disk and a next hop, each of which may fail. The next hop has the memory of the retry guard.
type house struct {
	t      testing.TB
	data   string
	store  lists.Store
	keys   *token.Keys
	desk   *enrol.Desk
	list   lists.Address
	limits enrol.Limits

	mu     sync.Mutex
	now    time.Time
	sent   []letter
	done   map[delivery.Key]bool
	events []string
	fail   func(step string) error // before each call to the outside
	mails  int

	complained map[string]bool // by key of the address
	held       []templates.Item
}

var start = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// embedded are the texts, read once for all tests.
var embedded = sync.OnceValues(func() (*templates.Set, error) { return templates.New("") })

func newHouse(t testing.TB, settings ...string) *house {
	t.Helper()
	h := &house{t: t, data: t.TempDir(), store: memstore.New(), now: start, done: map[delivery.Key]bool{}}
	h.list = address(t, "team@lists.test")
	for _, name := range []string{"team@lists.test", "other@lists.test"} {
		must(t, h.store.Create(t.Context(), lists.List{Address: address(t, name)}, nil))
	}
	h.set(append([]string{"owners", "owen@m.test, olga@m.test"}, settings...)...)
	_, err := h.store.Change(t.Context(), h.list, lists.Change{Add: []lists.Member{
		{Address: address(t, "mia@m.test"), Name: "Mia", Aliases: []lists.Address{address(t, "mia@home.test")}},
		{Address: address(t, "bea@m.test"), Language: "de"},
	}})
	must(t, err)
	must(t, os.WriteFile(filepath.Join(h.data, "secret"), []byte("a secret that nobody has to sync"), 0o600))
	h.keys, err = token.Open(h.data)
	must(t, err)
	h.open(nil)
	return h
}

// open starts the desk again, on a disk that may fail, or on one that only does not sync.
func (h *house) open(disk spool.Disk) { h.desk = h.another(disk) }

// another is a desk of another process.
func (h *house) another(disk spool.Disk) *enrol.Desk {
	h.t.Helper()
	if disk == nil {
		disk = faultdisk.New(faultdisk.Fault{})
	}
	texts, err := embedded()
	must(h.t, err)
	return enrol.New(enrol.Options{
		Data: h.data, Store: store{h.store, h}, Keys: h.keys, Delimiter: "+", Limits: h.limits, Disk: disk, Now: h.clock,
		Held: h.heldPosts, Complained: h.hasComplained, Confirmed: h.confirmed,
		Letters: letters.New(letters.Options{
			Texts: texts, Members: h.store, Hostname: "mx.lists.test", Deliver: h.deliver, Now: h.clock,
			Report: func(_ lists.Address, err error) { h.t.Error(err) },
		}),
		Log: func(e enrol.Event) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.events = append(h.events, fmt.Sprintf("%s %s", e.What, e.Who))
		},
	})
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) wait(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func (h *house) step(name string) error {
	if h.fail == nil {
		return nil
	}
	return h.fail(name)
}

// deliver takes a job as a Deliverer with a guard does.
func (h *house) deliver(_ context.Context, j delivery.Job) (delivery.Result, error) {
	if err := h.step("deliver"); err != nil {
		return delivery.Result{}, err
	}
	r := j.Routes[0]
	body, err := io.ReadAll(r.Body.Reader(r.BodyOffset))
	if err != nil || len(j.Routes) != 1 || j.Gone() || r.Key == (delivery.Key{}) || !r.ReversePath.IsZero() {
		return delivery.Result{}, fmt.Errorf("odd job: %+v, %w", j, err)
	}
	h.mu.Lock()
	if !h.done[r.Key] {
		h.done[r.Key] = true
		h.sent = append(h.sent, letter{strings.Join(r.Audience.Fixed, " "), string(r.Head) + string(body)})
	}
	h.mu.Unlock()
	return delivery.Result{}, h.step("after deliver")
}

// take returns what was sent since.
func (h *house) take() []letter {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := h.sent
	h.sent = nil
	return all
}

// set changes settings of the list: name, value, name, value…
func (h *house) set(words ...string) {
	h.t.Helper()
	_, err := h.store.Update(h.t.Context(), h.list, func(s *lists.Settings) error {
		for pair := range slices.Chunk(words, 2) {
			setting, err := lists.LookupSetting(pair[0])
			if err == nil {
				err = setting.Set(s, pair[1])
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	must(h.t, err)
}

func (h *house) settings() lists.List {
	h.t.Helper()
	l, err := h.store.List(h.t.Context(), h.list)
	must(h.t, err)
	return l
}

// mail is one from somebody, each with its own Message-ID.
func (h *house) mail(from string, proof lists.Proof, raw string) enrol.Mail {
	h.t.Helper()
	h.mails++
	if !strings.Contains(raw, "\n\n") {
		raw += "\n\n"
	}
	raw = fmt.Sprintf("Message-ID: <%d@m.test>\n", h.mails) + raw
	head := message.ParseHeader([]byte(raw))
	return enrol.Mail{
		Head: head, Body: strings.NewReader(raw[head.Len():]), Author: address(h.t, from), AuthorName: "Ann A.", Proof: proof,
		Client: netip.MustParseAddr("192.0.2.1"),
	}
}

func (h *house) ask(service lists.Service, from string, proof lists.Proof, raw string) error {
	h.t.Helper()
	return h.desk.Take(h.t.Context(), h.settings(), service, h.mail(from, proof, raw))
}

// answer replies to a letter as a mailer does.
func (h *house) answer(l letter, from, text string) error {
	h.t.Helper()
	return h.confirm(l.value("Reply-To"), h.mail(from, lists.Unproven, "Subject: Re: "+l.subject()+"\n\n"+text+"\n\nOn Monday, Team wrote:\n> approve\n"))
}

// confirm sends a mail to a keyed address.
func (h *house) confirm(to string, m enrol.Mail) error {
	h.t.Helper()
	ext := extension(h.t, to)
	if err := h.desk.Known(h.list, ext); err != nil {
		return err
	}
	return h.desk.Confirm(h.t.Context(), h.settings(), ext, m)
}

func extension(t testing.TB, to string) string {
	t.Helper()
	name, ext, ok := strings.Cut(address(t, to).Local, "+")
	if !ok || !strings.EqualFold(name, "team-confirm") || !enrol.Mine(ext) {
		t.Fatalf("%s is no keyed address", to)
	}
	return ext
}

// wantSent checks the mails by reader and words of the subject, one "reader: words" each, in any order.
func (h *house) wantSent(want ...string) []letter {
	h.t.Helper()
	all := h.take()
	var got []string
	for _, l := range all {
		got = append(got, l.to+": "+l.subject())
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		h.t.Fatalf("sent:\n%s\nwant:\n%s\nlog: %q", strings.Join(got, "\n"), strings.Join(want, "\n"), h.events)
	}
	return all
}

func (h *house) member(who string) (lists.Member, bool) {
	h.t.Helper()
	m, found, err := h.store.Member(h.t.Context(), h.list, address(h.t, who))
	must(h.t, err)
	return m, found
}

func (h *house) wantMember(who string, want bool) {
	h.t.Helper()
	if _, found := h.member(who); found != want {
		h.t.Errorf("%s is a member: %v", who, found)
	}
}

func address(t testing.TB, s string) lists.Address {
	t.Helper()
	a, err := lists.ParseAddress(s)
	must(t, err)
	return a
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t testing.TB, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("error %v, want %v", got, want)
	}
}

// store is one whose calls may fail, before or after they are done.
type store struct {
	lists.Store
	h *house
}

func (s store) Member(ctx context.Context, l, a lists.Address) (lists.Member, bool, error) {
	if err := s.h.step("member"); err != nil {
		return lists.Member{}, false, err
	}
	return s.Store.Member(ctx, l, a)
}

func (s store) Change(ctx context.Context, l lists.Address, c lists.Change) (lists.Outcome, error) {
	err := s.h.step("change")
	if err != nil {
		return lists.Outcome{}, err
	}
	o, err := s.Store.Change(ctx, l, c)
	return o, errors.Join(err, s.h.step("after change"))
}

func (s store) UpdateMember(ctx context.Context, l, a lists.Address, change func(*lists.Member) error) (lists.Member, error) {
	if err := s.h.step("update member"); err != nil {
		return lists.Member{}, err
	}
	m, err := s.Store.UpdateMember(ctx, l, a, change)
	return m, errors.Join(err, s.h.step("after update member"))
}
