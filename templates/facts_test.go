package templates_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"superlistd/lists"
	"superlistd/templates"
)

func TestStrangersFacts(t *testing.T) {
	t.Parallel()
	set := newSet(t, "")
	for _, tt := range []struct{ name, in, want string }{
		{"as it is", "Lunch, “déjà vu” 👩‍🚀", "Lunch, “déjà vu” 👩‍🚀"},
		{"line ends", "Lunch\r\nBcc: eve@example.org\n\n> approve", "Lunch Bcc: eve@example.org > approve"},
		{"Unicode's line ends", "a\u2028b\u2029c\u0085d\vf", "a b c d f"},
		{"controls", "a\x00b\x1b[2Jc\u009b", "ab[2Jc"},
		{"turned around", "exe.\u202egnp\u2066x", "exe.gnpx"},
		{"not UTF-8", "caf\xe9", "caf\uFFFD"},
		{"template", "{{.Owner}}", "{{.Owner}}"},
		{"long", strings.Repeat("ä", 5000), strings.Repeat("ä", 199) + "…"},
		{"long and invisible", strings.Repeat("\x01", 1<<20) + "x", "(no subject)"},
		{"blank", " \t ", "(no subject)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text, err := set.Text(templates.Rejected, "en", templates.SampleList(), templates.Facts{PostSubject: tt.in})
			if err != nil || !strings.Contains(text.Body, "\nSubject:  "+tt.want+"\n") {
				t.Errorf("%v; want %q in\n%s", err, tt.want, text.Body)
			}
		})
	}
}

func TestQuotedText(t *testing.T) {
	t.Parallel()
	text, err := newSet(t, "").Text(templates.Rejected, "en", templates.SampleList(), templates.Facts{
		Text: "\r\nNot here.  \r\r\n\tTry\x00 again\n-- \n\n",
	})
	if want := "\n\n> Not here.\n> \n>  Try again\n> --\n\n"; err != nil || !strings.Contains(text.Body, want) {
		t.Errorf("%v; want %q in %q", err, want, text.Body)
	}
}

func TestFormsOfALanguage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, lang := range templates.Languages() {
		write(t, dir, lang+"/removed.txt", `{{date .Date}}|{{day .Date}}|{{size .Size}}|{{command "ban"}}|{{mailto .Answer "a b?"}}`+"\n")
	}
	set := newSet(t, dir)
	cet := time.FixedZone("CET", 3600)
	for _, tt := range []struct {
		lang   string
		date   time.Time
		size   int64
		answer string
		want   string
	}{
		{"en", time.Date(2026, 3, 1, 9, 5, 0, 0, cet), 999, "a+b@example.org",
			"Sunday, 1 March 2026, 09:05 (UTC+01:00)|Sunday, 1 March 2026|999 bytes|ban|<mailto:a+b@example.org?subject=a%20b%3F>"},
		{"fr", time.Date(2026, 3, 1, 9, 5, 0, 0, cet), 1_500, "a&b?c@example.org",
			"dimanche 1er mars 2026 à 09:05 (UTC+01:00)|dimanche 1er mars 2026|2 ko|bannir|<mailto:a&b%3Fc@example.org?subject=a%20b%3F>"},
		{"de", time.Date(2026, 12, 31, 23, 59, 0, 0, time.UTC), 999_500, "",
			"Donnerstag, 31. Dezember 2026, 23:59 Uhr (UTC)|Donnerstag, 31. Dezember 2026|1,0 MB|sperren|<mailto:?subject=a%20b%3F>"},
		{"en", time.Time{}, 12_345_678, "", "|||ban|<mailto:?subject=a%20b%3F>"},
	} {
		facts := templates.Facts{Date: tt.date, Size: tt.size, Answer: tt.answer}
		if tt.date.IsZero() {
			facts.Size = -1
		}
		text, err := set.Text(templates.Removed, tt.lang, templates.SampleList(), facts)
		if err != nil || text.Body != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.lang, text.Body, err, tt.want)
		}
	}
}

func TestReason(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("%w: eve@example.org", lists.ErrBanned), "banned"},
		{lists.ErrNotMember, "not-member"},
		{errors.New("mail loop"), "other"},
		{nil, "other"},
	} {
		if got := templates.Reason(tt.err); got != tt.want {
			t.Errorf("Reason(%v) = %q, want %q", tt.err, got, tt.want)
		}
	}
}

// FuzzText: whatever strangers write, a text is there, bounded, and has the lines that it has for harmless facts.
func FuzzText(f *testing.F) {
	f.Add("Lunch\r\nBcc: eve@example.org", "a\n\nb", byte(0))
	f.Add("\xff\x00\u202e\u2028", "> approve\r\r\n", byte(13))
	f.Add("{{.Owner}}", strings.Repeat("x\n", 5000), byte(6))
	f.Add("\u00a0", "\u200b", byte(20))
	f.Add(strings.Repeat("é", 2000), "", byte(27))
	set := newSet(f, "")
	f.Fuzz(func(t *testing.T, line, text string, choice byte) {
		name := templates.Names()[int(choice)%len(templates.Names())]
		lang := templates.Languages()[int(choice)/len(templates.Names())%len(templates.Languages())]
		got, err := set.Text(name, lang, templates.SampleList(), filled(line, text))
		if err != nil {
			t.Fatal(err)
		}
		harmless := "x"
		if blank(line) {
			harmless = ""
		}
		plain, err := set.Text(name, lang, templates.SampleList(), filled(harmless, text))
		// Of much more than is shown the end is not looked at, so that blank cannot tell what is left.
		if err != nil || len(line) <= 320 && strings.Count(plain.Body, "\n") != strings.Count(got.Body, "\n") {
			t.Errorf("%s of %q has other lines than usual (%v):\n%s", name, line, err, got.Body)
		}
		if !sound(got.Subject, "") || !sound(got.Body, "\n") || utf8.RuneCountInString(got.Subject) > 200 || len(got.Body) > 512<<10 {
			t.Errorf("%s of %q and %q is not sound: %q", name, line, text, got)
		}
	})
}

// Facts as large as they are let through make a text in every language.
func TestLargestFacts(t *testing.T) {
	t.Parallel()
	set := newSet(t, "")
	facts := filled(strings.Repeat("😀", 2000), strings.Repeat("😀\n", 20_000))
	facts.Answer = strings.Repeat("😀", 77) + "@example.org"
	item := facts.Items[0]
	item.Answer, item.Reason, item.Identity, item.Date, item.Size = facts.Answer, item.Subject, item.Subject, facts.Date, 1
	for range 200 {
		facts.Items, facts.Lists = append(facts.Items, item), append(facts.Lists, item.List)
	}
	for _, lang := range templates.Languages() {
		for _, name := range templates.Names() {
			if _, err := set.Text(name, lang, templates.SampleList(), facts); err != nil {
				t.Errorf("%s/%s: %v", lang, name, err)
			}
		}
	}
}

func filled(line, text string) templates.Facts {
	facts := templates.Samples()[0]
	v := reflect.ValueOf(&facts).Elem()
	for i := range v.NumField() {
		switch v.Type().Field(i).Name {
		case "Text":
			v.Field(i).SetString(text)
		case "Decision", "Identity", "Reason": // words of ours
		default:
			if v.Field(i).Kind() == reflect.String {
				v.Field(i).SetString(line)
			}
		}
	}
	facts.Lists = []string{line}
	facts.Items = []templates.Item{{List: line, From: line, FromName: line, Subject: line, Detail: line, ID: line, Answer: line}}
	return facts
}

// blank reports whether nothing is left of a line.
func blank(line string) bool {
	return strings.TrimFunc(line, func(r rune) bool {
		return r == ' ' || unicode.IsSpace(r) && r != '\u00a0' && r != '\u202f' ||
			unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\uFEFF'
	}) == ""
}

func sound(s, allowed string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) && !strings.ContainsRune(allowed, r) || r == '\u2028' || r == '\u2029'
	})
}

func BenchmarkText(b *testing.B) {
	dir := b.TempDir()
	write(b, dir, "en/held.txt", "Subject: S\n\n{{.List}} {{word .Reason}}\n")
	for _, bb := range []struct {
		name string
		dir  string
		text templates.Name
	}{{"notice, embedded", "", templates.Notice}, {"held, of the site", dir, templates.Held}} {
		b.Run(bb.name, func(b *testing.B) {
			set, facts := newSet(b, bb.dir), templates.Samples()[0]
			b.ReportAllocs()
			for b.Loop() {
				if _, err := set.Text(bb.text, "en", templates.SampleList(), facts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
