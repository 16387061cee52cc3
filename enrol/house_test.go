package enrol_test

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"superlistd/delivery"
	"superlistd/delivery/spool"
	"superlistd/enrol"
	"superlistd/internal/faultdisk"
	"superlistd/internal/housetest"
	"superlistd/letters"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/templates"
	"superlistd/token"
)

type letter = housetest.Letter

// house is a Desk with a store, a disk and a next hop, each of which may fail.
type house struct {
	*housetest.House
	keys   *token.Keys
	desk   *enrol.Desk
	limits enrol.Limits

	mu     sync.Mutex
	events []string
	mails  int

	complained map[string]bool // by key of the address
	held       []templates.Item
}

var must, wantError, address, start = housetest.Must, housetest.WantError, housetest.Address, housetest.Start

func newHouse(t testing.TB, settings ...string) *house {
	t.Helper()
	h := &house{House: housetest.New(t, append([]string{"owners", "owen@m.test, olga@m.test"}, settings...)...)}
	must(t, h.Store.Create(t.Context(), lists.List{Address: address(t, "other@lists.test")}, nil))
	h.Join(
		lists.Member{Address: address(t, "mia@m.test"), Name: "Mia", Aliases: []lists.Address{address(t, "mia@home.test")}},
		lists.Member{Address: address(t, "bea@m.test"), Language: "de"},
	)
	h.Refuse = func(r delivery.Route) error {
		if !r.ReversePath.IsZero() {
			return fmt.Errorf("odd mail: %+v", r)
		}
		return nil
	}
	var err error
	h.keys, err = token.Open(h.Data)
	must(t, err)
	h.open(nil)
	return h
}

// open starts the desk again, on a disk that may fail, or on one that only does not sync.
func (h *house) open(disk spool.Disk) { h.desk = h.another(disk) }

// another is a desk of another process.
func (h *house) another(disk spool.Disk) *enrol.Desk {
	h.T.Helper()
	if disk == nil {
		disk = faultdisk.New(faultdisk.Fault{})
	}
	return h.deskOn(h.Shaky(), disk)
}

func (h *house) deskOn(store lists.Store, disk spool.Disk) *enrol.Desk {
	h.T.Helper()
	return enrol.New(enrol.Options{
		Data: h.Data, Store: store, Keys: h.keys, Delimiter: "+", Limits: h.limits, Disk: disk, Now: h.Now,
		Held: h.heldPosts, Complained: h.hasComplained, Confirmed: h.confirmed,
		Letters: letters.New(letters.Options{
			Texts: housetest.Texts(h.T), Members: h.Store, Hostname: "mx.lists.test", Deliver: h.Deliver, Now: h.Now,
			Report: func(_ lists.Address, err error) { h.T.Error(err) },
		}),
		Log: func(e enrol.Event) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.events = append(h.events, fmt.Sprintf("%s %s", e.What, e.Who))
		},
	})
}

// mail is one from somebody, each with its own Message-ID.
func (h *house) mail(from string, proof lists.Proof, raw string) enrol.Mail {
	h.T.Helper()
	h.mails++
	if !strings.Contains(raw, "\n\n") {
		raw += "\n\n"
	}
	raw = fmt.Sprintf("Message-ID: <%d@m.test>\n", h.mails) + raw
	head := message.ParseHeader([]byte(raw))
	return enrol.Mail{
		Head: head, Body: strings.NewReader(raw[head.Len():]), Author: address(h.T, from), AuthorName: "Ann A.", Proof: proof,
		Client: netip.MustParseAddr("192.0.2.1"),
	}
}

func (h *house) ask(service lists.Service, from string, proof lists.Proof, raw string) error {
	h.T.Helper()
	return h.desk.Take(h.T.Context(), h.Settings(), service, h.mail(from, proof, raw))
}

// answer replies to a letter as a mailer does.
func (h *house) answer(l letter, from, text string) error {
	h.T.Helper()
	return h.confirm(l.Value("Reply-To"), h.mail(from, lists.Unproven, "Subject: Re: "+l.Subject()+"\n\n"+text+"\n\nOn Monday, Team wrote:\n> approve\n"))
}

// confirm sends a mail to a keyed address.
func (h *house) confirm(to string, m enrol.Mail) error {
	h.T.Helper()
	ext := extension(h.T, to)
	if err := h.desk.Known(h.List, ext); err != nil {
		return err
	}
	return h.desk.Confirm(h.T.Context(), h.Settings(), ext, m)
}

func extension(t testing.TB, to string) string {
	t.Helper()
	name, ext, ok := strings.Cut(address(t, to).Local, "+")
	if !ok || !strings.EqualFold(name, "team-confirm") || !enrol.Mine(ext) {
		t.Fatalf("%s is no keyed address", to)
	}
	return ext
}

// wantSent is WantSent that tells what was done.
func (h *house) wantSent(want ...string) []letter {
	h.T.Helper()
	defer func() {
		if h.T.Failed() {
			h.T.Logf("log: %q", h.events)
		}
	}()
	return h.WantSent(want...)
}

func (h *house) wantMember(who string, want bool) {
	h.T.Helper()
	if _, found := h.Member(who); found != want {
		h.T.Errorf("%s is a member: %v", who, found)
	}
}
