package message

import (
	"encoding/base64"
	"strings"
	"testing"
)

// A file has the size with which it is saved, and a mail that is one its subject.
func TestFilesOfReadings(t *testing.T) {
	t.Parallel()
	base64Of := func(n int, end string) string {
		text := base64.StdEncoding.EncodeToString(make([]byte, n))
		var b strings.Builder
		for len(text) > 76 {
			b.WriteString(text[:76] + end)
			text = text[76:]
		}
		return b.String() + text
	}
	for _, tt := range []struct {
		name, head, body string
		size             int64
		subject          string
	}{
		{"as it is", "Content-Type: application/pdf", "0123456789", 10, ""},
		{"base64", "Content-Type: application/pdf\nContent-Transfer-Encoding: base64", base64Of(650, "\r\n"), 650, ""},
		{"base64 without padding", "Content-Type: application/pdf\nContent-Transfer-Encoding: BASE64", strings.TrimRight(base64Of(650, "\n"), "="), 650, ""},
		{"base64, large", "Content-Type: application/pdf\nContent-Transfer-Encoding: base64", base64Of(1<<20+1, "\n") + "\n", 1<<20 + 1, ""},
		{"base64 of nothing", "Content-Type: application/pdf\nContent-Transfer-Encoding: base64", "", 0, ""},
		{"quoted-printable", "Content-Type: text/csv\nContent-Transfer-Encoding: quoted-printable", "a=3D=\r\nb=C3=BC", 5, ""},
		{"an encoding that nobody knows", "Content-Type: application/pdf\nContent-Transfer-Encoding: x-zip", "AAAA", 4, ""},
		{"a mail", "Content-Type: message/rfc822", "From: a@b.test\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n\nSubject: no\n", 65, "Grüße"},
		{"a mail without a subject", "Content-Type: message/rfc822", "From: a@b.test\n\nSubject: no\n", 28, ""},
		{"a mail of which there is only a header", "Content-Type: message/rfc822", "Subject: x", 10, "x"},
		{"a mail in base64", "Content-Type: message/global\nContent-Transfer-Encoding: base64", base64.StdEncoding.EncodeToString([]byte("Subject: Grüße\n\n")), 18, "Grüße"},
		{"a mail with an endless subject", "Content-Type: message/rfc822", "Subject: x\n" + strings.Repeat(" \n", 100_000), 11 + 200_000, "x"},
		{"what is no mail", "Content-Type: text/rfc822-headers\nContent-Disposition: attachment", "Subject: x\n", 11, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, err := Inspect(Octets("Content-Type: multipart/mixed; boundary=b\n\n--b\n" + tt.head + "\n\n" + tt.body + "\n--b--\n"))
			if err != nil {
				t.Fatal(err)
			}
			all, err := b.Readings()
			if err != nil || len(all) != 1 || all[0].Text != nil {
				t.Fatalf("%d readings, %v", len(all), err)
			}
			if got := all[0]; got.Part.Size != tt.size || got.Subject != tt.subject {
				t.Errorf("%d octets, %q; want %d, %q", got.Part.Size, got.Subject, tt.size, tt.subject)
			}
		})
	}
}
