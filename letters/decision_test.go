package letters_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"superlistd/letters"
	"superlistd/message"
	"superlistd/templates"
)

const notQuoted = "A post to team@lists.test is waiting for a moderator.\n\n  approve  The post goes to the list.\n" +
	"  reject   The post does not go to the list.\n  discard  The post is deleted.\n"

func plain(subject, body string) string {
	return "From: mia@m.test\nSubject: " + subject + "\nContent-Type: text/plain; charset=utf-8\n\n" + body
}

// readAnswer is what an answer asks for: "approve", "ban"…, "" when it is not understood, and the text for the author.
func readAnswer(raw string) (what, text string) {
	h := message.ParseHeader([]byte(raw))
	body, err := letters.Text(h, strings.NewReader(raw[h.Len():]))
	if err != nil {
		return err.Error(), ""
	}
	d, ok := letters.ReadDecision(strings.Join(message.Texts(h, "Subject"), ""), body)
	switch {
	case !ok:
		return "", ""
	case d.Ban:
		return "ban", d.Text
	}
	return string(d.Action), d.Text
}

func TestPlainAnswers(t *testing.T) {
	t.Parallel()
	const re = "Re: team@lists.test: a post needs your decision: approve"
	for _, tt := range []struct{ name, subject, body, want, text string }{
		{"first line", re, "approve\n", "approve", ""},
		{"without a line end", re, "approve", "approve", ""},
		{"CRLF, blanks, a full stop, capitals", re, "\r\n  *APPROVE*.  \r\n", "approve", ""},
		{"above a quote", re, "discard\n\nOn Monday, Team wrote:\n> approve\n", "discard", ""},
		{"below a quote", re, "On Monday, Team wrote:\n> approve\n> more\n\ndiscard\n", "discard", ""},
		{"below an attribution of three lines", re, "Am Montag, dem 21. November 2026,\num zwölf Uhr,\nschrieb Team:\n> approve\nverwerfen\n", "discard", ""},
		{"after a greeting", re, "Hello,\n\napprove\n\nMia\n", "approve", ""},
		{"French", re, "oui\n", "approve", ""},
		{"German", re, "Ja!\n", "approve", ""},
		{"German umlaut", re, "löschen\n", "discard", ""},
		{"ban", re, "ban\n", "ban", ""},
		{"reject without a text", re, "reject\n\n-- \nMia\n", "reject", ""},
		{"reject with a text on the line", re, "reject Too long.\n", "reject", "Too long."},
		{"reject with a colon", re, "Reject: too long.\n", "reject", "too long."},
		{"reject with a text below", re, "reject\n\nToo long.\nPlease trim.\n\nMia\n-- \nsignature\n", "reject", "Too long.\nPlease trim.\n\nMia"},
		{"the text ends at the quote", re, "reject Too long.\nPlease trim.\n\nOn Monday, 21 November 2026,\nTeam wrote:\n> x\n", "reject", "Too long.\nPlease trim."},
		{"the text ends at a line that says who is quoted", re, "refuser Trop long.\nMerci.\nTeam a écrit :\n> x\n", "reject", "Trop long.\nMerci."},
		{"the text ends at a mail that is not quoted", re, "ablehnen Zu lang.\n\n-----Ursprüngliche Nachricht-----\nVon: Team\n", "reject", "Zu lang."},
		{"no, alone", re, "Nein\n", "reject", ""},

		{"a subject from a link", "approve", "", "approve", ""},
		{"a subject, with a text", "reject", "Too long.\n\n-- \nMia\n", "reject", "Too long."},
		{"a subject and the same below", "reject", "reject Too long.\n", "reject", "Too long."},
		{"a subject that contradicts", "approve", "discard\n", "", ""},
		{"a subject that contradicts about the ban", "discard", "ban\n", "", ""},
		{"a subject of a reply has words of the post", re, "Who is this?\n", "", ""},
		{"a subject that is more than the word", "approve this", "", "", ""},

		{"a word, and the rest of the sentence far behind it", re, "approve" + strings.Repeat(" ", 100) + "? Certainly not!\n", "", ""},
		{"a word far behind", re, strings.Repeat(" ", 100) + "approve\n", "approve", ""},
		{"nothing", re, "", "", ""},
		{"only quoted", re, "> approve\n> discard\n", "", ""},
		{"quoted with bars", re, "| approve\n", "", ""},
		{"only a signature", re, "-- \napprove\n", "", ""},
		{"an order that is part of a sentence", re, "Yes, I am away until Monday.\nNo, really.\n", "", ""},
		{"a word that begins like one", re, "rejection is hard\nbanana\n", "", ""},
		{"too late", re, "One\ntwo\nthree\nfour\nfive\napprove\n", "", ""},
		{"the notice, not quoted", re, notQuoted, "", ""},
		{"the notice behind a rule", re, "Thanks\n_____________\napprove\n", "", ""},
		{"a name and the notice", re, "Mia\n" + notQuoted, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if what, text := readAnswer(plain(tt.subject, tt.body)); what != tt.want || text != tt.text {
				t.Errorf("%q with %q, want %q with %q", what, text, tt.want, tt.text)
			}
		})
	}
}

// What the texts teach is understood, in every language.
func TestTaughtWordsAreUnderstood(t *testing.T) {
	t.Parallel()
	for _, lang := range templates.Languages() {
		c := templates.CommandsOf(lang)
		for word, want := range map[string]string{c.Approve: "approve", c.Reject: "reject", c.Discard: "discard", c.Ban: "ban"} {
			for _, raw := range []string{plain("Re: x", word+"\n"), plain(word, ""), plain("Re: x", strings.ToUpper(word))} {
				if what, _ := readAnswer(raw); what != want {
					t.Errorf("%s: %q is %q, want %q", lang, word, what, want)
				}
			}
		}
		if what, text := readAnswer(plain("Re: x", c.Reject+" so lala")); what != "reject" || text != "so lala" {
			t.Errorf("%s: %q with %q", lang, what, text)
		}
	}
}

func TestEncodedAnswers(t *testing.T) {
	t.Parallel()
	base := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, tt := range []struct{ name, raw, want, text string }{
		{"quoted-printable", "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nreject Zu la=\nng, f=C3=BCr heute.\n", "reject", "Zu lang, für heute."},
		{"base64 in lines", "Content-Transfer-Encoding: BASE64\n\n" + base("reject Too")[:7] + "\r\n" + base("reject Too")[7:], "reject", "Too"},
		{"ISO 8859-1", "Content-Type: text/plain; charset=ISO-8859-1\n\nablehnen F\xfcr heute zu lang.\n", "reject", "Für heute zu lang."},
		{"ISO 8859-15", "Content-Type: text/plain; charset=iso-8859-15\n\nablehnen 5 \xa4\n", "reject", "5 €"},
		{"Windows", "Content-Type: text/plain; charset=\"windows-1252\"\n\nrefuser \x93Trop long\x94 \x80\x9f\n", "reject", "“Trop long” €Ÿ"},
		{"a charset that we do not know", "Content-Type: text/plain; charset=x-unknown\n\nreject \xfc\n", "reject", "ü"},
		{"damaged quoted-printable", "Content-Transfer-Encoding: quoted-printable\n\napprove\n=ZZ\n", "approve", ""},
		{"without a header", "\napprove\n", "approve", ""},
		{"alternative", "Content-Type: multipart/alternative; boundary=b\n\n--b\n\nreject Too long.\n--b\nContent-Type: text/html\n\n<p>approve</p>\n--b--\n", "reject", "Too long."},
		{"nested", "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>discard\n--b\n\napprove\n--b--\n--a--\n", "approve", ""},
		{"an attached text is no answer", "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Disposition: attachment\n\napprove\n--b--\n", "", ""},
		{"an attached mail is none", "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\nSubject: x\n\napprove\n--b--\n", "", ""},
		{"an empty text beside HTML", "Content-Type: multipart/alternative; boundary=b\n\n--b\n\n \n--b\nContent-Type: text/html\n\n<p>approve</p>\n--b--\n", "approve", ""},
		{"HTML", "Content-Type: text/html; charset=utf-8\n\n<html><head><title>x</title><style>approve</style></head><body><div>reject&nbsp;Too<b> long</b>.<br>Sorry.</div><blockquote>approve</blockquote></body></html>", "reject", "Too long.\nSorry."},
		{"HTML with the answer below", "Content-Type: text/html\n\n<div class=cite>Team wrote:<blockquote type=cite>approve<br>reject</blockquote></div><div>discard</div>", "discard", ""},
		{"HTML of Outlook", "Content-Type: text/html\n\n<!--[if mso]><p>approve</p><![endif]--><p>Thanks</p><hr><div id=\"divRplyFwdMsg\">From: Team<p>approve</p></div>", "", ""},
		{"HTML in base64", "Content-Type: text/html\nContent-Transfer-Encoding: base64\n\n" + base("<p>verwerfen</p>"), "discard", ""},
		{"HTML that is broken", "Content-Type: text/html\n\n<p>approve<", "approve", ""},
		{"no text at all", "Content-Type: image/png\n\napprove\n", "", ""},
		{"a subject in an encoded word", "Subject: =?utf-8?q?l=C3=B6schen?=\n\n", "discard", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if what, text := readAnswer(tt.raw); what != tt.want || text != tt.text {
				t.Errorf("%q with %q, want %q with %q", what, text, tt.want, tt.text)
			}
		})
	}
}

// Large and hostile answers are cut, and understood all the same.
func TestLargeAnswers(t *testing.T) {
	t.Parallel()
	for name, piece := range map[string]string{
		"lines": "x\n", "quotes": "> x\n", "tags": "<", "open tags": "<p", "comments": "<!--", "styles": "<style", "entities": "&amp", "colons": "On x:\n",
	} {
		for _, kind := range []string{"text/plain", "text/html"} {
			raw := "Content-Type: " + kind + "\n\nreject\n" + strings.Repeat(piece, 20<<20/len(piece))
			if what, text := readAnswer(raw); what != "reject" || len(text) > 5000 {
				t.Errorf("%s in %s: %q with a text of %d octets", name, kind, what, len(text))
			}
		}
	}
}

// What is only quoted, or behind the end of an answer, is never an order; a text is valid and bounded.
func FuzzAnswers(f *testing.F) {
	f.Add("approve\n")
	f.Add("reject Too long.\n> x")
	f.Add("<p>ban</p>")
	f.Add("=?utf-8?q?ja?=")
	f.Add("--b\n\nja\n--b--")
	f.Fuzz(func(t *testing.T, in string) {
		for _, head := range []string{
			"", "Content-Type: text/html\n", "Content-Transfer-Encoding: base64\n", "Content-Transfer-Encoding: quoted-printable\n",
			"Content-Type: multipart/mixed; boundary=b\n", "Content-Type: text/plain; charset=windows-1252\n",
		} {
			what, text := readAnswer("Subject: Re: approve\n" + head + "\n" + in)
			if len(text) > 5000 || strings.ToValidUTF8(text, "") != text || what != "reject" && text != "" {
				t.Errorf("%q with a text of %d octets: %q", what, len(text), text)
			}
		}
		quoted := "> " + strings.NewReplacer("\r", "\n> ", "\n", "\n> ").Replace(in)
		for _, body := range []string{quoted, "-- \n" + in, "-----Original Message-----\n" + in} {
			if what, _ := readAnswer("Subject: Re: approve\n\n" + body); what != "" {
				t.Errorf("%q is taken for %q", body, what)
			}
		}
	})
}
