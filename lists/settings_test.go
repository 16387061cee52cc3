package lists_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"superlistd/lists"
)

func TestSettingTable(t *testing.T) {
	t.Parallel()
	// Settings are known to scripts by these names: removing one breaks them.
	want := []string{
		"description", "owners", "moderators", "language",
		"subscribe", "unsubscribe", "welcome", "goodbye", "owners_notice",
		"post", "nonmember", "identity", "allow", "bans", "reply_ok", "posts_per_hour", "list_posts_per_hour",
		"moderation", "emergency", "notice_every", "hold_days",
		"max_size", "max_recipients", "explicit_destination", "header_rules", "catch_commands", "attachments", "mime_types", "extensions", "html",
		"subject_prefix", "reply_to", "from", "from_domains", "anonymous", "header", "footer", "keep_dkim", "nodups", "archive_url",
		"copies", "verp", "digest_size", "digest_count", "digest_hours",
		"bounce_limit", "bounce_storm",
	}
	var got []string
	for _, s := range lists.SettingTable() {
		got = append(got, s.Name)
		if s.Type == "" || s.Help == "" {
			t.Errorf("%s is not described", s.Name)
		}
		// The example is something else than the default, and changes one field only.
		v := lists.DefaultSettings()
		if err := s.Set(&v, s.Example); err != nil || s.Get(v) == s.Default || s.Get(v) != s.Example {
			t.Errorf("%s: setting the example %q gives %q, %v", s.Name, s.Example, s.Get(v), err)
		}
		if n := differences(v, lists.DefaultSettings()); n != 1 {
			t.Errorf("%s changes %d fields", s.Name, n)
		}
		// A default can be set, and is what a new list has.
		if err := s.Set(&v, s.Default); err != nil || !reflect.DeepEqual(v, lists.DefaultSettings()) {
			t.Errorf("%s: setting the default %q gives %q, %v", s.Name, s.Default, s.Get(v), err)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("settings %q, want %q", got, want)
	}
	if n := reflect.TypeFor[lists.Settings]().NumField(); n != len(got) {
		t.Errorf("Settings has %d fields, the table %d settings", n, len(got))
	}
}

// differences counts the fields in which two settings differ.
func differences(a, b lists.Settings) (n int) {
	for i := range reflect.TypeFor[lists.Settings]().NumField() {
		if !reflect.DeepEqual(reflect.ValueOf(a).Field(i).Interface(), reflect.ValueOf(b).Field(i).Interface()) {
			n++
		}
	}
	return n
}

func TestZeroSettings(t *testing.T) {
	t.Parallel()
	if s, err := (lists.Settings{}).Checked(); err != nil || !reflect.DeepEqual(s, lists.DefaultSettings()) {
		t.Errorf("%+v, %v; want the default settings", s, err)
	}
	// Made by hand, "" is the default choice, and a switch is as it is.
	s, err := lists.Settings{MaxSize: 5}.Checked()
	if err != nil || s.Post != lists.PostMembers || s.Nonmember != lists.Refuse || s.From != lists.FromDMARC || s.KeepDKIM || s.HoldDays != 0 || s.DigestHours != 24 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestLookupSetting(t *testing.T) {
	t.Parallel()
	if s, err := lists.LookupSetting("post"); err != nil || s.Name != "post" {
		t.Errorf("post: %v, %v", s.Name, err)
	}
	for _, name := range []string{"", "Post", "posts"} {
		_, err := lists.LookupSetting(name)
		if !errors.Is(err, lists.ErrUnknownSetting) || !strings.Contains(err.Error(), "max_size") {
			t.Errorf("%q: got %v, want ErrUnknownSetting with the names of all", name, err)
		}
	}
}

func TestSetSettings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, setting, in, want string
		bad                     bool
	}{
		{name: "text", setting: "description", in: " Grüße, \"alle\" ", want: "Grüße, \"alle\""},
		{name: "text of 200 characters", setting: "description", in: strings.Repeat("ü", 200), want: strings.Repeat("ü", 200)},
		{name: "text of 201 characters", setting: "description", in: strings.Repeat("ü", 201), bad: true},
		{name: "two lines", setting: "description", in: "a\r\nBcc: b", bad: true},
		{name: "line separator", setting: "description", in: "a\u2028b", bad: true},
		{name: "not UTF-8", setting: "description", in: "a\xff", bad: true},
		{name: "no text", setting: "description", in: "", want: ""},
		{name: "policy", setting: "post", in: "nobody", want: "nobody"},
		{name: "policy in another case", setting: "post", in: "Nobody", bad: true},
		{name: "no policy", setting: "post", in: "", bad: true},
		{name: "subscribe", setting: "subscribe", in: "confirm+approve", want: "confirm+approve"},
		{name: "subscribe the other way round", setting: "subscribe", in: "approve+confirm", bad: true},
		{name: "unsubscribe is never closed", setting: "unsubscribe", in: "closed", bad: true},
		{name: "size", setting: "max_size", in: "10MB", want: "10MB"},
		{name: "size in another unit", setting: "max_size", in: "2000kB", want: "2MB"},
		{name: "no limit", setting: "max_size", in: "none", want: "none"},
		{name: "0 is no limit", setting: "max_size", in: "0", want: "none"},
		{name: "not a size", setting: "max_size", in: "5 parsecs", bad: true},
		{name: "number", setting: "max_recipients", in: "12", want: "12"},
		{name: "no number", setting: "max_recipients", in: "none", want: "none"},
		{name: "number 0", setting: "max_recipients", in: "0", want: "none"},
		{name: "below 0", setting: "max_recipients", in: "-1", bad: true},
		{name: "not a number", setting: "max_recipients", in: "many", bad: true},
		{name: "too large", setting: "max_recipients", in: "4294967296", bad: true},
		{name: "yes", setting: "emergency", in: "yes", want: "on"},
		{name: "false", setting: "nodups", in: "false", want: "off"},
		{name: "maybe", setting: "nodups", in: "maybe", bad: true},
		{name: "newcomers", setting: "moderation", in: "newcomers(3)", want: "newcomers(3)"},
		{name: "newcomers without a number", setting: "moderation", in: "newcomers", bad: true},
		{name: "no newcomers", setting: "moderation", in: "newcomers(0)", bad: true},
		{name: "newcomers without an end", setting: "moderation", in: "newcomers(3", bad: true},
		{name: "too many newcomers", setting: "moderation", in: "newcomers(1001)", bad: true},
		{name: "all", setting: "moderation", in: "all", want: "all"},
		{name: "hours", setting: "notice_every", in: "120m", want: "2h"},
		{name: "days", setting: "notice_every", in: "7d", want: "7d"},
		{name: "0", setting: "notice_every", in: "0", want: "none"},
		{name: "0 with a unit", setting: "notice_every", in: "0m", want: "none"},
		{name: "too long", setting: "notice_every", in: "8d", bad: true},
		{name: "no unit", setting: "notice_every", in: "15", bad: true},
		{name: "below 0", setting: "notice_every", in: "-1h", bad: true},
		{name: "for ever", setting: "hold_days", in: "forever", want: "forever"},
		{name: "days", setting: "hold_days", in: "3651", bad: true},
		{name: "action", setting: "nonmember", in: "remove", bad: true},
		{name: "identity", setting: "identity", in: "claimed", want: "claimed"},
		{name: "all kinds", setting: "bans", in: ` Ann@Example.org, @spam.Example ,@.bücher.example,/^x{1,3}\/,"@y$/ , "/a"@x, "a,b"@x`,
			want: `Ann@example.org, @spam.example, @.xn--bcher-kva.example, /^x{1,3}\/,"@y$/, "/a"@x, "a,b"@x`},
		{name: "one a line", setting: "bans", in: "a@x\n@y,\n\n/z/\n", want: "a@x, @y, /z/"},
		{name: "twice", setting: "bans", in: "a@x, A@X, @y, @Y, /z/, /z/, /Z/", want: "a@x, @y, /z/, /Z/"},
		{name: "none", setting: "bans", in: "none", want: "none"},
		{name: "bad expression", setting: "bans", in: "a@x, /(/", bad: true},
		{name: "expression of Perl", setting: "bans", in: "/(?=a)/", bad: true},
		{name: "expression without an end", setting: "bans", in: "/a, b@x", bad: true},
		{name: "something behind an expression", setting: "bans", in: "/a/b/", bad: true},
		{name: "empty expression", setting: "bans", in: "//", bad: true},
		{name: "long expression", setting: "bans", in: "/" + strings.Repeat("a", 251) + "/", bad: true},
		{name: "costly expression", setting: "bans", in: "/((a{30}){30}){2}/", bad: true},
		{name: "costly classes", setting: "bans", in: `/\pL{200}/`, bad: true},
		{name: "bad domain", setting: "bans", in: "@a..b", bad: true},
		{name: "no domain", setting: "bans", in: "@", bad: true},
		{name: "a word", setting: "bans", in: "eve", bad: true},
		{name: "too many", setting: "bans", in: many(1001, "a%d@x"), bad: true},
		{name: "too many expressions", setting: "bans", in: many(101, "/a%d/"), bad: true},
		{name: "many", setting: "bans", in: many(1000, "a%d@x"), want: many(1000, "a%d@x")},
		{name: "rules", setting: "header_rules", in: " X-Spam : /a;b/ hold;\nSubject:/c\\/d/refuse; ; From: /e/ accept", want: `X-Spam: /a;b/ hold; Subject: /c\/d/ refuse; From: /e/ accept`},
		{name: "no rules", setting: "header_rules", in: "none", want: "none"},
		{name: "empty", setting: "header_rules", in: "", want: "none"},
		{name: "rule without an action", setting: "header_rules", in: "Subject: /a/", bad: true},
		{name: "rule with the action of parts", setting: "header_rules", in: "Subject: /a/ remove", bad: true},
		{name: "rule without slashes", setting: "header_rules", in: "Subject: a refuse", bad: true},
		{name: "rule without a field", setting: "header_rules", in: ": /a/ refuse", bad: true},
		{name: "rule with a field that cannot be", setting: "header_rules", in: "Sub ject: /a/ refuse", bad: true},
		{name: "rule with a bad expression", setting: "header_rules", in: "Subject: /[/ refuse", bad: true},
		{name: "too many rules", setting: "header_rules", in: strings.Repeat("A: /a/ hold;", 101), bad: true},
		{name: "types", setting: "mime_types", in: "Text/HTML = remove,image/*=hold", want: "text/html=remove, image/*=hold"},
		{name: "type without an action", setting: "mime_types", in: "text/html", bad: true},
		{name: "type discarded", setting: "mime_types", in: "text/html=discard", bad: true},
		{name: "type without a sort", setting: "mime_types", in: "text=hold", bad: true},
		{name: "every type", setting: "mime_types", in: "*/*=hold", bad: true},
		{name: "type twice", setting: "mime_types", in: "text/html=hold, Text/html=remove", bad: true},
		{name: "extensions", setting: "extensions", in: ".EXE=refuse, tar.gz=hold", want: "exe=refuse, tar.gz=hold"},
		{name: "no extension", setting: "extensions", in: ".=refuse", bad: true},
		{name: "path", setting: "extensions", in: "a/b=refuse", bad: true},
		{name: "text with line ends", setting: "footer", in: `-- \nTeam`, want: `-- \nTeam`},
		{name: "text of two lines", setting: "footer", in: "-- \r\nTeam\n\n", want: `-- \nTeam`},
		{name: "text with a backslash", setting: "footer", in: `a\\b`, want: `a\\b`},
		{name: "text with a tab", setting: "footer", in: "a\tb", want: "a\tb"},
		{name: "no text", setting: "footer", in: "", want: ""},
		{name: "lone backslash", setting: "footer", in: `C:\temp`, bad: true},
		{name: "carriage return", setting: "footer", in: "a\rb", bad: true},
		{name: "control character", setting: "header", in: "a\x1b[2J", bad: true},
		{name: "long line", setting: "header", in: strings.Repeat("a", 901), bad: true},
		{name: "long text", setting: "header", in: strings.Repeat("a\\n", 2001), bad: true},
		{name: "prefix", setting: "subject_prefix", in: " [team %d] ", want: "[team %d]"},
		{name: "long prefix", setting: "subject_prefix", in: strings.Repeat("ü", 61), bad: true},
		{name: "address", setting: "reply_to", in: "Ann@EXAMPLE.org", want: "Ann@example.org"},
		{name: "no address", setting: "reply_to", in: "nobody", bad: true},
		{name: "wrap", setting: "from", in: "wrap", want: "wrap"},
		{name: "domains", setting: "from_domains", in: "GMail.com, yahoo.*,.bücher.example, gmail.com", want: "gmail.com, yahoo.*, .xn--bcher-kva.example"},
		{name: "star alone", setting: "from_domains", in: "*", bad: true},
		{name: "star in front", setting: "from_domains", in: "*.example", bad: true},
		{name: "star behind a dot", setting: "from_domains", in: ".yahoo.*", bad: true},
		{name: "web address", setting: "archive_url", in: "http://x/y?a=1", want: "http://x/y?a=1"},
		{name: "no web address", setting: "archive_url", in: "none", want: "none"},
		{name: "script", setting: "archive_url", in: "javascript:alert(1)", bad: true},
		{name: "path", setting: "archive_url", in: "https:///x", bad: true},
		{name: "line end", setting: "archive_url", in: "https://x/\r\nBcc: y", bad: true},
		{name: "end of a tag", setting: "archive_url", in: "https://x/>", bad: true},
		{name: "password", setting: "archive_url", in: "https://a:b@x/", bad: true},
		{name: "every 1", setting: "verp", in: "every 1", want: "always"},
		{name: "every 10", setting: "verp", in: "every 10", want: "every 10"},
		{name: "every", setting: "verp", in: "every", bad: true},
		{name: "every 0", setting: "verp", in: "every 0", bad: true},
		{name: "every 1001", setting: "verp", in: "every 1001", bad: true},
		{name: "never", setting: "verp", in: "never", want: "never"},
		{name: "personal", setting: "copies", in: "personal", want: "personal"},
		{name: "off", setting: "owners_notice", in: "off", want: "off"},
		{name: "yes", setting: "owners_notice", in: "yes", bad: true},
		{name: "none", setting: "digest_size", in: "none", want: "none"},
		{name: "1001", setting: "digest_count", in: "1001", bad: true},
		{name: "language", setting: "language", in: "tlh", bad: true},
		{name: "owners", setting: "owners", in: "Ann@example.org,bob@EXAMPLE.org", want: "Ann@example.org, bob@example.org"},
		{name: "owner twice", setting: "owners", in: "ann@example.org, Ann@example.org", want: "ann@example.org"},
		{name: "comma in quotes", setting: "owners", in: `"a,\"b"@example.org, c@example.org`, want: `"a,\"b"@example.org, c@example.org`},
		{name: "no owners", setting: "owners", in: "none", want: "none"},
		{name: "empty", setting: "owners", in: "", want: "none"},
		{name: "one owner is no address", setting: "owners", in: "ann@example.org, bob", bad: true},
		{name: "comma at the end", setting: "owners", in: "ann@example.org,", bad: true},
	} {
		t.Run(tt.setting+" "+tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := lists.LookupSetting(tt.setting)
			if err != nil {
				t.Fatal(err)
			}
			before := settings(t, "description=before", "post=anyone", "max_size=7", "max_recipients=7", "owners=x@y", "bans=/x/", "footer=x")
			v := before.Clone()
			err = s.Set(&v, tt.in)
			switch {
			case tt.bad && (!errors.Is(err, lists.ErrSetting) || !reflect.DeepEqual(v, before)):
				t.Errorf("Set(%q) = %v, settings %+v; want ErrSetting and no change", tt.in, err, v)
			case !tt.bad && (err != nil || s.Get(v) != tt.want):
				t.Errorf("Set(%q): got %q, %v; want %q", tt.in, s.Get(v), err, tt.want)
			}
			if checked, err := v.Checked(); err != nil || !reflect.DeepEqual(checked, v) {
				t.Errorf("what Set made is not accepted by Checked: %+v, %v", checked, err)
			}
		})
	}
}

func many(n int, form string) string {
	words := make([]string, n)
	for i := range words {
		words[i] = fmt.Sprintf(form, i)
	}
	return strings.Join(words, ", ")
}

// What was made by hand and cannot be is refused, with the name of the setting.
func TestCheckedSettings(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*lists.Settings){
		"post":           func(s *lists.Settings) { s.Post = "x" },
		"description":    func(s *lists.Settings) { s.Description = "a\r\nb" },
		"max_size":       func(s *lists.Settings) { s.MaxSize = -1 },
		"max_recipients": func(s *lists.Settings) { s.MaxRecipients = -1 },
		"hold_days":      func(s *lists.Settings) { s.HoldDays = -1 },
		"notice_every":   func(s *lists.Settings) { s.NoticeEvery = time.Millisecond },
		"moderation":     func(s *lists.Settings) { s.Moderation.Newcomers = -1 },
		"owners":         func(s *lists.Settings) { s.Owners = []lists.Address{{Local: "a\n", Domain: "b"}} },
		"bans":           func(s *lists.Settings) { s.Bans = []lists.Pattern{{}} },
		"allow":          func(s *lists.Settings) { s.Allow = make([]lists.Pattern, 1001) },
		"header_rules":   func(s *lists.Settings) { s.HeaderRules = []lists.HeaderRule{{Field: "A", Action: lists.Hold}} },
		"mime_types":     func(s *lists.Settings) { s.MimeTypes = []lists.TypeRule{{Type: "a", Action: lists.Hold}} },
		"extensions":     func(s *lists.Settings) { s.Extensions = []lists.TypeRule{{Type: "a", Action: lists.Discard}} },
		"from_domains":   func(s *lists.Settings) { s.FromDomains = []string{"a b"} },
		"footer":         func(s *lists.Settings) { s.Footer = "\x00" },
		"reply_to":       func(s *lists.Settings) { s.ReplyTo = "a\r\n@b" },
		"archive_url":    func(s *lists.Settings) { s.ArchiveURL = "x" },
		"html":           func(s *lists.Settings) { s.HTML = "x" },
		"language":       func(s *lists.Settings) { s.Language = "x" },
		"subject_prefix": func(s *lists.Settings) { s.SubjectPrefix = "a\nb" },
		"posts_per_hour": func(s *lists.Settings) { s.PostsPerHour = -1 },
		"attachments":    func(s *lists.Settings) { s.Attachments = lists.Discard },
		"identity":       func(s *lists.Settings) { s.Identity = "x" },
		"nonmember":      func(s *lists.Settings) { s.Nonmember = lists.Remove },
		"from":           func(s *lists.Settings) { s.From = "x" },
		"copies":         func(s *lists.Settings) { s.Copies = "x" },
		"verp":           func(s *lists.Settings) { s.Verp = -2 },
		"owners_notice":  func(s *lists.Settings) { s.OwnersNotice = "x" },
		"digest_size":    func(s *lists.Settings) { s.DigestSize = -1 },
		"digest_count":   func(s *lists.Settings) { s.DigestCount = 1001 },
		"digest_hours":   func(s *lists.Settings) { s.DigestHours = -1 },
	} {
		s := lists.DefaultSettings()
		spoil(&s)
		if _, err := s.Checked(); !errors.Is(err, lists.ErrSetting) || !strings.HasPrefix(err.Error(), name+": ") {
			t.Errorf("%s: got %v, want ErrSetting", name, err)
		}
	}
}

func TestRewritesFrom(t *testing.T) {
	t.Parallel()
	s := settings(t, "from_domains=gmail.com, yahoo.*, .example.org")
	for domain, want := range map[string]bool{
		"gmail.com": true, "GMAIL.com": true, "mail.gmail.com": false, "gmail.co": false,
		"yahoo.fr": true, "yahoo.co.uk": true, "yahoo.a.b.c": false, "yahoo": false, "yahoo.": false, "myyahoo.fr": false,
		"example.org": true, "a.b.example.org": true, "anexample.org": false, "": false,
	} {
		if got := s.RewritesFrom(domain); got != want {
			t.Errorf("%q: %v, want %v", domain, got, want)
		}
	}
}

// The law: what Set takes, Get writes in one line, Set takes again, and Checked keeps.
func FuzzSettings(f *testing.F) {
	table := lists.SettingTable()
	for i, s := range table {
		f.Add(uint8(i), s.Example)
		f.Add(uint8(i), s.Default)
	}
	for _, v := range []string{`a@x,"b,c"@y`, `/a\/,"/,"/x"@y`, "A: /a;/ hold;;B: /b/ accept", `\n\\n`, "@.x\n@y,", "exe=remove,", "\n,"} {
		for i := range table {
			f.Add(uint8(i), v)
		}
	}
	f.Fuzz(func(t *testing.T, n uint8, in string) {
		setting := table[int(n)%len(table)]
		s := lists.DefaultSettings()
		if err := setting.Set(&s, in); err != nil {
			if !errors.Is(err, lists.ErrSetting) || !reflect.DeepEqual(s, lists.DefaultSettings()) {
				t.Fatalf("%s = %q: %v", setting.Name, in, err)
			}
			return
		}
		text := setting.Get(s)
		again := lists.DefaultSettings()
		if err := setting.Set(&again, text); err != nil || !reflect.DeepEqual(s, again) || strings.ContainsAny(text, "\r\n") {
			t.Fatalf("%s = %q is written %q, and is then %q, %v", setting.Name, in, text, setting.Get(again), err)
		}
		if checked, err := s.Checked(); err != nil || !reflect.DeepEqual(checked, s) {
			t.Fatalf("%s = %q: Checked makes %q of %q, %v", setting.Name, in, setting.Get(checked), text, err)
		}
	})
}

func TestSettingsClone(t *testing.T) {
	t.Parallel()
	var all []string
	for _, s := range lists.SettingTable() {
		all = append(all, s.Name+"="+s.Example)
	}
	a, want := settings(t, all...), settings(t, all...)
	// Whatever is a slice is spoilt in the clone.
	clone := a.Clone()
	for i := range reflect.TypeFor[lists.Settings]().NumField() {
		if f := reflect.ValueOf(&clone).Elem().Field(i); f.Kind() == reflect.Slice {
			f.Index(0).SetZero()
		}
	}
	if !reflect.DeepEqual(a, want) {
		t.Error("the clone shares something")
	}
}
