package message

import "testing"

func TestAutomatic(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		fields string
		want   bool
	}{
		{"Subject: x\r\n", false},
		{"Auto-Submitted: no\r\n", false},
		{"Auto-Submitted: No (really); x=y\r\n", true}, // a comment is no part of the word, and who writes one is a program
		{"AUTO-SUBMITTED: auto-replied; owner-email=\"a@b\"\r\n", true},
		{"auto-submitted:\r\n auto-generated\r\n", true},
		{"Precedence: list\r\n", false},
		{"precedence: BULK\r\n", false},
		{"Precedence: Auto_Reply\r\n", true},
		{"X-Autoreply: yes\r\n", true},
	} {
		if got := Automatic(ParseHeader([]byte(tt.fields + "\r\n"))); got != tt.want {
			t.Errorf("Automatic(%q) = %v", tt.fields, got)
		}
	}
}

func TestRecipients(t *testing.T) {
	t.Parallel()
	h := ParseHeader([]byte("To: Ann <ann@x.test>, \"a, b\"@y.test\r\nCc: group: c@z.test;, nonsense\r\nBcc: no@x.test\r\n\r\n"))
	var got []string
	for _, a := range Recipients(h) {
		got = append(got, a.String())
	}
	if len(got) != 3 || got[0] != "ann@x.test" || got[1] != "\"a, b\"@y.test" || got[2] != "c@z.test" {
		t.Errorf("Recipients = %q", got)
	}
}
