package enrol_test

import (
	"slices"
	"strings"
	"testing"

	"superlistd/enrol"
	"superlistd/lists"
)

func TestCommands(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, subject, text, want string }{
		{"subject", "Subscribe", "", "join"},
		{"subject of a reply", "Re: subscribe", "", ""},
		{"subject that is a sentence", "I want to subscribe to things", "", ""},
		{"body", "", "unsubscribe\n", "leave"},
		{"CRLF, blanks, quotes, capitals", "x", " \"UNSUBSCRIBE\". \r\n", "leave"},
		{"of Majordomo", "", "subscribe team ann@m.test", "join"},
		{"another address", "", "subscribe eve@m.test", ""},
		{"another list", "", "subscribe other@lists.test", ""},
		{"the list by its address", "", "unsubscribe team@lists.test", "leave"},
		{"politely", "", "Please subscribe me.", "join"},
		{"German", "", "bitte abmelden\nHILFE\n", "leave, help"},
		{"French", "", "me désinscrire\ns’abonner\n", "leave, join"},
		{"several, ended by a signature", "help", "help\ninfo\n-- \nwho\n", "help, info"},
		{"ended by a word", "", "help\nend\ninfo\n", "help"},
		{"an end alone", "end", "", ""},
		{"ended by a line that is none", "", "help\nThanks, Ann\ninfo\n", "help"},
		{"after a greeting", "", "Hello,\n\nhelp\n", "help"},
		{"too late", "", "a\nb\nc\nd\ne\nhelp\n", ""},
		{"quoted", "", "> help\n", ""},
		{"five are enough", "", "help\ninfo\nwho\nsubscribe\nunsubscribe\nresume\n", "help, info, who, join, leave"},
		{"set", "set nomail", "set mail\n", "delivery=nomail, delivery=mail disabled=none"},
		{"set what", "", "set\nset x\nset mail now\n", ""},
		{"suspend", "", "suspend 2026-12-01 2026-12-15", "suspend=2026-12-01..2026-12-15"},
		{"suspend, with words", "", "Suspend from 2026-12-01 to 2026-12-15.", "suspend=2026-12-01..2026-12-15"},
		{"suspend, as listctl writes it", "", "suspend 2026-12-01..2026-12-15", "suspend=2026-12-01..2026-12-15"},
		{"German days", "", "pausieren vom 1.12.2026 bis 15.12.2026", "suspend=2026-12-01..2026-12-15"},
		{"French days", "", "suspendre du 24/12/2026 au 31/12/2026", "suspend=2026-12-24..2026-12-31"},
		{"days that can be read in two ways", "", "suspend 02/12/2026 03/12/2026", ""},
		{"days in the wrong order", "", "suspend 2026-12-15 2026-12-01", ""},
		{"days that are over", "", "suspend 2026-11-01 2026-11-20", ""},
		{"until today", "", "suspend 2026-11-01 2026-11-21", "suspend=2026-11-01..2026-11-21"},
		{"one day", "", "suspend 2026-12-01", ""},
		{"three days", "", "suspend 2026-12-01 2026-12-02 2026-12-03", ""},
		{"no such day", "", "suspend 2026-02-30 2026-12-02", ""},
		{"resume", "Reprendre", "", "delivery=mail suspend=none disabled=none"},
		{"confirm", "", "confirm Abc123", "confirm abc123"},
		{"confirm what", "", "confirm\nconfirm a b\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, _ := enrol.ReadCommands(team(), address(t, "ann@m.test"), tt.subject, tt.text, start)
			if s := strings.Join(got, ", "); s != tt.want {
				t.Errorf("%q, want %q", s, tt.want)
			}
		})
	}
}

func team() lists.List {
	return lists.List{Address: lists.Address{Local: "team", Domain: "lists.test"}, Settings: lists.DefaultSettings()}
}

// Large mails cost no more than what is read of them.
func TestLargeRequests(t *testing.T) {
	t.Parallel()
	for _, piece := range []string{"x\n", "> x\n", "\n", "help ", "suspend 2026-12-01.."} {
		_, rest := enrol.ReadCommands(team(), address(t, "ann@m.test"), strings.Repeat("y", 1<<20), strings.Repeat(piece, 8<<20/len(piece)), start)
		if len(rest) > 5000 {
			t.Errorf("%q: %d octets of rest", piece, len(rest))
		}
	}
}

// What is quoted or behind the end is no command; there are few; what somebody may have in his options is all that they hold; and
// where there are none, what was written is told.
func FuzzCommands(f *testing.F) {
	f.Add("help", "set nomail")
	f.Add("", "suspend 2026-12-01..2026-12-15\nconfirm abc")
	f.Add("Re: x", "> unsubscribe\nabmelden\n-- \nhilfe")
	f.Add("=?utf-8?q?x?=", "suspend 1.1.99999 31/12/0000\u00a0\u200b")
	ann := lists.Address{Local: "ann", Domain: "m.test"}
	f.Fuzz(func(t *testing.T, subject, text string) {
		all, rest := enrol.ReadCommands(team(), ann, subject, text, start)
		if len(all) > 5 || len(all) > 0 && rest != "" || len(rest) > 5000 {
			t.Errorf("%d commands and %q", len(all), rest)
		}
		for _, c := range all {
			for _, option := range strings.Fields(c) {
				name, value, ok := strings.Cut(option, "=")
				if !ok || strings.HasPrefix(c, "confirm ") {
					break
				}
				o, err := lists.LookupMemberOption(name)
				var m lists.Member
				if err == nil {
					err = o.Set(&m, value)
				}
				if err != nil {
					t.Errorf("%q: %v", c, err)
				}
			}
		}
		quoted := "> " + strings.NewReplacer("\r", "\n> ", "\n", "\n> ").Replace(text)
		for _, body := range []string{quoted, "-- \n" + text} {
			if all, _ := enrol.ReadCommands(team(), ann, "x", body, start); len(all) > 0 {
				t.Errorf("%q of %q", all, body)
			}
		}
	})
}

// No extension but one that we made is taken, in whatever case.
func FuzzTokens(f *testing.F) {
	h := newHouse(f)
	must(f, h.ask(lists.ServiceSubscribe, "ann@m.test", lists.Unproven, "Subject: x"))
	good := extension(f, h.take()[0].value("Reply-To"))
	f.Add(good)
	f.Add("a" + good[1:])
	f.Add("")
	f.Add(strings.Repeat("\u212a", 31))
	f.Fuzz(func(t *testing.T, ext string) {
		err := h.desk.Known(h.list, ext)
		if want := slices.Contains([]string{good}, strings.ToLower(ext)); want != (err == nil) {
			t.Errorf("%q: %v", ext, err)
		}
		if err == nil && !enrol.Mine(ext) {
			t.Errorf("%q is good and not mine", ext)
		}
	})
}
