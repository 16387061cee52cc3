package lists_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"superlistd/lists"
)

var errLoop = errors.New("loop")

// settings sets what is given as KEY=VALUE, one a line; the rest is on its default.
func settings(t testing.TB, lines ...string) lists.Settings {
	t.Helper()
	s := lists.DefaultSettings()
	table := lists.SettingTable()
	for _, l := range lines {
		key, value, _ := strings.Cut(l, "=")
		i := slices.IndexFunc(table, func(s lists.Setting) bool { return s.Name == key })
		if i < 0 {
			t.Fatalf("%s: no such setting", key)
		}
		if err := table[i].Set(&s, value); err != nil {
			t.Fatalf("%s: %v", l, err)
		}
	}
	return s
}

func team(t testing.TB, lines ...string) lists.List {
	t.Helper()
	return lists.List{Address: mustParse(t, "team@lists.example.org"), Settings: settings(t, lines...)}
}

// fine is a proven post of a member, ann.
func fine(t testing.TB) lists.PostFacts {
	t.Helper()
	ann := mustParse(t, "ann@example.org")
	return lists.PostFacts{
		ReversePath: ann, Authors: []lists.Address{ann}, Proof: lists.Proven, Member: &lists.Member{Address: ann, Posts: 5},
		Size: 1000, Named: []lists.Address{mustParse(t, "team@lists.example.org")}, NamedCount: 1,
		Fields: func(name string) []string {
			if strings.EqualFold(name, "Subject") {
				return []string{"Lunch at the LOTTERY office"}
			}
			return nil
		},
		Content: []lists.PartFact{{Type: "text/plain"}},
	}
}

type judged struct {
	name  string
	list  []string
	facts func(*lists.PostFacts)
	want  error // nil: accepted
	as    lists.Action
}

func checkJudged(t *testing.T, cases []judged) {
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l, p := team(t, tt.list...), fine(t)
			if tt.facts != nil {
				tt.facts(&p)
			}
			v := l.Judge(p)
			as := tt.as
			if as == "" && tt.want == nil {
				as = lists.Accept
			} else if as == "" {
				as = lists.Refuse
			}
			if v.Action != as || !errors.Is(v.Reason, tt.want) {
				t.Errorf("%s because of %v; want %s because of %v", v.Action, v.Reason, as, tt.want)
			}
			checkVerdict(t, l, v)
		})
	}
}

// checkVerdict: whoever is not accepted has a reason, and whoever is told something is told it well.
func checkVerdict(t *testing.T, l lists.List, v lists.Verdict) {
	t.Helper()
	told := false
	switch v.Action {
	case lists.Accept:
		if v.Reason != nil {
			t.Errorf("accepted because of %v", v.Reason)
		}
	case lists.Refuse, lists.Hold:
		told = true
		fallthrough
	case lists.Discard:
		if v.Reason == nil {
			t.Errorf("%s without a reason", v.Action)
		}
	default:
		t.Errorf("action %q", v.Action)
	}
	if told != (v.Text != "") {
		t.Errorf("%s says %q", v.Action, v.Text)
	}
	if told && !strings.Contains(v.Text, "contact "+l.Owner().String()) && l.Owner().ASCII() && len(l.Owner().String()) < 90 {
		t.Errorf("%q names no contact", v.Text)
	}
	if told && v.Action == lists.Hold != strings.HasPrefix(v.Text, "Held for the moderators: ") {
		t.Errorf("%s says %q", v.Action, v.Text)
	}
	if len(v.Text) > 200 || strings.ContainsFunc(v.Text, func(r rune) bool { return r < ' ' || r > '~' }) {
		t.Errorf("%q cannot be a reply", v.Text)
	}
}

func address(text string) lists.Address {
	a, err := lists.ParseAddress(text)
	if err != nil {
		panic(err) // of a test's own table
	}
	return a
}

// stranger makes the post one of somebody who is no member.
func stranger(p *lists.PostFacts) {
	p.Authors, p.Member = []lists.Address{address("eve@far.example")}, nil
}

func proof(proof lists.Proof) func(*lists.PostFacts) {
	return func(p *lists.PostFacts) { p.Proof = proof }
}

// owner makes the post one of ann's, who is an owner and no member, with this proof.
func owner(proof lists.Proof) func(*lists.PostFacts) {
	return func(p *lists.PostFacts) { p.Member, p.Proof = nil, proof }
}

func part(parts ...lists.PartFact) func(*lists.PostFacts) {
	return func(p *lists.PostFacts) { p.Content = append(p.Content, parts...) }
}

func TestJudgePost(t *testing.T) {
	t.Parallel()
	command := func(p *lists.PostFacts) { p.Command = true }
	fields := func(p *lists.PostFacts) { p.Fields = nil }
	html := func(p *lists.PostFacts) { p.HasHTML = true }
	checkJudged(t, []judged{
		{name: "a member", want: nil},
		{name: "zero settings of a member by hand", want: nil, facts: proof(lists.Unproven)},
		{name: "nobody", list: []string{"post=nobody"}, want: lists.ErrClosed},
		{name: "null reverse-path", facts: func(p *lists.PostFacts) { p.NullSender = true }, want: lists.ErrAutomatic},
		{name: "null reverse-path to anyone", list: []string{"post=anyone"}, facts: func(p *lists.PostFacts) { p.NullSender = true }, want: lists.ErrAutomatic},
		{name: "automatic", facts: func(p *lists.PostFacts) { p.Automatic = true }, want: lists.ErrAutomatic},
		{name: "author banned", list: []string{"bans=@example.org"}, want: lists.ErrBanned},
		{name: "one of several authors banned", list: []string{"bans=ANN@example.org"}, facts: func(p *lists.PostFacts) {
			p.Authors = []lists.Address{address("x@y"), address("ann@example.org")}
		}, want: lists.ErrBanned},
		{name: "reverse-path banned", list: []string{"bans=/^bulk/"}, facts: func(p *lists.PostFacts) { p.ReversePath = address("bulk@far.example") }, want: lists.ErrBanned},
		{name: "member banned who writes by an alias", list: []string{"bans=ann@example.org"}, facts: func(p *lists.PostFacts) {
			p.Authors, p.ReversePath = []lists.Address{address("a@home.example")}, address("a@home.example")
		}, want: lists.ErrBanned},
		{name: "somebody else is banned", list: []string{"bans=bob@example.org"}, want: nil},
		{name: "ban of everybody does not match what has no address", list: []string{"bans=/./"}, facts: func(p *lists.PostFacts) {
			p.Authors, p.ReversePath, p.Member = nil, lists.Address{}, nil
		}, want: lists.ErrNoAuthor},
		{name: "no author", facts: func(p *lists.PostFacts) { p.Authors = nil }, want: lists.ErrNoAuthor},
		{name: "two authors", facts: func(p *lists.PostFacts) { p.Authors = append(p.Authors, p.Authors...) }, want: lists.ErrNoAuthor},
		{name: "emergency", list: []string{"emergency=on"}, want: lists.ErrEmergency, as: lists.Hold},
		{name: "emergency, an owner", list: []string{"emergency=on", "owners=ann@example.org"}, want: lists.ErrEmergency, as: lists.Hold},
		{name: "loop", facts: func(p *lists.PostFacts) { p.Loop = errLoop }, want: errLoop},
		{name: "size within", list: []string{"max_size=1000"}, want: nil},
		{name: "an octet too big", list: []string{"max_size=999"}, want: lists.ErrTooBig},
		{name: "author has one post left", list: []string{"posts_per_hour=3"}, facts: func(p *lists.PostFacts) { p.RecentByAuthor = 2 }, want: nil},
		{name: "author has none left", list: []string{"posts_per_hour=3"}, facts: func(p *lists.PostFacts) { p.RecentByAuthor = 3 }, want: lists.ErrTooOften},
		{name: "list has one post left", list: []string{"list_posts_per_hour=3"}, facts: func(p *lists.PostFacts) { p.RecentByList = 2 }, want: nil},
		{name: "list has none left", list: []string{"list_posts_per_hour=3"}, facts: func(p *lists.PostFacts) { p.RecentByList = 3 }, want: lists.ErrTooOften},
		{name: "names within", list: []string{"max_recipients=5"}, facts: func(p *lists.PostFacts) { p.NamedCount = 5 }, want: nil},
		{name: "a name too many", list: []string{"max_recipients=5"}, facts: func(p *lists.PostFacts) { p.NamedCount = 6 }, want: lists.ErrTooManyNamed},
		{name: "named", list: []string{"explicit_destination=on"}, facts: func(p *lists.PostFacts) { p.Named = []lists.Address{address("TEAM@lists.example.org")} }, want: nil},
		{name: "not named", list: []string{"explicit_destination=on"}, facts: func(p *lists.PostFacts) { p.Named = nil }, want: lists.ErrNotNamed},
		{name: "not named, and need not be", facts: func(p *lists.PostFacts) { p.Named = nil }, want: nil},
		{name: "rule refuses, any case", list: []string{"header_rules=SUBJECT: /lottery/ refuse"}, want: lists.ErrHeaderRule},
		{name: "rule holds", list: []string{"header_rules=Subject: /^Lunch/ hold"}, want: lists.ErrHeaderRule, as: lists.Hold},
		{name: "rule discards", list: []string{"header_rules=Subject: /office$/ discard"}, want: lists.ErrHeaderRule, as: lists.Discard},
		{name: "the first rule that matches wins", list: []string{"header_rules=Subject: /dinner/ refuse; Subject: /lunch/ hold; Subject: /./ discard"}, want: lists.ErrHeaderRule, as: lists.Hold},
		{name: "rule accepts, and nothing else is asked", list: []string{"header_rules=Subject: /lunch/ accept", "moderation=all"}, facts: stranger, want: nil},
		{name: "rule minds the case", list: []string{"header_rules=Subject: /(?-i)lottery/ refuse"}, want: nil},
		{name: "rule of a field that is not there", list: []string{"header_rules=X-Spam: /./ refuse"}, want: nil},
		{name: "header is not known", list: []string{"header_rules=Subject: /./ refuse"}, facts: fields, want: nil},
		{name: "command", facts: command, want: lists.ErrCommand},
		{name: "command is a post", list: []string{"catch_commands=off"}, facts: command, want: nil},
		{name: "HTML", facts: html, want: nil},
		{name: "HTML made text", list: []string{"html=text"}, facts: html, want: nil},
		{name: "HTML refused", list: []string{"html=refuse"}, facts: html, want: lists.ErrContent},
		{name: "no HTML to refuse", list: []string{"html=refuse"}, want: nil},
	})
}

func TestJudgeContent(t *testing.T) {
	t.Parallel()
	pdf := lists.PartFact{Type: "Application/PDF", Filename: "a.pdf", Disposition: "attachment"}
	exe := lists.PartFact{Type: "application/octet-stream", Filename: "Evil.EXE. ", Disposition: "inline"}
	picture := lists.PartFact{Type: "image/png", Filename: "b.png", Disposition: "inline"}
	signature := lists.PartFact{Type: "application/pgp-signature", Filename: "signature.asc", Disposition: "attachment"}
	patch := lists.PartFact{Type: "text/x-patch", Filename: "x.tar.gz"}
	checkJudged(t, []judged{
		{name: "attachment", facts: part(pdf), want: nil},
		{name: "attachment refused", list: []string{"attachments=refuse"}, facts: part(pdf), want: lists.ErrContent},
		{name: "attachment held", list: []string{"attachments=hold"}, facts: part(pdf), want: lists.ErrContent, as: lists.Hold},
		{name: "attachment removed", list: []string{"attachments=remove"}, facts: part(pdf), want: nil},
		{name: "inline file is an attachment", list: []string{"attachments=refuse"}, facts: part(exe), want: lists.ErrContent},
		{name: "inline picture is none", list: []string{"attachments=refuse"}, facts: part(picture), want: nil},
		{name: "signature is none", list: []string{"attachments=refuse"}, facts: part(signature), want: nil},
		{name: "named text is one", list: []string{"attachments=refuse"}, facts: part(patch), want: lists.ErrContent},
		{name: "type", list: []string{"mime_types=application/pdf=refuse"}, facts: part(pdf), want: lists.ErrContent},
		{name: "all types of a kind", list: []string{"mime_types=image/*=hold"}, facts: part(picture), want: lists.ErrContent, as: lists.Hold},
		{name: "the first type that matches wins", list: []string{"mime_types=image/png=accept, image/*=hold"}, facts: part(picture), want: nil},
		{name: "a longer type is another one", list: []string{"mime_types=image/pn=hold"}, facts: part(picture), want: nil},
		{name: "type before attachments", list: []string{"attachments=refuse", "mime_types=application/pdf=accept"}, facts: part(pdf), want: nil},
		{name: "extension in any case, with what Windows ignores", list: []string{"extensions=.exe=refuse"}, facts: part(exe), want: lists.ErrContent},
		{name: "extension before attachments", list: []string{"attachments=refuse", "extensions=pdf=accept"}, facts: part(pdf), want: nil},
		{name: "extension of two words", list: []string{"extensions=tar.gz=hold"}, facts: part(patch), want: lists.ErrContent, as: lists.Hold},
		{name: "extension is no end of a word", list: []string{"extensions=xe=refuse"}, facts: part(exe), want: nil},
		{name: "the stricter of type and extension", list: []string{"mime_types=application/*=accept", "extensions=exe=refuse"}, facts: part(exe), want: lists.ErrContent},
		{name: "and the other way round", list: []string{"mime_types=application/*=hold", "extensions=exe=remove"}, facts: part(exe), want: lists.ErrContent, as: lists.Hold},
		{name: "refused part behind a held one", list: []string{"mime_types=image/*=hold, application/pdf=refuse"}, facts: part(picture, pdf), want: lists.ErrContent},
		{name: "removal does not save from the author's verdict", list: []string{"attachments=remove"}, facts: func(p *lists.PostFacts) { part(pdf)(p); stranger(p) }, want: lists.ErrNotMember},
	})
}

func TestJudgeRemoves(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		list []string
		want []int
	}{
		{"nothing", nil, nil},
		{"attachments", []string{"attachments=remove"}, []int{1, 3}},
		{"by type", []string{"mime_types=image/*=remove"}, []int{2}},
		{"of a post that is held for its content", []string{"mime_types=image/*=remove", "extensions=zip=hold"}, []int{2}},
		{"of a post that is held for its author", []string{"mime_types=image/*=remove", "moderation=all"}, []int{2}},
		{"nothing of a post that is refused", []string{"mime_types=image/*=remove", "extensions=zip=refuse"}, nil},
		{"nothing of a post in an emergency: who approves it looks at it", []string{"attachments=remove", "emergency=on"}, nil},
	} {
		l, p := team(t, tt.list...), fine(t)
		p.Content = []lists.PartFact{
			{Type: "text/plain"},
			{Type: "application/pdf", Filename: "a.pdf"},
			{Type: "image/png", Disposition: "inline"},
			{Type: "application/zip", Filename: "ä\r\n250 ok.zip", Disposition: "attachment"},
		}
		v := l.Judge(p)
		if len(v.Remove) != len(tt.want) || len(tt.want) > 0 && (v.Remove[0] != tt.want[0] || v.Remove[len(tt.want)-1] != tt.want[len(tt.want)-1]) {
			t.Errorf("%s: %v, want %v", tt.name, v.Remove, tt.want)
		}
		checkVerdict(t, l, v)
	}
}

func TestJudgeEarly(t *testing.T) {
	t.Parallel()
	eve := address("eve@spam.example")
	for _, tt := range []struct {
		name  string
		list  []string
		facts lists.EarlyFacts
		want  error
	}{
		{"nothing known", []string{"max_size=1kB", "bans=/./"}, lists.EarlyFacts{}, nil},
		{"size within the limit", []string{"max_size=1kB"}, lists.EarlyFacts{Size: 1000}, nil},
		{"size over the limit", []string{"max_size=1kB"}, lists.EarlyFacts{Size: 1001}, lists.ErrTooBig},
		{"no limit", nil, lists.EarlyFacts{Size: 1 << 40}, nil},
		{"banned", []string{"bans=@spam.example"}, lists.EarlyFacts{ReversePath: eve}, lists.ErrBanned},
		{"not banned", []string{"bans=@ham.example"}, lists.EarlyFacts{ReversePath: eve}, nil},
		{"nobody", []string{"post=nobody"}, lists.EarlyFacts{}, lists.ErrClosed},
		{"emergency holds later", []string{"emergency=on"}, lists.EarlyFacts{ReversePath: eve, Size: 10}, nil},
		{"closed before banned", []string{"post=nobody", "bans=@spam.example"}, lists.EarlyFacts{ReversePath: eve}, lists.ErrClosed},
		{"banned before too big", []string{"max_size=1kB", "bans=@spam.example"}, lists.EarlyFacts{ReversePath: eve, Size: 1001}, lists.ErrBanned},
	} {
		l := team(t, tt.list...)
		v := l.JudgeEarly(tt.facts)
		if !errors.Is(v.Reason, tt.want) || v.Action != lists.Accept && v.Action != lists.Refuse {
			t.Errorf("%s: %s because of %v, want %v", tt.name, v.Action, v.Reason, tt.want)
		}
		checkVerdict(t, l, v)
	}
}
