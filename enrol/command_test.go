package enrol_test

import (
	"fmt"
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
		{"what comes far behind it", "", "unsubscribe" + strings.Repeat(" ", 500) + "eve@m.test", ""},
		{"blanks behind it", "", "unsubscribe" + strings.Repeat(" ", 500), "leave"},
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
		{"the last word counts", "set nomail", "set mail\nset nomail\nset nomail\n", "delivery=nomail, delivery=mail disabled=none, delivery=nomail"},
		{"set digests", "set digest", "set plain\nrégler compilation\nsetze Text\n", "delivery=digest disabled=none, delivery=plain disabled=none, delivery=digest disabled=none, delivery=plain disabled=none"},
		{"subscribe to digests", "subscribe digest", "anmelden sammelmail\ninscription texte\nsubscribe me nomail\n", "join delivery=digest, join delivery=plain, join delivery=nomail"},
		{"subscribe as usual", "subscribe mail", "subscribe digest plain\n", "join"},
		{"how to be a member, later in the mail", "", "subscribe\ninfo\nset plain\n", "join delivery=plain disabled=none, info"},
		{"what comes between", "", "subscribe\nunsubscribe\nset plain\n", "join, leave, delivery=plain disabled=none"},
		{"set what", "", "set\nset x\nset mail now\n", ""},
		{"suspend", "", "suspend 2026-12-01 2026-12-15", "suspend=2026-12-01..2026-12-15"},
		{"suspend, with words", "", "Suspend from 2026-12-01 to 2026-12-15.", "suspend=2026-12-01..2026-12-15"},
		{"suspend, as listctl writes it", "", "suspend 2026-12-01..2026-12-15", "suspend=2026-12-01..2026-12-15"},
		{"German days", "", "pausieren vom 1.12.2026 bis 15.12.2026", "suspend=2026-12-01..2026-12-15"},
		{"French days", "", "suspendre du 24/12/2026 au 31/12/2026", "suspend=2026-12-24..2026-12-31"},
		{"days that can be read in two ways", "", "suspend 02/12/2026 03/12/2026", ""},
		{"days in the wrong order", "", "suspend 2026-12-15 2026-12-01", "suspend: swapped"},
		{"days that are over", "", "suspend 2026-11-01 2026-11-20", "suspend: past"},
		{"until today", "", "suspend 2026-11-01 2026-11-21", "suspend=2026-11-01..2026-11-21"},
		{"one day", "", "suspend 2026-12-01", "suspend: one-day"},
		{"three days", "", "suspend 2026-12-01 2026-12-02 2026-12-03", ""},
		{"no such day", "", "suspend 2026-02-30 2026-12-02", "suspend: no-day"},
		{"no such day, in German", "", "pausieren 1.12.2026 31.11.2026", "suspend: no-day"},
		{"no day at all", "", "Suspend.", "suspend: one-day"},
		{"no days", "", "suspend everything now\nsuspend 2026 2027\n", ""},
		{"from one day to the same", "", "suspend 2026-12-01 2026-12-01", "suspend=2026-12-01..2026-12-01"},
		{"resume", "Reprendre", "", "resume"},
		{"orders of somebody", "", "add eve@m.test\nremove eve@m.test\nset eve@m.test nomail\nheld\n", "held"},
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

// What an owner may want done with others.
func TestOrders(t *testing.T) {
	t.Parallel()
	l := team()
	l.Settings.Owners = []lists.Address{address(t, "Ann@m.test")}
	many := ""
	for i := range 60 {
		many += fmt.Sprintf("remove m%d@m.test\n", i)
	}
	for _, tt := range []struct{ name, subject, text, want, rest string }{
		{"add", "add Eve@m.test", "", "add Eve@m.test", ""},
		{"with a name", "", "add eve@m.test Eve O'Neil\nADD Max Öz <max@m.test>.\nadd \"Lee, Kim\" <kim@m.test>\n", "add eve@m.test Eve O'Neil, add max@m.test Max Öz, add kim@m.test Lee, Kim", ""},
		{"in brackets, as a link", "", "please add <eve@m.test>,\nadd max@m.test<mailto:max@m.test>\nremove <mailto:x@m.test>\n", "add eve@m.test, add max@m.test", "remove <mailto:x@m.test>"},
		{"German", "", "bitte hinzufügen eve@m.test Eve\nentfernen max@m.test\nsetze kim@m.test sammelmail\n", "add eve@m.test Eve, remove max@m.test, digest kim@m.test", ""},
		{"French", "", "ajouter eve@m.test\nretirer max@m.test\nrégler kim@m.test courriel\n", "add eve@m.test, remove max@m.test, mail kim@m.test", ""},
		{"two addresses", "", "add eve@m.test max@m.test\nremove eve@m.test max@m.test\n", "", "add eve@m.test max@m.test\nremove eve@m.test max@m.test"},
		{"no address", "", "add Eve\nremove\nset eve@m.test\nset eve@m.test x\n", "", "add Eve\nremove\nset eve@m.test\nset eve@m.test x"},
		{"remove with more words", "", "remove eve@m.test now", "", "remove eve@m.test now"},
		{"his own options", "", "set digest\nset eve@m.test plain\n", "delivery=digest disabled=none, plain eve@m.test", ""},
		{"ended by a line that is none", "", "remove eve@m.test\nad max@m.test\nremove kim@m.test\n", "remove eve@m.test", "ad max@m.test"},
		{"the same twice", "", "remove eve@m.test\nremove eve@m.test\n", "remove eve@m.test", ""},
		{"held and who", "held", "wer\n", "held, who", ""},
		{"invited, and removed", "", "add eve@m.test\nremove Eve@M.test\n", "remove Eve@m.test", ""},
		{"removed, and invited", "", "remove eve@m.test\nremove max@m.test\nadd eve@m.test Eve\n", "remove max@m.test, add eve@m.test Eve", ""},
		{"set, and removed, and set", "", "set eve@m.test digest\nremove eve@m.test\nset eve@m.test plain\nset eve@m.test mail\n", "mail eve@m.test", ""},
		{"invited under two names", "", "add eve@m.test Eve\nadd eve@m.test Eva\n", "add eve@m.test Eva", ""},
		{"invited, and set", "", "add eve@m.test\nset eve@m.test digest\n", "add eve@m.test, digest eve@m.test", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, rest := enrol.ReadCommands(l, address(t, "ann@m.test"), tt.subject, tt.text, start)
			if s := strings.Join(got, ", "); s != tt.want || rest != tt.rest {
				t.Errorf("%q and %q, want %q and %q", s, rest, tt.want, tt.rest)
			}
		})
	}
	got, rest := enrol.ReadCommands(l, address(t, "ann@m.test"), "", many, start)
	if len(got) != 50 || rest != "" {
		t.Errorf("%d orders, and %q", len(got), rest)
	}
	if left := enrol.Undone(l, address(t, "ann@m.test"), "", many, start); len(left) != 1 || !strings.HasPrefix(left[0], "orders: remove m50@m.test, remove m51@m.test, ") {
		t.Errorf("%q", left)
	}
}

// What is not carried out is told, and that somebody wants to leave before all else.
func TestUndone(t *testing.T) {
	t.Parallel()
	l := team()
	l.Settings.Owners = []lists.Address{address(t, "ann@m.test")}
	const five = "help\ninfo\nwho\nheld\nset digest\n"
	for _, tt := range []struct{ name, text, want string }{
		{"all are done", five, ""},
		{"more than five", five + "Resume!\nplease unsubscribe Ann@m.test\n", "commands: resume, unsubscribe ann@m.test"},
		{"again what is done", five + "info\nunsubscribe\nunsubscribe\n", "commands: unsubscribe"},
		{"ended by a signature", five + "-- \nunsubscribe\n", ""},
		{"ended by a word", five + "end\nunsubscribe\n", ""},
		{"quoted", five + "> unsubscribe\n", ""},
		{"a greeting at the end", "help\nThanks, Ann\n", ""},
		{"behind a line that is none", "help\nThanks, Ann\nhelp\nunsubscribe\nremove eve@m.test\n", "unread: unsubscribe, remove eve@m.test"},
		{"too late", "a\nb\nc\nd\ne\nabmelden\n", "unread: abmelden"},
		{"a token, of which nothing is told", five + "confirm https://evil.test/\n", "commands: confirm"},
		{"more options than one has", "subscribe digest\nset mail\nset plain\nset nomail\nset digest\n", "commands: set nomail, set digest"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(enrol.Undone(l, address(t, "ann@m.test"), "", tt.text, start), "; "); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
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
	f.Add("add x@m.test", "remove Ann <ann@m.test>\nset ann@m.test<mailto:ann@m.test> plain\nadd \"<\"@x a@b")
	ann := lists.Address{Local: "ann", Domain: "m.test"}
	owned := team()
	owned.Settings.Owners = []lists.Address{ann}
	f.Fuzz(func(t *testing.T, subject, text string) {
		all, rest := enrol.ReadCommands(team(), ann, subject, text, start)
		if len(all) > 5 || len(all) > 0 && rest != "" || len(rest) > 5000 {
			t.Errorf("%d commands and %q", len(all), rest)
		}
		orders, rest := enrol.ReadCommands(owned, ann, subject, text, start)
		if len(orders) > 55 || len(orders) == 0 && len(all) > 0 || len(rest) > 5000 {
			t.Errorf("%d orders and %q, %d commands", len(orders), rest, len(all))
		}
		for _, o := range orders {
			words := strings.SplitN(o, " ", 3)
			if !slices.Contains([]string{"add", "remove", "mail", "digest", "plain", "nomail"}, words[0]) {
				continue
			}
			if strings.ContainsAny(words[1], "<>,;\r\n") && !strings.HasPrefix(words[1], `"`) || len(words) > 2 && (words[0] != "add" || strings.ContainsAny(words[2], "@\r\n")) {
				t.Errorf("%q", o)
			}
		}
		for _, c := range all {
			for _, option := range strings.Fields(c) {
				name, value, ok := strings.Cut(option, "=")
				if option == "join" {
					continue
				}
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
	good := extension(f, h.Take()[0].Value("Reply-To"))
	f.Add(good)
	f.Add("a" + good[1:])
	f.Add("")
	f.Add(strings.Repeat("\u212a", 31))
	f.Fuzz(func(t *testing.T, ext string) {
		err := h.desk.Known(h.List, ext)
		if want := slices.Contains([]string{good}, strings.ToLower(ext)); want != (err == nil) {
			t.Errorf("%q: %v", ext, err)
		}
		if err == nil && !enrol.Mine(ext) {
			t.Errorf("%q is good and not mine", ext)
		}
	})
}
