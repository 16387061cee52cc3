package identity_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"superlistd/identity"
	"superlistd/wire"
)

// verify lets go-msgauth verify all signatures of a message.
func verify(t *testing.T, txt map[string]string, message []byte) {
	t.Helper()
	verified, err := dkim.VerifyWithOptions(bytes.NewReader(message), &dkim.VerifyOptions{
		LookupTXT: func(name string) ([]string, error) { return []string{txt[name]}, nil },
	})
	if err != nil {
		t.Fatalf("%v\n%q", err, message)
	}
	good := 0
	for _, v := range verified {
		if v.Domain == "lists.example.org" && v.Err == nil {
			good++
		}
	}
	if good != 2 {
		for _, v := range verified {
			t.Errorf("%s: %v", v.Domain, v.Err)
		}
		t.Fatalf("%d of our 2 signatures verify\n%q", good, message)
	}
}

// onWire is the message as the client of the next hop sends it.
func onWire(message []byte) []byte {
	var c wire.Cleaner
	return c.Finish(c.Append(nil, message))
}

func TestSignedMessagesVerify(t *testing.T) {
	t.Parallel()
	txt := published(t, "lists.example.org")
	s := signer(t, "lists.example.org")
	for _, tt := range []struct{ name, in string }{
		{"a plain post", plainPost},
		{"no body, and no blank line", "From: a@example.com\r\n"},
		{"a body of nothing", "From: a@example.com\r\n\r\n"},
		{"a body of line ends", "From: a@example.com\r\n\r\n\r\n\r\n"},
		{"a body of blanks", "From: a@example.com\r\n\r\n \t \r\n \r\n"},
		{"a last line without end", "From: a@example.com\r\n\r\nx"},
		{"a last line of a blank", "From: a@example.com\r\n\r\nx\r\n "},
		{"blanks in plenty", "From:\ta@example.com  \r\nSubject :  a\t b \r\n\t\r\n  c\r\n\r\n a\t\tb \r\n\r\n\r\n c\t\r\n\r\n"},
		{"an empty field", "Subject:\r\nFrom: a@example.com\r\n\r\n"},
		{"fields more than once", "To: a\r\nTo: b\r\nFrom: a@example.com\r\nFrom: b@example.com\r\nTo: c\r\n\r\nx\r\n"},
		{"a thousand To fields", strings.Repeat("To: a\r\n", 1000) + "From: a@example.com\r\n\r\nx\r\n"},
		{"a line without a colon", "From ann Mon Jan  1\r\nFrom: a@example.com\r\nhello\r\nSubject: x\r\n\r\nx\r\n"},
		{"8 bit", "From: \xc3\xa4@example.com\r\nSubject: \xff\xfe\r\n\r\n\x00\xff\x80\r\n"},
		{"a long line", "From: a@example.com\r\n\r\n" + strings.Repeat("x", 100_000) + "\r\n"},
		{"a 100 kB field", "From: a@example.com\r\nTo: " + strings.Repeat("Somebody With a Rather Long Name <somebody@subdomain.example.com>,\r\n ", 1400) + "c\r\n\r\nx\r\n"},
		{"dots", "From: a@example.com\r\n\r\n.\r\n..\r\n.x\r\n"},
		{"all list fields", "From: a@example.com\r\nList-Id: <x>\r\nList-Unsubscribe: <mailto:x>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nList-Post: NO\r\nContent-Type: text/plain\r\n\r\nx\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			signed := sign(t, s, []byte(tt.in))
			if n := len(signed) - len(tt.in); n > 2000 {
				t.Errorf("%d octets of signatures", n)
			}
			if !bytes.Contains(signed, []byte("\r\n\r\n")) {
				signed = append(signed, "\r\n"...)
			}
			for line := range bytes.SplitSeq(signed[:len(signed)-len(tt.in)], []byte("\r\n")) {
				if len(line) > 78 {
					t.Errorf("a signature line of %d octets", len(line))
				}
			}
			verify(t, txt, onWire(signed))
		})
	}
}

// Thousands of nasty messages verify with another's verifier.
func TestRandomMessagesVerify(t *testing.T) {
	t.Parallel()
	txt := published(t, "lists.example.org")
	s := signer(t, "lists.example.org")
	rng := rand.New(rand.NewPCG(4, 2))
	pieces := []string{"\r\n", "\r\n", "\r\n\r\n", " ", "\t", "  ", "\n", "\r", "\r\r\n", "x", "word", ".", "\x00", "\xff", "ä", "=", ";", ":", "\v", "\x1f"}
	names := []string{"From", "Subject", "subject ", "TO", "Cc", "List-Id", "X-Other", "Content-Type", "DKIM-Signature", "Received", "References"}
	n := 2000
	if testing.Short() {
		n = 200
	}
	for range n {
		var m bytes.Buffer
		m.WriteString("From: a@example.com\r\n")
		for range rng.IntN(6) {
			m.WriteString(names[rng.IntN(len(names))] + ":")
			for range rng.IntN(6) {
				p := pieces[4+rng.IntN(len(pieces)-4)] // no line end but folded
				if strings.ContainsAny(p, "\r\n") {
					p = "\r\n "
				}
				m.WriteString(p)
			}
			m.WriteString("\r\n")
		}
		m.WriteString("\r\n")
		for range rng.IntN(40) {
			m.WriteString(pieces[rng.IntN(len(pieces))])
		}
		verify(t, txt, onWire(sign(t, s, m.Bytes())))
	}
}

// The law: what is signed verifies on the wire, as long as it has a From.
func FuzzSignVerify(f *testing.F) {
	txt := published(f, "lists.example.org")
	s := signer(f, "lists.example.org")
	f.Add([]byte("Subject: x\r\n y\r\n"), []byte("a \t b\r\n\r\n"))
	f.Add([]byte("DKIM-Signature: b=x\r\nTo:\r\n"), []byte("\r\n\r\n x"))
	f.Add([]byte("From : x\nto\n"), []byte("\r"))
	f.Add([]byte("\rX: y\r\n"), []byte("x\r \r\n"))
	f.Fuzz(func(t *testing.T, head, body []byte) {
		message := append([]byte("From: a@example.com\r\n"), head...)
		message = append(append(message, "\r\nDate: x\r\n\r\n"...), body...)
		message = onWire(message)
		top, _, _ := bytes.Cut(message, []byte("\r\n\r\n"))
		if strings.ContainsAny(string(top), "\v\f\u0085\u00a0") || !isASCII(string(top)) {
			t.Skip() // go-msgauth takes other blanks off a field name than RFC 6376 section 2.8 has
		}
		for line := range strings.Lines(string(top)) {
			if !strings.ContainsAny(line[:1], " \t") && !strings.Contains(line, ":") {
				t.Skip() // go-msgauth takes a line without a colon for a field of that name
			}
		}
		verify(t, txt, sign(t, s, message))
		hash, _ := identity.HashBody(bytes.NewReader(body))
		if h, _ := identity.HashBody(bytes.NewReader(onWire(body))); h != hash {
			t.Fatalf("the hash of %q is another one on the wire", body)
		}
		if h, _ := identity.HashBody(oneByOne{bytes.NewReader(body)}); h != hash {
			t.Fatalf("the hash of %q depends on how it is read", body)
		}
	})
}

type oneByOne struct{ r *bytes.Reader }

func (o oneByOne) Read(p []byte) (int, error) { return o.r.Read(p[:min(1, len(p))]) }

// RFC 6376 section 3.4.5, example 1 and 2, and section 3.4.4 of the empty body.
func TestBodyHash(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, canonical string }{
		{"RFC 6376 section 3.4.5", " C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n"},
		{"nothing", "", ""},
		{"only line ends", "\r\n\r\n", ""},
		{"bare LF and CR as on the wire", "a\nb\rc\r\r\nd\r", "a\r\nb c\r\nd\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := identity.HashBody(strings.NewReader(tt.in))
			want, err2 := identity.HashBody(strings.NewReader(tt.canonical))
			if err != nil || err2 != nil || got != want {
				t.Errorf("%q is not hashed as %q", tt.in, tt.canonical)
			}
		})
	}
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	if h, _ := identity.HashBody(strings.NewReader("\r\n")); fmt.Sprintf("%x", h) != empty {
		t.Errorf("the empty body has %x, want %s", h, empty)
	}
}

func TestBodyHashHoweverItIsRead(t *testing.T) {
	t.Parallel()
	const body = " a  b \r\n \r\n\r\nx\r\ny \t z\r w\r\r\n\nend \r\n c"
	want, err := identity.HashBody(strings.NewReader(" a b\r\n\r\n\r\nx\r\ny z w\r\n\r\nend\r\n c\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(body) {
		for j := i; j < len(body); j++ {
			pieces := io.MultiReader(strings.NewReader(body[:i]), strings.NewReader(body[i:j]), strings.NewReader(body[j:]))
			if got, err := identity.HashBody(pieces); err != nil || got != want {
				t.Fatalf("read as %q, %q, %q it has another hash", body[:i], body[i:j], body[j:])
			}
		}
	}
}

func TestFromIsSignedOnceMore(t *testing.T) {
	t.Parallel()
	s := signer(t, "lists.example.org")
	signed := sign(t, s, []byte(plainPost))
	txt := published(t, "lists.example.org")
	verify(t, txt, signed)
	forged := append([]byte("From: Eve <eve@evil.example>\r\n"), signed...)
	verified, err := dkim.VerifyWithOptions(bytes.NewReader(forged), &dkim.VerifyOptions{
		LookupTXT: func(name string) ([]string, error) { return []string{txt[name]}, nil }})
	if err != nil || len(verified) != 2 || verified[0].Err == nil || verified[1].Err == nil {
		t.Errorf("another From does not break the signatures: %v", err)
	}
}

func TestSignNeedsFrom(t *testing.T) {
	t.Parallel()
	s := signer(t, "lists.example.org")
	for _, head := range []string{"", "\r\n", "Subject: x\r\n\r\n", "Subject: x\r\n\r\nFrom: in the body\r\n", "X-From: x\r\n"} {
		if fields, err := s.Sign([]byte(head), identity.BodyHash{}); err == nil {
			t.Errorf("%q is signed: %q", head, fields)
		}
	}
}
