package moderation_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"superlistd/delivery"
	"superlistd/delivery/spool"
	"superlistd/internal/faultdisk"
	"superlistd/letters"
	"superlistd/lists"
	"superlistd/lists/memstore"
	"superlistd/message"
	"superlistd/moderation"
	"superlistd/moderation/held"
	"superlistd/templates"
	"superlistd/token"
)

// mailbag is what the next hop got: it survives the office, and it has the memory of the retry guard.
type mailbag struct {
	mu   sync.Mutex
	sent []letter
	done map[delivery.Key]bool
}

// letter is a mail that was sent.
type letter struct {
	from, to string
	text     string // whole
	posted   lists.Address
	route    delivery.Route
}

func (l letter) header() message.Header { return message.ParseHeader([]byte(l.text)) }

func (l letter) value(name string) string { return strings.Join(l.header().Values(name), " | ") }

func (l letter) subject() string { return strings.Join(message.Texts(l.header(), "Subject"), " | ") }

// put takes a job as a Deliverer with a guard does.
func (b *mailbag) put(j delivery.Job) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(j.Routes) != 1 || j.Gone() {
		return fmt.Errorf("odd job: %+v", j)
	}
	r := j.Routes[0]
	if r.Key == (delivery.Key{}) {
		return errors.New("a mail without a key")
	}
	if b.done[r.Key] {
		return nil
	}
	body, err := io.ReadAll(r.Body.Reader(r.BodyOffset))
	if err != nil {
		return err
	}
	if int64(len(body)) != r.Body.Size()-r.BodyOffset {
		return fmt.Errorf("body of %d octets, announced %d", len(body), r.Body.Size()-r.BodyOffset)
	}
	b.done[r.Key] = true
	b.sent = append(b.sent, letter{
		from: r.ReversePath.String(), to: strings.Join(r.Audience.Fixed, " "), text: string(r.Head) + string(body),
		posted: r.Audience.List, route: r,
	})
	return nil
}

// take returns what was sent, and empties the bag.
func (b *mailbag) take() []letter {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.sent
	b.sent = nil
	return all
}

// house is an Office with a store, a disk and a next hop, each of which may fail.
type house struct {
	t      testing.TB
	data   string
	bag    *mailbag
	store  lists.Store
	held   *held.Store
	keys   *token.Keys
	office *moderation.Office
	list   lists.Address

	mu     sync.Mutex
	now    time.Time
	events []moderation.Event
	heard  []string                // by Options.New
	fail   func(step string) error // before each call to the outside
}

var start = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func newHouse(t testing.TB, settings ...string) *house {
	t.Helper()
	h := &house{t: t, data: t.TempDir(), bag: &mailbag{done: map[delivery.Key]bool{}}, store: memstore.New(), now: start}
	h.list = address(t, "team@lists.test")
	must(t, h.store.Create(t.Context(), lists.List{Address: h.list}, nil))
	h.set(append([]string{"owners", "owen@m.test", "moderators", "mia@m.test, max@m.test"}, settings...)...)
	_, err := h.store.Change(t.Context(), h.list, lists.Change{Add: []lists.Member{
		{Address: address(t, "ann@m.test")}, {Address: address(t, "bea@m.test"), Language: "de"},
	}})
	must(t, err)
	must(t, os.WriteFile(filepath.Join(h.data, "secret"), []byte("a secret that nobody has to sync"), 0o600))
	h.open(nil)
	return h
}

// embedded are the texts, read once for all tests.
var embedded = sync.OnceValues(func() (*templates.Set, error) { return templates.New("") })

// open starts the office again, on a disk that may fail, or on one that only does not sync.
func (h *house) open(disk spool.Disk) {
	h.t.Helper()
	if disk == nil {
		disk = faultdisk.New(faultdisk.Fault{})
	}
	texts, err := embedded()
	must(h.t, err)
	h.keys, err = token.Open(h.data)
	must(h.t, err)
	h.held = held.Open(h.data, held.Options{Disk: disk, Now: h.clock})
	h.office = moderation.New(moderation.Options{
		Held: h.held, Store: store{h.store, h}, Keys: h.keys, Delimiter: "+",
		Letters: letters.New(letters.Options{
			Texts: texts, Members: store{h.store, h}, Hostname: "mx.lists.test", Deliver: h.deliver, Now: h.clock,
		}),
		Deliver: h.deliver, Routes: h.routes, Now: h.clock, Log: h.note,
		New: func(f held.Facts) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.heard = append(h.heard, f.ID+" "+f.Subject)
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

func (h *house) note(e moderation.Event) {
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

func (h *house) deliver(_ context.Context, j delivery.Job) (delivery.Result, error) {
	if err := h.step("deliver"); err != nil {
		return delivery.Result{}, err
	}
	err := h.bag.put(j)
	if err == nil {
		err = h.step("after deliver")
	}
	return delivery.Result{}, err
}

func (h *house) routes(_ context.Context, f held.Facts, content message.Content, l lists.List) ([]delivery.Route, error) {
	return []delivery.Route{{
		List: l.Address, ReversePath: l.Bounces(), Head: []byte("List-Id: <" + l.ID() + ">\r\n"), Body: content,
		Audience: delivery.Audience{List: l.Address, Members: l.Members}, MessageID: f.MessageID,
	}}, h.step("route")
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

// text is content of a post.
type text string

func (c text) Size() int64 { return int64(len(c)) }
func (c text) Reader(off int64) io.Reader {
	return strings.NewReader(string(c)[min(off, int64(len(c))):])
}

func postBy(author, subject string) text {
	return text("From: " + author + "\r\nSubject: " + subject + "\r\nMessage-ID: <" + subject + "@m.test>\r\n\r\nHello.\r\n")
}

func (h *house) facts(author, subject, proof string) held.Facts {
	return held.Facts{
		Key: subject, Envelope: held.Envelope{ReversePath: author}, Author: address(h.t, author), Proof: proof,
		Subject: subject, MessageID: "<" + subject + "@m.test>", Reason: "moderated", Text: "Held for the moderators",
	}
}

// hold holds a post, and forgets the mails that this makes.
func (h *house) hold(author, subject, proof string) (id string) {
	h.t.Helper()
	id, err := h.office.Hold(h.t.Context(), h.settings(), h.facts(author, subject, proof), postBy(author, subject))
	must(h.t, err)
	return id
}

func (h *house) tick() {
	h.t.Helper()
	must(h.t, h.office.Tick(h.t.Context(), h.clock()))
}

// answer sends a mail to a keyed address, as a mailer does.
func (h *house) answer(to, from, raw string) error {
	h.t.Helper()
	a := address(h.t, to)
	name, extension, ok := strings.Cut(a.Local, "+")
	if !ok || !strings.EqualFold(name, "team-confirm") {
		h.t.Fatalf("%s is no keyed address", to)
	}
	if err := h.office.Known(h.list, extension); err != nil {
		return err
	}
	head := message.ParseHeader([]byte(raw))
	return h.office.Answer(h.t.Context(), h.settings(), extension, head, strings.NewReader(raw[head.Len():]), address(h.t, from))
}

// reply is a plain answer to a notice.
func reply(notice letter, from, body string) string {
	return "From: " + from + "\r\nTo: " + notice.value("Reply-To") + "\r\nSubject: Re: " + notice.value("Subject") +
		"\r\nMessage-ID: <answer." + from + ">\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" +
		strings.ReplaceAll(body, "\n", "\r\n")
}

// wantSent checks the mails by reader and words of the subject, one "reader: words" each, in any order. A post to
// the members is "members: its header".
func (h *house) wantSent(want ...string) []letter {
	h.t.Helper()
	all := h.bag.take()
	var got []string
	for _, l := range all {
		if !l.posted.IsZero() {
			got = append(got, "members: "+l.subject())
		} else {
			got = append(got, l.to+": "+l.subject())
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		h.t.Errorf("sent:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	return all
}

// wantLeft checks which posts are not finished.
func (h *house) wantLeft(want ...string) {
	h.t.Helper()
	all, err := h.held.List(lists.Address{}, "", 1000)
	must(h.t, err)
	var got []string
	for _, f := range all {
		got = append(got, f.Subject+f.Fault)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		h.t.Errorf("held: %q, want %q", got, want)
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
