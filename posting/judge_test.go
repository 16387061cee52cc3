package posting

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"superlistd/lists"
	"superlistd/lists/memstore"
	"superlistd/message"
)

// Who an author is decides what becomes of his post: by SPF, by his domain's policy, by the door.
func TestIdentityDecides(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings     string
		author, from string
		client       string
		trusted      bool
		proof        lists.Proof
		reason       error // nil: accepted
	}{
		"proven by SPF":                  {author: "ann@plain.test", client: "192.0.2.1", proof: lists.Proven},
		"nothing speaks for it":          {author: "ann@plain.test", client: "192.0.2.9"},
		"his domain says it is not his":  {author: "ann@strict.test", client: "192.0.2.9", proof: lists.Contradicted, reason: lists.ErrForged},
		"the same, but the list is lax":  {settings: "identity=claimed", author: "ann@strict.test", client: "192.0.2.9", proof: lists.Contradicted},
		"his domain says it is his":      {author: "ann@strict.test", client: "192.0.2.1", proof: lists.Proven},
		"the list wants proof":           {settings: "identity=proven", author: "ann@plain.test", client: "192.0.2.9", reason: lists.ErrUnproven},
		"the list has proof":             {settings: "identity=proven", author: "ann@plain.test", client: "192.0.2.1", proof: lists.Proven},
		"the envelope is another's":      {settings: "identity=proven", author: "ann@plain.test", from: "ann@strict.test", client: "192.0.2.1", reason: lists.ErrUnproven},
		"by the door of submissions":     {settings: "identity=proven", author: "ann@strict.test", client: "192.0.2.9", trusted: true, proof: lists.Proven},
		"IPv6 in the manner of XFORWARD": {author: "ann@strict.test", client: "IPv6:2001:db8::1", proof: lists.Contradicted, reason: lists.ErrForged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, nil)
			var settings []string
			if c.settings != "" {
				settings = []string{c.settings}
			}
			l := h.list(settings...)
			p := h.read(plainPost(c.author), c.author, c.client)
			p.Trusted = c.trusted
			if c.from != "" {
				p.ReversePath = c.from
			}
			j := h.judge(p, l)
			if j.Proof != c.proof || !errors.Is(j.Reason, c.reason) {
				t.Errorf("proof %v, verdict %+v; want %v, %v", j.Proof, j.Verdict, c.proof, c.reason)
			}
		})
	}
}

// Without a resolver nobody is proven, and nobody is contradicted.
func TestWithoutIdentity(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *Options) { o.Identity = nil })
	p := h.read(plainPost("ann@strict.test"), "ann@strict.test", "192.0.2.9")
	j := h.judge(p, h.list())
	if j.Action != lists.Accept || j.Proof != lists.Unproven {
		t.Errorf("%+v", j)
	}
	head, _ := h.copyOf(p, j)
	if head.Has("Authentication-Results") {
		t.Error("results of what nobody looked at")
	}
	if got := head.Values("From"); got[0] != "Ann <ann@strict.test>" {
		t.Errorf("From %q", got)
	}
}

// The limits of an hour count accepted posts only, a post that comes again once, and let go after the hour.
func TestPostsPerHour(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	l := h.list("posts_per_hour=2")
	post := func(id string) Judgement {
		text := strings.Replace(plainPost("ann@plain.test"), "<1@plain.test>", "<"+id+"@plain.test>", 1)
		p := h.read(text, "ann@plain.test", "192.0.2.1")
		j := h.judge(p, l)
		if j.Action == lists.Accept {
			if err := h.desk.Posted(t.Context(), p, j); err != nil {
				t.Fatal(err)
			}
		}
		return j
	}
	for _, id := range []string{"1", "2", "1", "2"} {
		if j := post(id); j.Action != lists.Accept {
			t.Errorf("post %s: %+v", id, j.Verdict)
		}
	}
	if j := post("3"); !errors.Is(j.Reason, lists.ErrTooOften) {
		t.Errorf("the third: %+v", j.Verdict)
	}
	h.now = h.now.Add(61 * time.Minute)
	if j := post("3"); j.Action != lists.Accept {
		t.Errorf("an hour later: %+v", j.Verdict)
	}
}

// With reply_ok, whom a member wrote to may answer, and nobody else.
func TestReplyOK(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	l := h.list("reply_ok=on")
	asked := h.read("From: ann@plain.test\nTo: team@lists.test, guest@else.test\nMessage-ID: <q@plain.test>\nSubject: q\n\n?\n", "ann@plain.test", "192.0.2.1")
	j := h.judge(asked, l)
	if err := h.desk.Posted(t.Context(), asked, j); err != nil {
		t.Fatal(err)
	}
	for from, want := range map[string]error{"guest@else.test": nil, "other@else.test": lists.ErrNotMember} {
		answer := h.read("From: "+from+"\nTo: team@lists.test\nMessage-ID: <a-"+from+">\nIn-Reply-To: <q@plain.test>\nSubject: Re: q\n\n!\n", from, "192.0.2.7")
		if j := h.judge(answer, l); !errors.Is(j.Reason, want) {
			t.Errorf("%s: %+v", from, j.Verdict)
		}
	}
}

// A history that does not work stops no post, and is told.
func TestBrokenHistory(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *Options) { o.History = brokenHistory{memstore.NewHistory()} })
	j := h.judge(h.read(plainPost("ann@plain.test"), "ann@plain.test", "192.0.2.1"), h.list("posts_per_hour=1"))
	if j.Action != lists.Accept || j.Trouble == nil {
		t.Errorf("%+v", j)
	}
}

type brokenHistory struct{ *memstore.History }

func (brokenHistory) Recent(context.Context, lists.Address, lists.Address, string, time.Time) (int, int, error) {
	return 0, 0, lists.ErrStore
}

// What a body holds is judged where the list asks for it.
func TestContentRules(t *testing.T) {
	t.Parallel()
	mixed := "From: ann@plain.test\nTo: team@lists.test\nMessage-ID: <m@plain.test>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n" +
		"--b\nContent-Type: text/plain\n\nsee there\n--b\nContent-Type: application/octet-stream; name=run.exe\nContent-Disposition: attachment; filename=run.exe\n\nMZ\n--b--\n"
	for name, c := range map[string]struct {
		setting, text string
		action        lists.Action
		removed       int
	}{
		"refused":           {"extensions=exe=refuse", mixed, lists.Refuse, 0},
		"held":              {"extensions=exe=hold", mixed, lists.Hold, 0},
		"removed":           {"extensions=exe=remove", mixed, lists.Accept, 1},
		"of no interest":    {"extensions=scr=refuse", mixed, lists.Accept, 0},
		"too deep to see":   {"extensions=exe=refuse", nestedPost(40), lists.Refuse, 0},
		"deep, and no rule": {"extensions=none", nestedPost(40), lists.Accept, 0},
		"encrypted":         {"attachments=remove", encryptedPost, lists.Accept, 0},
		"a lone command":    {"catch_commands=on", "From: ann@plain.test\nTo: team@lists.test\nSubject: unsubscribe\nMessage-ID: <c@plain.test>\n\nunsubscribe\n", lists.Refuse, 0},
		"a header":          {"header_rules=Subject: /^W.rbung/ hold", "From: ann@plain.test\nTo: team@lists.test\nMessage-ID: <c@plain.test>\nSubject: =?utf-8?q?W=65rbung?=\n\nHi\n", lists.Hold, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, nil)
			p := h.read(c.text, "ann@plain.test", "192.0.2.1")
			j := h.judge(p, h.list(c.setting))
			if j.Action != c.action || len(j.Remove) != c.removed {
				t.Fatalf("%+v", j.Verdict)
			}
			if c.removed > 0 {
				_, text := h.copyOf(p, j)
				if strings.Contains(text, "MZ") || !strings.Contains(text, "run.exe") || !strings.Contains(text, "see there") {
					t.Errorf("the copy:\n%s", text)
				}
			}
		})
	}
}

const encryptedPost = "From: ann@plain.test\nTo: team@lists.test\nMessage-ID: <e@plain.test>\nMIME-Version: 1.0\n" +
	"Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\n\n--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n" +
	"--b\nContent-Type: application/octet-stream; name=encrypted.asc\n\n-----BEGIN PGP MESSAGE-----\n--b--\n"

// nestedPost hides a program below multiparts.
func nestedPost(depth int) string {
	var b strings.Builder
	b.WriteString("From: ann@plain.test\nTo: team@lists.test\nMessage-ID: <d@plain.test>\nMIME-Version: 1.0\n")
	for i := range depth {
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
	}
	b.WriteString("Content-Type: application/octet-stream; name=run.exe\n\nMZ\n")
	return b.String()
}

func TestUnreadableHeader(t *testing.T) {
	t.Parallel()
	spool := message.NewSpool(t.TempDir(), 1<<10, 0)
	defer spool.Close()
	for range 300 {
		if _, err := spool.Write([]byte("X: " + strings.Repeat("y", 1000) + "\r\n")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Read(spool, Envelope{}); !errors.Is(err, message.ErrHeader) {
		t.Errorf("%v", err)
	}
}
