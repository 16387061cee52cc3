package moderation_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"superlistd/delivery"
	"superlistd/delivery/spool"
	"superlistd/internal/faultdisk"
	"superlistd/internal/smtptest"
	"superlistd/letters"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/moderation"
	"superlistd/moderation/held"
	"superlistd/smtpclient"
	"superlistd/templates"
)

// deliverer is a real one before a peer.
func deliverer(t *testing.T, h *house, opts ...smtptest.Option) (*delivery.Deliverer, *smtptest.Peer) {
	t.Helper()
	peer := smtptest.Start(t, opts...)
	hop, err := smtpclient.ParseHop(peer.Hop())
	must(t, err)
	pool := smtpclient.NewPool(smtpclient.Options{Hop: hop, Hostname: "mx.lists.test", Timeout: 20 * time.Second}, 10, time.Minute)
	t.Cleanup(pool.Close)
	d, err := delivery.New(pool, h.Store, delivery.Options{
		Batch: 1000, MaxArmed: 5, Connections: 10, RelayShare: 2, Guard: delivery.NewGuard(filepath.Join(h.Data, "guard")),
		Spool: spool.Open(h.Data, spool.Options{}), Hostname: "mx.lists.test",
	}, zerolog.Nop())
	must(t, err)
	return d, peer
}

// On the real road: who is killed between the delivery and its note sends nothing twice.
func TestReleaseThroughTheRealRoad(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	d, peer := deliverer(t, h)
	disk := faultdisk.New(faultdisk.Fault{At: 1, Err: syscall.EIO, Match: func(op, _ string) bool { return op == "remove" }})
	texts, err := templates.New("")
	must(t, err)
	store := held.Open(h.Data, held.Options{Disk: disk, Now: h.Now})
	o := moderation.New(moderation.Options{
		Held: store, Store: h.Store, Keys: h.keys, Delimiter: "+", Deliver: d.Deliver, Routes: h.routes, Now: h.Now,
		Letters: letters.New(letters.Options{
			Texts: texts, Members: h.Store, Hostname: "mx.lists.test", Deliver: d.Deliver, Now: h.Now,
			Sign: func(domain string, head []byte, body message.Content) []byte {
				if domain != "lists.test" || !strings.HasSuffix(string(head), "\r\n\r\n") || body.Size() == 0 {
					t.Errorf("to be signed: %q", head)
				}
				return []byte("X-Signature: ours\r\n")
			},
		}),
	})
	id, err := o.Hold(t.Context(), h.Settings(), h.facts("ann@m.test", "Lunch", "proven"), postBy("ann@m.test", "Lunch"))
	must(t, err)
	wantQueued(t, peer, map[string]int{"ann@m.test": 1, "mia@m.test": 1, "max@m.test": 1})
	wantError(t, o.Decide(t.Context(), id, held.Decision{Action: held.Approve, By: "mia@m.test"}), moderation.ErrPending)
	h.Wait(time.Hour)
	must(t, o.Tick(t.Context(), h.Now()))
	wantQueued(t, peer, map[string]int{"ann@m.test": 2, "bea@m.test": 1, "mia@m.test": 1, "max@m.test": 1})
	if left, err := store.List(lists.Address{}, "", 10); err != nil || len(left) > 0 {
		t.Errorf("held: %+v, %v", left, err)
	}
	for _, m := range peer.Messages() {
		if m.Content[:9] == "List-Id: " {
			continue
		}
		if !strings.HasPrefix(m.Content, "X-Signature: ours\r\n") || m.Mail != "FROM:<>" && !strings.HasPrefix(m.Mail, "FROM:<> ") {
			t.Errorf("%s\n%s", m.Mail, m.Content)
		}
	}
	if v := peer.Violations(); len(v) > 0 {
		t.Errorf("violations: %q", v)
	}
}

func wantQueued(t *testing.T, peer *smtptest.Peer, want map[string]int) {
	t.Helper()
	got := peer.Queued()
	for who, n := range want {
		if got[who] != n {
			t.Errorf("%s has %d mails, want %d", who, got[who], n)
		}
	}
	if len(got) != len(want) {
		t.Errorf("queued: %v, want %v", got, want)
	}
}

// A notice is a mail that other programs can read.
func TestNoticeIsMIME(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "notice_every", "1m", "language", "de")
	h.hold("ann@m.test", "Lunch", "unproven")
	h.hold("ann@m.test", "=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "unproven")
	h.Wait(time.Hour)
	h.tick()
	sent := h.Take()
	if len(sent) != 1 {
		t.Fatalf("%d sent", len(sent))
	}
	m := message.Parse([]byte(sent[0].Text))
	var types []string
	for _, p := range m.Parts {
		types = append(types, p.Type)
	}
	if m.Type != "multipart/mixed" || strings.Join(types, " ") != "text/plain message/rfc822 message/rfc822" || string(m.Preamble) != "" {
		t.Errorf("%s of %q:\n%s", m.Type, types, sent[0].Text)
	}
	for name, n := range map[string]int{"Content-Type": 1, "MIME-Version": 1, "Content-Transfer-Encoding": 0, "From": 1, "To": 1, "Date": 1, "Message-ID": 1} {
		if got := len(m.Header.Values(name)); got != n {
			t.Errorf("%d fields %s", got, name)
		}
	}
	if string(m.Parts[1].Body) != string(postBy("ann@m.test", "Lunch")) && string(m.Parts[2].Body) != string(postBy("ann@m.test", "Lunch")) {
		t.Errorf("the post is not as it came:\n%s", sent[0].Text)
	}
}

// Nothing in the facts of a post can write a header of ours.
func FuzzMailsOfOurs(f *testing.F) {
	f.Add("Lunch", "1@m.test", "Ann")
	f.Add("a\r\nBcc: eve@m.test", "x>\r\nBcc: <eve@m.test", "\nBcc: eve@m.test\r\n\r\nbody")
	f.Add("=?utf-8?q?a=0D=0ABcc:_eve@m.test?=", "=?utf-8?q?a=0D=0ABcc:_eve@m.test?=", "\u2028\x00\xff")
	f.Fuzz(func(t *testing.T, subject, id, name string) {
		h := newHouse(t)
		facts := h.facts("ann@m.test", "x", "proven")
		facts.Subject, facts.MessageID, facts.AuthorName = subject, id, name
		if _, err := h.office.Hold(t.Context(), h.Settings(), facts, postBy("ann@m.test", "x")); err != nil {
			t.Fatal(err)
		}
		sent := h.Take()
		if len(sent) != 2 {
			t.Fatalf("%d sent; %+v", len(sent), h.events)
		}
		for _, l := range sent {
			head := l.Header()
			if head.Has("Bcc") || len(head.Values("From")) != 1 || len(head.Values("Subject")) != 1 || l.Value("Auto-Submitted") == "" {
				t.Errorf("header:\n%s", l.Text)
			}
			if got := string(l.Route.Head); !strings.HasSuffix(got, "\r\n\r\n") || head.Len() != len(got) {
				t.Errorf("the header ends at %d of %d octets:\n%s", head.Len(), len(got), got)
			}
			for line := range strings.SplitSeq(l.Text, "\r\n") {
				if len(line) > 998 || strings.ContainsAny(line, "\r\n") {
					t.Errorf("line %q", line)
				}
			}
		}
	})
}
