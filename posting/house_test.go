package posting

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/foxcpp/go-mockdns"

	"superlistd/identity"
	"superlistd/lists"
	"superlistd/lists/memstore"
	"superlistd/message"
	"superlistd/templates"
	"superlistd/wire"
)

const hostname = "mx.lists.test"

// dns is what the tests' world publishes.
func dns() map[string]mockdns.Zone {
	txt := func(s ...string) mockdns.Zone { return mockdns.Zone{TXT: s} }
	return map[string]mockdns.Zone{
		"plain.test.":         txt("v=spf1 ip4:192.0.2.1 -all"),
		"strict.test.":        txt("v=spf1 ip4:192.0.2.1 -all"),
		"_dmarc.strict.test.": txt("v=DMARC1; p=reject"),
		"_dmarc.lists.test.":  txt("v=DMARC1; p=reject"),
	}
}

// house is a desk with a list and all that a desk can have.
type house struct {
	tb    testing.TB
	desk  *Desk
	store *memstore.Store
	zones map[string]mockdns.Zone
	now   time.Time
}

func open(tb testing.TB, change func(*Options)) *house {
	tb.Helper()
	h := &house{tb: tb, store: memstore.New(), zones: dns(), now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	texts, err := templates.New("")
	if err != nil {
		tb.Fatal(err)
	}
	o := Options{
		Hostname: hostname, Members: h.store, Texts: texts, Key: []byte("0123456789abcdef"), History: memstore.NewHistory(),
		Identity: identity.New(identity.Options{Resolver: &mockdns.Resolver{Zones: h.zones}}),
		Now:      func() time.Time { return h.now },
	}
	if change != nil {
		change(&o)
	}
	h.desk = New(o)
	return h
}

// list makes team@lists.test with settings, and ann at two domains as its members.
func (h *house) list(settings ...string) lists.List {
	h.tb.Helper()
	l := lists.List{Address: address(h.tb, "team@lists.test"), Settings: lists.DefaultSettings()}
	for _, line := range settings {
		name, value, _ := strings.Cut(line, "=")
		s, err := lists.LookupSetting(name)
		if err == nil {
			err = s.Set(&l.Settings, value)
		}
		if err != nil {
			h.tb.Fatal(err)
		}
	}
	_ = h.store.Delete(h.tb.Context(), l.Address) // of an earlier case
	if err := h.store.Create(h.tb.Context(), l, nil); err != nil {
		h.tb.Fatal(err)
	}
	var c lists.Change
	for _, a := range []string{"ann@plain.test", "ann@strict.test"} {
		c.Add = append(c.Add, lists.Member{Address: address(h.tb, a), Name: "Ann Lee"})
	}
	if _, err := h.store.Change(h.tb.Context(), l.Address, c); err != nil {
		h.tb.Fatal(err)
	}
	l, err := h.store.List(h.tb.Context(), l.Address)
	if err != nil {
		h.tb.Fatal(err)
	}
	return l
}

func address(tb testing.TB, s string) lists.Address {
	tb.Helper()
	a, err := lists.ParseAddress(s)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

// read makes a post of a text with LF line ends. client is the address of who hands it in.
func (h *house) read(text, from, client string) *Post {
	h.tb.Helper()
	return h.readAs(text, Envelope{
		ReversePath: from, Client: wire.ClientInfo{Addr: client, Name: "mail.test", Helo: "mail.test"}, Proto: "ESMTP", Session: "s1", At: h.now,
	})
}

func (h *house) readAs(text string, e Envelope) *Post {
	h.tb.Helper()
	spool := message.NewSpool(h.tb.TempDir(), 1<<20, 0)
	h.tb.Cleanup(func() { spool.Close() })
	if _, err := io.WriteString(spool, strings.ReplaceAll(text, "\n", "\r\n")); err != nil {
		h.tb.Fatal(err)
	}
	p, err := Read(spool, e)
	if err != nil {
		h.tb.Fatal(err)
	}
	return p
}

func (h *house) judge(p *Post, l lists.List) Judgement {
	h.tb.Helper()
	j, err := h.desk.Judge(h.tb.Context(), p, l)
	if err != nil {
		h.tb.Fatal(err)
	}
	return j
}

// copyOf is what members get of a post.
func (h *house) copyOf(p *Post, j Judgement) (message.Header, string) {
	h.tb.Helper()
	c, err := h.desk.Dress(h.tb.Context(), p, j)
	if err != nil {
		h.tb.Fatal(err)
	}
	body, err := io.ReadAll(c.Content.Reader(c.BodyOffset))
	if err != nil {
		h.tb.Fatal(err)
	}
	return message.ParseHeader(c.Head), string(c.Head) + string(body)
}

func plainPost(author string) string {
	return "From: Ann <" + author + ">\nTo: team@lists.test\nSubject: hello\nMessage-ID: <1@plain.test>\nDate: Sat, 21 Nov 2026 12:00:00 +0000\n\nHello all.\n"
}

var errBroken = &net.DNSError{Err: "server misbehaving", IsTemporary: true}
