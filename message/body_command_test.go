package message

import (
	"strings"
	"testing"
)

func TestCommand(t *testing.T) {
	t.Parallel()
	const plain = "Content-Type: text/plain; charset=utf-8\r\n"
	for _, tt := range []struct {
		name, subject, body string
		want                bool
	}{
		{"subject alone", "unsubscribe", "", true},
		{"subject alone, blank body", "Unsubscribe", "\r\n  \r\n", true},
		{"body alone", "", "unsubscribe\r\n", true},
		{"both", "unsubscribe", "UNSUBSCRIBE!\r\n", true},
		{"with an address", "", "unsubscribe ann@example.net\r\n", true},
		{"in answer to a post", "Re: [team] Minutes", "Please remove me from this list.\r\n\r\nOn Fri, 20 Nov 2026 Ann wrote:\r\n> one\r\n> two\r\n", true},
		{"introduced in two lines", "Re: Minutes", "unsubscribe\r\n\r\nOn Fri, 20 Nov 2026 at 09:00 Ann Example <ann@example.net>\r\nwrote:\r\n\r\n> one\r\n", true},
		{"above the whole message", "AW: Minutes", "bitte austragen\r\n\r\n-----Ursprüngliche Nachricht-----\r\nVon: Ann\r\n\r\nMinutes\r\n", true},
		{"with a signature", "hello", "take me off this list, please\r\n-- \r\nAnn Example\r\nunsubscribe me not\r\n", true},
		{"with courtesy", "unsubscribe", "Hello,\r\n\r\nthank you,\r\nbest regards\r\n", true},
		{"French", "", "Veuillez me désinscrire de la liste, merci.\r\n", true},
		{"French subject in an encoded-word", "=?utf-8?q?D=C3=A9sinscription?=", "", true},
		{"French imperative", "", "Désabonnez-moi de cette liste svp\r\n", true},
		{"German", "", "Ich möchte mich von dieser Liste abmelden\r\n", true},
		{"German, usual", "", "Bitte mich von der Liste nehmen. Mit freundlichen Grüßen\r\n", true},
		{"German, in two lines", "Abmeldung", "Vielen Dank\r\nFreundliche Grüße\r\n", true},
		{"weak word alone", "help", "", true},
		{"weak word in the body alone", "", "Help\r\n", true},
		{"weak word, both", "HELP", "help\r\n", true},

		{"weak word under a real subject", "The printer is on fire", "Help!\r\n", false},
		{"an answer of one word", "Re: Shall we go or stay?", "leave\r\n", false},
		{"a question", "", "unsubscribe?\r\n", false},
		{"about it", "unsubscribe link is broken", "", false},
		{"about it, in a body", "unsubscribe", "The unsubscribe link in the footer leads to an error page.\r\n", false},
		{"more than a line", "", "unsubscribe\r\nby the way, the meeting is at four\r\n", false},
		{"two commands", "", "unsubscribe\r\nhelp\r\n", false},
		{"a command in a quote", "Re: Minutes", "I agree with that.\r\n> unsubscribe\r\n", false},
		{"a command in a signature", "Minutes", "Here they are.\r\n-- \r\nunsubscribe\r\n", false},
		{"introduction without a quote", "Agenda", "On 20 Nov:\r\n", false},
		{"nothing at all", "", "", false},
		{"a subject alone", "Tea at four", "", false},
		{"courtesy alone", "Thank you", "Thanks!\r\n", false},
		{"a long line", "", strings.Repeat("unsubscribe ", 20), false},
		{"a line without end", "", "unsubscribe" + strings.Repeat(" ", 9000), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := inspect(t, []byte("Subject: "+tt.subject+"\r\n"+plain+"\r\n"+tt.body)).Command(); got != tt.want {
				t.Errorf("Command() = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestCommandByPart(t *testing.T) {
	t.Parallel()
	const mixed = "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nunsubscribe\r\n--b\r\n"
	for _, tt := range []struct {
		name, in string
		want     bool
	}{
		{"HTML alone", "Content-Type: text/html\r\n\r\n<p>Unsubscribe</p><blockquote>a post</blockquote>\r\n", true},
		{"alternatives", "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nunsubscribe\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>anything\r\n--b--\r\n", true},
		{"base64", "Content-Transfer-Encoding: base64\r\n\r\ndW5zdWJzY3JpYmUK\r\n", true},
		{"quoted-printable", "Content-Transfer-Encoding: quoted-printable\r\n\r\nunsub=\r\nscribe=20\r\n", true},
		{"a signature beside it", mixed + "Content-Type: application/pkcs7-signature; name=smime.p7s\r\n\r\nMII\r\n--b--\r\n", true},
		{"a file beside it", mixed + "Content-Type: application/pdf\r\n\r\n%PDF\r\n--b--\r\n", false},
		{"two texts", mixed + "\r\nand a word\r\n--b--\r\n", false},
		{"an attached text only", "Subject: unsubscribe\r\nContent-Disposition: attachment\r\n\r\nunsubscribe\r\n", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := inspect(t, []byte(tt.in)).Command(); got != tt.want {
				t.Errorf("Command() = %v, want %v", got, tt.want)
			}
		})
	}
}
