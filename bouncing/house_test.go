package bouncing_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"superlistd/bouncing"
	"superlistd/delivery"
	"superlistd/letters"
	"superlistd/lists"
	"superlistd/lists/boltstore"
	"superlistd/lists/memstore"
	"superlistd/message"
	"superlistd/templates"
	"superlistd/token"
)

// letter is a mail that was sent.
type letter struct{ from, to, kind, text string }

// house is a Desk with a store, a book and a next hop, each of which may fail.
type house struct {
	t     testing.TB
	data  string
	store lists.Store
	desk  *bouncing.Desk
	list  lists.Address

	mu      sync.Mutex
	now     time.Time
	sent    []letter
	done    map[delivery.Key]bool
	events  []bouncing.Event
	counted []string // by Options.Counted
	left    []lists.Address
	fail    func(step string) error // before each call to the outside
	refuse  func(to string) string  // reply of the next hop to RCPT
}

var start = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func newHouse(t testing.TB, members int, settings ...string) *house {
	t.Helper()
	h := &house{t: t, data: t.TempDir(), store: memstore.New(), now: start, done: map[delivery.Key]bool{}}
	h.list = parse(t, "team@lists.test")
	must(t, h.store.Create(t.Context(), lists.List{Address: h.list}, nil))
	h.set(append([]string{"owners", "owen@m.test"}, settings...)...)
	all := []lists.Member{{Address: parse(t, "Ann@m.test")}, {Address: parse(t, "bea@m.test"), Language: "de"}}
	for i := range max(members-len(all), 0) {
		all = append(all, lists.Member{Address: parse(t, fmt.Sprintf("m%d@n.test", i))})
	}
	_, err := h.store.Change(t.Context(), h.list, lists.Change{Add: all})
	must(t, err)
	h.open()
	return h
}

var embedded = sync.OnceValues(func() (*templates.Set, error) { return templates.New("") })

// open starts the desk again.
func (h *house) open() {
	h.t.Helper()
	texts, err := embedded()
	must(h.t, err)
	keys, err := token.Open(h.data)
	must(h.t, err)
	records, err := boltstore.OpenRecords(filepath.Join(h.data, "bounces.db"), "bounces", boltstore.Options{})
	must(h.t, err)
	h.desk = bouncing.New(bouncing.Options{
		Store: store{h.store, h}, Book: book{records, h}, Keys: keys, Delimiter: "+", Now: h.clock, Log: h.note,
		Letters: letters.New(letters.Options{Texts: texts, Members: h.store, Hostname: "mx.lists.test", Deliver: h.deliver, Now: h.clock}),
		Link:    ownLink,
		Counted: h.count,
		Left:    func(_ context.Context, _ lists.List, m lists.Member) { h.left = append(h.left, m.Address) },
	})
}

// ownLink reads a member's link: https://lists.test/LIST/MEMBER.
func ownLink(link string) (list, member lists.Address, ok bool) {
	path, ours := strings.CutPrefix(link, "https://lists.test/")
	l, m, _ := strings.Cut(path, "/")
	list, err := lists.ParseAddress(l)
	member, second := lists.ParseAddress(m)
	return list, member, ours && err == nil && second == nil
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) count(_, member lists.Address, said string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counted = append(h.counted, member.String()+": "+said)
}

func (h *house) note(e bouncing.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
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
	to := strings.Join(r.Audience.Fixed, " ")
	if h.refuse != nil && h.refuse(to) != "" {
		return delivery.Result{}, fmt.Errorf("%w: %s: %s", delivery.ErrAllRefused, to, h.refuse(to))
	}
	h.mu.Lock()
	if !h.done[r.Key] {
		h.done[r.Key] = true
		body, err := io.ReadAll(r.Body.Reader(r.BodyOffset))
		must(h.t, err)
		kind, _, _ := strings.Cut(strings.Trim(r.MessageID, "<>"), ".")
		h.sent = append(h.sent, letter{r.ReversePath.String(), to, kind, string(r.Head) + string(body)})
	}
	h.mu.Unlock()
	return delivery.Result{}, h.step("after deliver")
}

// take returns what was sent, and empties the bag.
func (h *house) take() []letter {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := h.sent
	h.sent = nil
	return all
}

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

// wait moves the clock on, and lets the desk do what is due.
func (h *house) wait(d time.Duration) {
	h.t.Helper()
	h.mu.Lock()
	h.now = h.now.Add(d)
	h.mu.Unlock()
	must(h.t, h.desk.Tick(h.t.Context(), h.clock()))
}

// dsn is a report as Postfix writes it.
func dsn(who, status, said, id string) string {
	return "From: MAILER-DAEMON@far.test\r\nTo: x@lists.test\r\nSubject: Undelivered Mail Returned to Sender\r\n" +
		"Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n" +
		"--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n" +
		"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; far.test\r\n\r\n" +
		"Final-Recipient: rfc822; " + who + "\r\nAction: failed\r\nStatus: " + status + "\r\nDiagnostic-Code: smtp; " + said + "\r\n\r\n" +
		"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <" + id + ">\r\n\r\n--b--\r\n"
}

func gone(who, id string) string {
	return dsn(who, "5.1.1", "550 5.1.1 <"+who+">: user unknown", id)
}

func full(who, id string) string {
	return dsn(who, "5.2.2", "552 5.2.2 mailbox full", id)
}

// bounce brings a mail to an address, as the door does.
func (h *house) bounce(to, raw string) error {
	h.t.Helper()
	local := parse(h.t, to).Local
	extension, ok := strings.CutPrefix(local, "team-bounces+")
	if !ok {
		h.t.Fatalf("%s is no address of bounces", to)
	}
	if err := h.desk.Known(h.list, extension, ""); err != nil {
		return err
	}
	return h.desk.Take(h.t.Context(), h.settings(), extension, strings.NewReader(raw))
}

// path is the reverse-path of posts now.
func (h *house) path() string { return h.desk.Path(h.settings(), h.clock()).String() }

// days lets a bounce of a post come back on each of n days.
func (h *house) days(n int, raw func(who, id string) string, who string) {
	h.t.Helper()
	for range n {
		must(h.t, h.bounce(h.path(), raw(who, fmt.Sprintf("post.%d@m.test", h.clock().Unix()))))
		h.wait(24 * time.Hour)
	}
}

func (h *house) score(who string) float64 {
	h.t.Helper()
	all, err := h.desk.Standings(h.t.Context(), h.list)
	must(h.t, err)
	for _, s := range all {
		if s.Member.String() == who {
			return s.Score
		}
	}
	return 0
}

// wantSent checks the letters, "kind to" each.
func (h *house) wantSent(want ...string) []letter {
	h.t.Helper()
	all := h.take()
	var got []string
	for _, l := range all {
		got = append(got, l.kind+" "+l.to)
	}
	if !slices.Equal(got, want) {
		h.t.Errorf("%s: sent %q, want %q", h.clock().Format(time.DateTime), got, want)
	}
	return all
}

func (h *house) member(who string) (lists.Member, bool) {
	h.t.Helper()
	m, found, err := h.store.Member(h.t.Context(), h.list, parse(h.t, who))
	must(h.t, err)
	return m, found
}

func (h *house) wantStopped(who string, want bool) {
	h.t.Helper()
	if m, found := h.member(who); !found || m.Disabled.IsZero() == want {
		h.t.Errorf("%s: found %v, %+v; want stopped: %v", who, found, m.Disabled, want)
	}
}

// store and book are ones whose calls may fail.
type store struct {
	lists.Store
	h *house
}

func (s store) UpdateMember(ctx context.Context, l, a lists.Address, change func(*lists.Member) error) (lists.Member, error) {
	if err := s.h.step("update member"); err != nil {
		return lists.Member{}, err
	}
	m, err := s.Store.UpdateMember(ctx, l, a, change)
	return m, errors.Join(err, s.h.step("after update member"))
}

func (s store) Change(ctx context.Context, l lists.Address, c lists.Change) (lists.Outcome, error) {
	if err := s.h.step("change"); err != nil {
		return lists.Outcome{}, err
	}
	o, err := s.Store.Change(ctx, l, c)
	return o, errors.Join(err, s.h.step("after change"))
}

func (s store) Member(ctx context.Context, l, a lists.Address) (lists.Member, bool, error) {
	if err := s.h.step("member"); err != nil {
		return lists.Member{}, false, err
	}
	return s.Store.Member(ctx, l, a)
}

type book struct {
	bouncing.Book
	h *house
}

func (b book) Update(ctx context.Context, l lists.Address, change func(*boltstore.Table) error) error {
	if err := b.h.step("book"); err != nil {
		return err
	}
	return errors.Join(b.Book.Update(ctx, l, change), b.h.step("after book"))
}

func (b book) UpdateAll(ctx context.Context, edits []boltstore.Edit) error {
	if err := b.h.step("book"); err != nil {
		return err
	}
	return errors.Join(b.Book.UpdateAll(ctx, edits), b.h.step("after book"))
}

func (b book) View(ctx context.Context, l lists.Address, look func(*boltstore.Table) error) error {
	if err := b.h.step("look"); err != nil {
		return err
	}
	return b.Book.View(ctx, l, look)
}

func parse(t testing.TB, s string) lists.Address {
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

func field(l letter, name string) string {
	return strings.Join(message.ParseHeader([]byte(l.text)).Values(name), " | ")
}
