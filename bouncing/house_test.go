package bouncing_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"superlistd/bouncing"
	"superlistd/internal/housetest"
	"superlistd/letters"
	"superlistd/lists"
	"superlistd/lists/boltstore"
	"superlistd/token"
)

type letter = housetest.Letter

// house is a Desk with a store, a book and a next hop, each of which may fail.
type house struct {
	*housetest.House
	desk *bouncing.Desk

	mu      sync.Mutex
	events  []bouncing.Event
	counted []string // by Options.Counted
	left    []lists.Address
}

var must, parse, start, errFault = housetest.Must, housetest.Address, housetest.Start, housetest.ErrFault

func newHouse(t testing.TB, members int, settings ...string) *house {
	t.Helper()
	h := &house{House: housetest.New(t, append([]string{"owners", "owen@m.test"}, settings...)...)}
	all := []lists.Member{{Address: parse(t, "Ann@m.test")}, {Address: parse(t, "bea@m.test"), Language: "de"}}
	for i := range max(members-len(all), 0) {
		all = append(all, lists.Member{Address: parse(t, fmt.Sprintf("m%d@n.test", i))})
	}
	h.Join(all...)
	h.open()
	return h
}

// open starts the desk again.
func (h *house) open() {
	h.T.Helper()
	keys, err := token.Open(h.Data)
	must(h.T, err)
	records, err := boltstore.OpenRecords(filepath.Join(h.Data, "bounces.db"), "bounces", boltstore.Options{})
	must(h.T, err)
	h.desk = bouncing.New(bouncing.Options{
		Store: h.Shaky(), Book: book{records, h}, Keys: keys, Delimiter: "+", Now: h.Now, Log: h.note,
		Letters: letters.New(letters.Options{Texts: housetest.Texts(h.T), Members: h.Store, Hostname: "mx.lists.test", Deliver: h.Deliver, Now: h.Now}),
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

// wait moves the clock on, and lets the desk do what is due.
func (h *house) wait(d time.Duration) {
	h.T.Helper()
	h.Wait(d)
	must(h.T, h.desk.Tick(h.T.Context(), h.Now()))
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
	h.T.Helper()
	local := parse(h.T, to).Local
	extension, ok := strings.CutPrefix(local, "team-bounces+")
	if !ok {
		h.T.Fatalf("%s is no address of bounces", to)
	}
	if err := h.desk.Known(h.List, extension, ""); err != nil {
		return err
	}
	return h.desk.Take(h.T.Context(), h.Settings(), extension, strings.NewReader(raw))
}

// path is the reverse-path of posts now.
func (h *house) path() string { return h.desk.Path(h.Settings(), h.Now()).String() }

// days lets a bounce of a post come back on each of n days.
func (h *house) days(n int, raw func(who, id string) string, who string) {
	h.T.Helper()
	for range n {
		must(h.T, h.bounce(h.path(), raw(who, fmt.Sprintf("post.%d@m.test", h.Now().Unix()))))
		h.wait(24 * time.Hour)
	}
}

func (h *house) score(who string) float64 {
	h.T.Helper()
	all, err := h.desk.Standings(h.T.Context(), h.List)
	must(h.T, err)
	for _, s := range all {
		if s.Member.String() == who {
			return s.Score
		}
	}
	return 0
}

// wantSent checks the letters, "kind to" each.
func (h *house) wantSent(want ...string) []letter {
	h.T.Helper()
	all := h.Take()
	var got []string
	for _, l := range all {
		got = append(got, kind(l)+" "+l.To)
	}
	if !slices.Equal(got, want) {
		h.T.Errorf("%s: sent %q, want %q", h.Now().Format(time.DateTime), got, want)
	}
	return all
}

func (h *house) wantStopped(who string, want bool) {
	h.T.Helper()
	if m, found := h.Member(who); !found || m.Disabled.IsZero() == want {
		h.T.Errorf("%s: found %v, %+v; want stopped: %v", who, found, m.Disabled, want)
	}
}

// book is one whose calls may fail.
type book struct {
	bouncing.Book
	h *house
}

func (b book) Update(ctx context.Context, l lists.Address, change func(*boltstore.Table) error) error {
	if err := b.h.Step("book"); err != nil {
		return err
	}
	return errors.Join(b.Book.Update(ctx, l, change), b.h.Step("after book"))
}

func (b book) UpdateAll(ctx context.Context, edits []boltstore.Edit) error {
	if err := b.h.Step("book"); err != nil {
		return err
	}
	return errors.Join(b.Book.UpdateAll(ctx, edits), b.h.Step("after book"))
}

func (b book) View(ctx context.Context, l lists.Address, look func(*boltstore.Table) error) error {
	if err := b.h.Step("look"); err != nil {
		return err
	}
	return b.Book.View(ctx, l, look)
}

// kind is what a letter is about, by the first word of its Message-ID.
func kind(l letter) string {
	word, _, _ := strings.Cut(strings.Trim(l.Route.MessageID, "<>"), ".")
	return word
}
