package enrol_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"superlistd/enrol"
	"superlistd/internal/housetest"
	"superlistd/lists"
	"superlistd/templates"
)

// taught are the rows of docs/members.md that tell the commands: in English, French and German.
func taught(t *testing.T) (rows []map[string]string) {
	t.Helper()
	page, err := os.ReadFile("../docs/members.md")
	must(t, err)
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| `([^`]+)` \\| `([^`]+)` \\|").FindAllStringSubmatch(string(page), -1) {
		row := map[string]string{}
		for i, lang := range []string{"en", "fr", "de"} {
			row[lang] = strings.TrimSuffix(m[i+1], " …")
		}
		rows = append(rows, row)
	}
	if len(rows) < 12 {
		t.Fatalf("%d rows", len(rows))
	}
	return rows
}

// The letters of a language teach its own words, those of docs/members.md, and they do what the English ones do.
func TestTaughtCommands(t *testing.T) {
	t.Parallel()
	const days = " 2026-12-24 2027-01-06"
	texts, owned := housetest.Texts(t), team()
	owned.Settings.Owners = []lists.Address{address(t, "ann@m.test")}
	read := func(line string) string {
		line = strings.TrimSuffix(line, days)
		switch line {
		case "suspend", "suspendre", "pausieren":
			line += days
		case "confirm", "confirmer", "bestätigen":
			line += " abc"
		}
		all, _ := enrol.ReadCommands(owned, owned.Settings.Owners[0], "", line+"\n", start)
		return strings.Join(all, ", ")
	}
	body := func(lang string, name templates.Name, f templates.Facts) string {
		text, err := texts.Text(name, lang, owned.Address, f)
		must(t, err)
		return text.Body
	}
	facts := templates.Facts{Member: "ann@m.test", Answer: "team-confirm+c1@lists.test", Token: "abc", Delivery: "mail", Owns: true}
	known := map[string][]string{}
	for _, row := range taught(t) {
		for lang, words := range row {
			known[lang] = append(known[lang], words)
			if want := read(row["en"]); want == "" || read(words) != want {
				t.Errorf("%s: %q is %q, want %q", lang, words, read(words), want)
			}
			if strings.HasPrefix(read(words), "confirm ") {
				for _, name := range []templates.Name{templates.ConfirmSubscribe, templates.ConfirmUnsubscribe, templates.ConfirmChange, templates.ConfirmOrders, templates.Invitation} {
					if text := body(lang, name, facts); !strings.Contains(text, "\n  "+words+" abc\n") {
						t.Errorf("%s: no %q in\n%s", lang, words, text)
					}
				}
			} else if text := body(lang, templates.Help, facts); !strings.Contains(text, "\n  "+words+" ") {
				t.Errorf("%s: no %q in\n%s", lang, words, text)
			}
		}
	}
	quoted := regexp.MustCompile(`"([^"]+)"|« ([^»]+) »|»([^«]+)«`)
	for lang := range known {
		for _, name := range []templates.Name{templates.Changed, templates.Digest, templates.Already, templates.Welcome, templates.Orders} {
			all := quoted.FindAllStringSubmatch(body(lang, name, facts), -1)
			if len(all) == 0 {
				t.Errorf("%s/%s names no command", lang, name)
			}
			for _, m := range all {
				if words := strings.Join(m[1:], ""); !slices.Contains(known[lang], words) {
					t.Errorf("%s/%s names %q", lang, name, words)
				}
			}
		}
		for line := range strings.SplitSeq(body(lang, templates.Help, facts), "\n") {
			if words, ok := strings.CutPrefix(line, "  "); ok && read(strings.Split(words, "  ")[0]) == "" {
				t.Errorf("%s: %q is not understood", lang, line)
			}
		}
	}
}

// Who is asked whether he wants to join is told how he would get the posts, and told again when he has.
func TestJoiningToldHow(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ how, asked, welcomed string }{
		{"", "", ""},
		{" digest", "The posts would come to you in digests, with all that is attached to them.", "The posts come to you in digests, with all that is attached to them."},
		{" plain", "The posts would come to you in digests, as one plain text each:", "The posts come to you in digests, as one plain text each:"},
		{" nomail", "You would be a member, and get no posts.", "You get no posts, as you asked."},
	} {
		t.Run("subscribe"+tt.how, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			must(t, h.ask(lists.ServiceRequest, "ann@m.test", lists.Unproven, "Subject: subscribe"+tt.how))
			asked := h.wantSent("ann@m.test" + confirmJoin)[0]
			must(t, h.answer(asked, "ann@m.test", ""))
			welcomed := h.wantSent("ann@m.test" + welcome)[0]
			for text, want := range map[string]string{asked.Body(t): tt.asked, welcomed.Body(t): tt.welcomed} {
				if !strings.Contains(text, want) || want == "" && (strings.Contains(text, "digest") || strings.Contains(text, "no posts")) {
					t.Errorf("want %q in\n%s", want, text)
				}
			}
		})
	}
}
