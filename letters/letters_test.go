package letters_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"superlistd/delivery"
	"superlistd/letters"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/templates"
)

// members know one language.
type members struct{ err error }

func (m members) Member(context.Context, lists.Address, lists.Address) (lists.Member, bool, error) {
	return lists.Member{Language: "fr"}, m.err == nil, m.err
}

func clerk(t testing.TB, sent *[]delivery.Route, change func(*letters.Options)) *letters.Clerk {
	t.Helper()
	texts, err := templates.New("")
	if err != nil {
		t.Fatal(err)
	}
	o := letters.Options{
		Texts: texts, Members: members{}, Hostname: "mx.lists.test", Now: func() time.Time { return time.Unix(1_800_000_000, 0) },
		Deliver: func(_ context.Context, j delivery.Job) (delivery.Result, error) {
			*sent = append(*sent, j.Routes...)
			return delivery.Result{}, nil
		},
	}
	if change != nil {
		change(&o)
	}
	return letters.New(o)
}

func team() lists.List {
	return lists.List{Address: lists.Address{Local: "team", Domain: "lists.test"}, Settings: lists.DefaultSettings()}
}

func TestLetter(t *testing.T) {
	t.Parallel()
	var sent []delivery.Route
	c := clerk(t, &sent, func(o *letters.Options) {
		o.Sign = func(domain string, head []byte, body message.Content) []byte {
			if domain != "lists.test" || !strings.HasSuffix(string(head), "\r\n\r\n") || body.Size() == 0 {
				t.Errorf("to be signed for %s: %q", domain, head)
			}
			return []byte("X-Signature: ours\r\n")
		}
	})
	post := message.Octets("Subject: Grüße\r\n\r\nHallo\r\n")
	a, err := letters.Attach(post, true, 1000)
	if err != nil || !a.Whole() {
		t.Fatalf("attachment: %+v, %v", a, err)
	}
	head, err := letters.Attach(post, false, 3)
	if err != nil || head.Whole() {
		t.Fatalf("attachment: %+v, %v", head, err)
	}
	for _, tt := range []struct {
		name     string
		letter   letters.Letter
		want     map[string]string
		eightBit bool
		utf8     bool
	}{
		{"to one", letters.Letter{To: []string{"ann@m.test"}}, map[string]string{
			"From": "<team-owner@lists.test>", "To": "<ann@m.test>", "Auto-Submitted": "auto-generated", "In-Reply-To": "", "Reply-To": "", "X-Signature": "ours",
		}, false, false},
		{"an answer", letters.Letter{To: []string{"ann@m.test"}, Answers: "<1@m.test>", ReplyTo: team().Request()}, map[string]string{
			"Auto-Submitted": "auto-replied", "In-Reply-To": "<1@m.test>", "References": "<1@m.test>", "Reply-To": "team-request@lists.test", "Precedence": "bulk",
			"X-Auto-Response-Suppress": "All",
		}, false, false},
		{"one whose bounces are counted", letters.Letter{To: []string{"ann@m.test"}, ReversePath: team().Bounces()}, map[string]string{
			"X-Auto-Response-Suppress": "DR, RN, NRN, OOF, AutoReply", // not NDR
		}, false, false},
		{"an answer to nonsense", letters.Letter{To: []string{"ann@m.test"}, Answers: "1@m.test>\r\nBcc: <eve@m.test"}, map[string]string{
			"Auto-Submitted": "auto-generated", "In-Reply-To": "", "Bcc": "",
		}, false, false},
		{"to nobody in particular", letters.Letter{To: letters.Mailboxes(nil)}, map[string]string{"To": "<postmaster@mx.lists.test>"}, false, false},
		{"to many", letters.Letter{To: slices.Repeat([]string{"ann@m.test"}, 21)}, map[string]string{"To": "<team-owner@lists.test>"}, false, false},
		{"with a mail in UTF-8", letters.Letter{To: []string{"ann@m.test"}, Attached: []letters.Attachment{a}}, map[string]string{"Content-Transfer-Encoding": "8bit"}, true, true},
		{"with its header", letters.Letter{To: []string{"ann@m.test"}, Attached: []letters.Attachment{head}}, map[string]string{"Content-Transfer-Encoding": "8bit"}, true, false},
	} {
		sent = nil
		tt.letter.List, tt.letter.Name, tt.letter.Key = team(), templates.Help, letters.Key("test", tt.name)
		if err := c.Send(t.Context(), tt.letter); err != nil || len(sent) != 1 {
			t.Fatalf("%s: %v, %d sent", tt.name, err, len(sent))
		}
		r := sent[0]
		h := message.ParseHeader(r.Head)
		for name, want := range tt.want {
			if got := strings.Join(h.Values(name), " | "); got != want {
				t.Errorf("%s: %s: %q, want %q", tt.name, name, got, want)
			}
		}
		body, err := io.ReadAll(r.Body.Reader(0))
		if err != nil || int64(len(body)) != r.Body.Size() || r.ReversePath != tt.letter.ReversePath || r.EightBit != tt.eightBit || r.UTF8 != tt.utf8 || r.Key != tt.letter.Key {
			t.Errorf("%s: %+v, %v", tt.name, r, err)
		}
	}
}

// Several texts stand below each other, each under its subject.
func TestParts(t *testing.T) {
	t.Parallel()
	var sent []delivery.Route
	c := clerk(t, &sent, nil)
	l := letters.Letter{List: team(), To: []string{"ann@m.test"}, Name: templates.Answers, Parts: []letters.Part{
		{Name: templates.NotMember, Facts: templates.Facts{Member: "ann@m.test"}}, {Name: templates.Info, Facts: templates.Facts{Policy: "open"}},
	}}
	l.Facts.Undone = []templates.Group{{What: "commands", Count: 1, Names: []string{"unsubscribe"}}}
	if err := c.Send(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(sent[0].Body.Reader(0))
	text := strings.ReplaceAll(string(raw), "\r\n", "\n")
	for _, want := range []string{
		"> unsubscribe\n", "several commands.\n", "\n1. You are not a member of team@lists.test\n" + strings.Repeat("-", 42) + "\n\nann@m.test is not",
		"\n2. About team@lists.test\n" + strings.Repeat("-", 24) + "\n\nteam@lists.test is a mailing list.\n", "Anybody can join.\n",
	} {
		_, rest, found := strings.Cut(text, want)
		if !found || err != nil {
			t.Fatalf("no %q, or not in its order, in\n%s%v", want, raw, err)
		}
		text = rest
	}
	l.Parts[1].Name = "none"
	if err := c.Send(t.Context(), l); err == nil {
		t.Error("a part without a text was sent")
	}
}

func TestErrorsOfSend(t *testing.T) {
	t.Parallel()
	var sent []delivery.Route
	broken := errors.New("broken")
	c := clerk(t, &sent, func(o *letters.Options) {
		o.Members = members{broken}
		o.Deliver = func(context.Context, delivery.Job) (delivery.Result, error) {
			return delivery.Result{}, delivery.ErrAllRefused
		}
	})
	l := letters.Letter{List: team(), To: []string{"ann@m.test"}, Name: templates.Help}
	if err := c.Send(t.Context(), l); !errors.Is(err, delivery.ErrAllRefused) || !strings.Contains(err.Error(), "help to ann@m.test") {
		t.Errorf("refused: %v", err)
	}
	l.Name = "none"
	if err := c.Send(t.Context(), l); err == nil || errors.Is(err, delivery.ErrAllRefused) {
		t.Errorf("no such text: %v", err)
	}
	if got := c.Language(t.Context(), team(), lists.Address{}); got != "en" {
		t.Errorf("language without a store: %s", got)
	}
}

// A body of several pieces can be read again from any octet: a next hop may want the rest of it.
func TestBodyFromAnyOctet(t *testing.T) {
	t.Parallel()
	var sent []delivery.Route
	c := clerk(t, &sent, nil)
	a, err := letters.Attach(message.Octets("Subject: x\r\n\r\nHello\r\n"), false, 100)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Send(t.Context(), letters.Letter{List: team(), To: []string{"ann@m.test"}, Name: templates.Help, Attached: []letters.Attachment{a}}); err != nil {
		t.Fatal(err)
	}
	body := sent[0].Body
	whole, err := io.ReadAll(body.Reader(0))
	if err != nil || int64(len(whole)) != body.Size() {
		t.Fatalf("%d octets of %d, %v", len(whole), body.Size(), err)
	}
	for off := range whole {
		if rest, err := io.ReadAll(body.Reader(int64(off))); err != nil || string(rest) != string(whole[off:]) {
			t.Fatalf("from %d: %q, %v", off, rest, err)
		}
	}
	if rest, err := io.ReadAll(body.Reader(body.Size())); err != nil || len(rest) > 0 {
		t.Errorf("at the end: %q, %v", rest, err)
	}
}

// A mail that cannot be read is no mail without an order: it comes again.
func TestTextOfABrokenBody(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	h := message.ParseHeader([]byte("Subject: x\r\n\r\n"))
	if text, err := letters.Text(h, io.MultiReader(strings.NewReader("approve\n"), iotest.ErrReader(broken))); text != "" || !errors.Is(err, broken) {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := letters.Attach(unreadable{broken}, false, 100); !errors.Is(err, broken) {
		t.Errorf("attachment: %v", err)
	}
}

// unreadable is content on a disk that fails.
type unreadable struct{ err error }

func (u unreadable) Size() int64            { return 10 }
func (u unreadable) Reader(int64) io.Reader { return iotest.ErrReader(u.err) }

// A text that goes on to somebody else ends with a whole character.
func TestShorten(t *testing.T) {
	t.Parallel()
	for _, s := range []string{strings.Repeat("é", 4000), "x" + strings.Repeat("é", 4000), strings.Repeat("x", 4001)} {
		got := letters.Shorten(s)
		if !utf8.ValidString(got) || len(got) > 4010 || len(got) < 3990 || !strings.HasSuffix(got, " …") {
			t.Errorf("%d octets: %q", len(got), got[len(got)-10:])
		}
	}
	if s := strings.Repeat("é", 2000); letters.Shorten(s) != s {
		t.Error("what fits is cut")
	}
}

// What a key is made of cannot be cut in another way.
func TestKey(t *testing.T) {
	t.Parallel()
	seen := map[delivery.Key]string{}
	for _, words := range [][]string{{"a", "b"}, {"a", "b", ""}, {"a", `b" "c`}, {"a", "b", "c"}, {"a b"}, {"b", "a"}} {
		k := letters.Key(words[0], words[1:]...)
		if other, twice := seen[k]; twice {
			t.Errorf("%q and %s have one key", words, other)
		}
		seen[k] = strings.Join(words, "|")
	}
}

func TestUnattended(t *testing.T) {
	t.Parallel()
	for head, want := range map[string]bool{
		"Subject: x": false, "Auto-Submitted: no": false, "Precedence: first-class": false, "X-Mailing: x": false,
		"Auto-Submitted: auto-replied": true, "PRECEDENCE: Bulk ": true, "precedence: junk": true, "Precedence: list": true,
		"List-ID: <x>": true, "List-Post: <mailto:x>": true, "List-Unsubscribe: <mailto:x>": true, "X-Autoreply: yes": true,
	} {
		if got := letters.Unattended(message.ParseHeader([]byte(head + "\r\n\r\n"))); got != want {
			t.Errorf("%s: %v", head, got)
		}
	}
}
