package message

import (
	"strings"
	"testing"
)

func TestDigest(t *testing.T) {
	t.Parallel()
	const base = "Received: from a\r\nMessage-ID: <1@a>\r\nFrom: ann@a\r\nSubject: s\r\n\r\n"
	sum := func(head, body string) [32]byte {
		t.Helper()
		d, ok, err := Digest(ParseHeader([]byte(head)), strings.NewReader(body))
		if err != nil || !ok {
			t.Fatalf("Digest = %v, %v", ok, err)
		}
		return d
	}
	want := sum(base, "body\r\n")
	for _, tt := range []struct {
		name, head, body string
		same             bool
	}{
		{"another trace field is another attempt", strings.Replace(base, "from a", "from b", 1), "body\r\n", true},
		{"one more trace field", "Received: from c\r\n" + base, "body\r\n", true},
		{"folding is no content", strings.Replace(base, "From: ann", "From:\r\n ann", 1), "body\r\n", true},
		{"another Message-ID", strings.Replace(base, "<1@a>", "<2@a>", 1), "body\r\n", false},
		{"another Subject", strings.Replace(base, "Subject: s", "Subject: t", 1), "body\r\n", false},
		{"another body", base, "bodies\r\n", false},
		{"a field moved into the body", strings.Replace(base, "Subject: s\r\n", "", 1), "Subject: s\r\nbody\r\n", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := sum(tt.head, tt.body); (got == want) != tt.same {
				t.Errorf("same = %v, want %v", got == want, tt.same)
			}
		})
	}
	if _, ok, _ := Digest(ParseHeader([]byte("From: ann@a\r\n\r\n")), strings.NewReader("x")); ok {
		t.Error("a message without Message-ID and Date has a digest: a second post of the same words would be lost")
	}
}
