package moderation_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"superlistd/delivery"
	"superlistd/delivery/spool"
	"superlistd/internal/faultdisk"
	"superlistd/internal/housetest"
	"superlistd/letters"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/moderation"
	"superlistd/moderation/held"
	"superlistd/token"
)

type letter = housetest.Letter

// house is an Office with a store, a disk and a next hop, each of which may fail.
type house struct {
	*housetest.House
	held   *held.Store
	keys   *token.Keys
	office *moderation.Office

	mu     sync.Mutex
	events []moderation.Event
	heard  []string // by Options.New
}

var must, wantError, address = housetest.Must, housetest.WantError, housetest.Address

func newHouse(t testing.TB, settings ...string) *house {
	t.Helper()
	h := &house{House: housetest.New(t, append([]string{"owners", "owen@m.test", "moderators", "mia@m.test, max@m.test"}, settings...)...)}
	h.Join(lists.Member{Address: address(t, "ann@m.test")}, lists.Member{Address: address(t, "bea@m.test"), Language: "de"})
	h.open(nil)
	return h
}

// open starts the office again, on a disk that may fail, or on one that only does not sync.
func (h *house) open(disk spool.Disk) {
	h.T.Helper()
	if disk == nil {
		disk = faultdisk.New(faultdisk.Fault{})
	}
	var err error
	h.keys, err = token.Open(h.Data)
	must(h.T, err)
	h.held = held.Open(h.Data, held.Options{Disk: disk, Now: h.Now})
	h.office = moderation.New(moderation.Options{
		Held: h.held, Store: store{h.Shaky(), h}, Keys: h.keys, Delimiter: "+",
		Letters: letters.New(letters.Options{
			Texts: housetest.Texts(h.T), Members: h.Shaky(), Hostname: "mx.lists.test", Deliver: h.Deliver, Now: h.Now,
		}),
		Deliver: h.Deliver, Routes: h.routes, Now: h.Now, Log: h.note,
		New: func(f held.Facts) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.heard = append(h.heard, f.ID+" "+f.Subject)
		},
	})
}

func (h *house) note(e moderation.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

func (h *house) routes(_ context.Context, f held.Facts, content message.Content, l lists.List) ([]delivery.Route, error) {
	return []delivery.Route{{
		List: l.Address, ReversePath: l.Bounces(), Head: []byte("List-Id: <" + l.ID() + ">\r\n"), Body: content,
		Audience: delivery.Audience{List: l.Address, Members: l.Members}, MessageID: f.MessageID,
	}}, h.Step("route")
}

func postBy(author, subject string) message.Octets {
	return message.Octets("From: " + author + "\r\nSubject: " + subject + "\r\nMessage-ID: <" + subject + "@m.test>\r\n\r\nHello.\r\n")
}

func (h *house) facts(author, subject, proof string) held.Facts {
	return held.Facts{
		Key: subject, Envelope: held.Envelope{ReversePath: author}, Author: address(h.T, author), Proof: proof,
		Subject: subject, MessageID: "<" + subject + "@m.test>", Reason: "moderated", Text: "Held for the moderators",
	}
}

// hold holds a post, and forgets the mails that this makes.
func (h *house) hold(author, subject, proof string) (id string) {
	h.T.Helper()
	id, err := h.office.Hold(h.T.Context(), h.Settings(), h.facts(author, subject, proof), postBy(author, subject))
	must(h.T, err)
	return id
}

func (h *house) tick() {
	h.T.Helper()
	must(h.T, h.office.Tick(h.T.Context(), h.Now()))
}

// answer sends a mail to a keyed address, as a mailer does.
func (h *house) answer(to, from, raw string) error {
	h.T.Helper()
	a := address(h.T, to)
	name, extension, ok := strings.Cut(a.Local, "+")
	if !ok || !strings.EqualFold(name, "team-confirm") {
		h.T.Fatalf("%s is no keyed address", to)
	}
	if err := h.office.Known(h.List, extension); err != nil {
		return err
	}
	head := message.ParseHeader([]byte(raw))
	return h.office.Answer(h.T.Context(), h.Settings(), extension, head, strings.NewReader(raw[head.Len():]), address(h.T, from))
}

// reply is a plain answer to a notice.
func reply(notice letter, from, body string) string {
	return "From: " + from + "\r\nTo: " + notice.Value("Reply-To") + "\r\nSubject: Re: " + notice.Value("Subject") +
		"\r\nMessage-ID: <answer." + from + ">\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" +
		strings.ReplaceAll(body, "\n", "\r\n")
}

// wantLeft checks which posts are not finished.
func (h *house) wantLeft(want ...string) {
	h.T.Helper()
	all, err := h.held.List(lists.Address{}, "", 1000)
	must(h.T, err)
	var got []string
	for _, f := range all {
		got = append(got, f.Subject+f.Fault)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		h.T.Errorf("held: %q, want %q", got, want)
	}
}
