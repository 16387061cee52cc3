package lists_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"superlistd/lists"
)

// randomList has about half of its settings on something else than the default.
func randomList(t testing.TB, rnd *rand.Rand) lists.List {
	pick := func(words ...string) string { return words[rnd.IntN(len(words))] }
	var lines []string
	maybe := func(key string, words ...string) {
		if rnd.IntN(2) == 0 {
			lines = append(lines, key+"="+pick(words...))
		}
	}
	maybe("owners", "ann@example.org", "bob@example.org, eve@far.example")
	maybe("moderators", "cat@example.org", "ann@example.org")
	maybe("post", "members", "members", "anyone", "owners", "moderators", "nobody")
	maybe("nonmember", "refuse", "hold", "discard", "accept")
	maybe("identity", "claimed", "proven", "unless-contradicted")
	maybe("allow", "@far.example", "/^eve@/")
	if rnd.IntN(4) == 0 {
		maybe("bans", "@far.example", "ann@example.org", "/^b/")
		maybe("emergency", "on")
		maybe("header_rules", "Subject: /lunch/ accept", "Subject: /dinner/ hold; Subject: /x/ discard")
		maybe("explicit_destination", "on")
	}
	maybe("reply_ok", "on")
	maybe("moderation", "off", "all", "newcomers(3)")
	maybe("max_size", "1kB", "10MB")
	maybe("max_recipients", "2", "10")
	maybe("posts_per_hour", "1", "10")
	maybe("list_posts_per_hour", "5")
	maybe("catch_commands", "off")
	maybe("attachments", "refuse", "hold", "remove", "remove")
	maybe("mime_types", "image/*=remove", "application/pdf=hold, text/html=accept")
	maybe("extensions", "exe=refuse", "pdf=remove")
	maybe("html", "refuse", "text")
	return team(t, lines...)
}

// randomFacts are mostly of a post that nothing but its author speaks against. text is what a stranger may write.
func randomFacts(rnd *rand.Rand, text string) lists.PostFacts {
	rare := func() bool { return rnd.IntN(20) == 0 }
	people := []lists.Address{address("ann@example.org"), address("bob@example.org"), address("cat@example.org"), address("eve@far.example")}
	author := people[rnd.IntN(len(people))]
	p := lists.PostFacts{
		NullSender: rare(), ReversePath: author, Authors: []lists.Address{author}, Proof: lists.Proof(rnd.IntN(3)),
		InThread: rnd.IntN(4) == 0, Automatic: rare(), Command: rare(), HasHTML: rnd.IntN(4) == 0,
		Size: rnd.Int64N(2000), Named: []lists.Address{address("team@lists.example.org")}, NamedCount: rnd.IntN(4),
		RecentByAuthor: rnd.IntN(3), RecentByList: rnd.IntN(6),
		Fields:  func(string) []string { return []string{"Lunch", text} },
		Content: []lists.PartFact{{Type: "text/plain"}},
	}
	if rare() {
		p.Loop = errLoop
	}
	if rare() {
		p.Authors = people[:rnd.IntN(3)]
	}
	if rnd.IntN(2) == 0 {
		p.Member = &lists.Member{Address: author, Posts: rnd.IntN(5), Moderated: rare(), PostOK: rare()}
		if a, err := lists.ParseAddress(text); err == nil {
			p.Authors = []lists.Address{a} // an alias
		}
	}
	for range rnd.IntN(3) {
		p.Content = append(p.Content, lists.PartFact{
			Type:        []string{"image/png", "application/pdf", "text/html", text}[rnd.IntN(4)],
			Filename:    []string{"", "a.pdf", "b.exe", text}[rnd.IntN(4)],
			Disposition: []string{"", "inline", "attachment", text}[rnd.IntN(4)],
		})
	}
	return p
}

// checkLaws holds a verdict to what is true of all of them.
func checkLaws(t *testing.T, l lists.List, p lists.PostFacts, rnd *rand.Rand) lists.Verdict {
	t.Helper()
	s := l.Settings
	v := l.Judge(p)
	checkVerdict(t, l, v)
	law := func(holds bool, what string) {
		t.Helper()
		if !holds {
			t.Errorf("%s: %s because of %v\n%+v\n%+v", what, v.Action, v.Reason, s, p)
		}
	}
	again := l.Judge(p)
	law(again.Action == v.Action && again.Text == v.Text && reflect.DeepEqual(again.Remove, v.Remove), "the same facts, the same verdict")

	is := func(reasons ...error) bool {
		for _, r := range reasons {
			if errors.Is(v.Reason, r) {
				return true
			}
		}
		return false
	}
	banned := false
	for _, a := range append([]lists.Address{p.ReversePath}, p.Authors...) {
		for _, b := range s.Bans {
			banned = banned || b.Match(a)
		}
	}
	law(!banned || v.Action == lists.Refuse, "who is banned is refused")
	law(s.Post != lists.PostNobody || is(lists.ErrClosed), "a closed list is closed")
	law(!s.Emergency || is(lists.ErrEmergency) == (v.Action == lists.Hold) && v.Action != lists.Accept &&
		(v.Action == lists.Hold || is(lists.ErrClosed, lists.ErrAutomatic, lists.ErrBanned, lists.ErrNoAuthor)), "in an emergency all is held that is not refused before")
	if v.Action == lists.Accept && len(s.HeaderRules) == 0 {
		proven := p.Proof == lists.Proven || s.Identity == lists.IdentityClaimed
		law(p.Proof != lists.Contradicted || proven || s.Nonmember == lists.Accept, "who is contradicted does not post")
		law(p.Proof == lists.Proven || s.Identity != lists.IdentityProven || s.Nonmember == lists.Accept, "who must be proven is")
		law(!s.Moderation.All || proven, "who is not moderated is proven")
		law(p.Member == nil || !p.Member.Moderated, "who is moderated waits")
		law(s.Post != lists.PostOwners && s.Post != lists.PostModerators || proven || s.Nonmember == lists.Accept, "an owner is proven")
		law(len(p.Authors) == 1 && !p.NullSender && p.Loop == nil, "what is accepted is a post")
	}
	last := -1
	for _, i := range v.Remove {
		law(i > last && i < len(p.Content) && (v.Action == lists.Accept || v.Action == lists.Hold), "what is removed is there")
		last = i
	}
	if v.Action == lists.Accept && len(p.Authors) == 1 {
		ban := l
		ban.Settings = s.Clone()
		ban.Settings.Bans = append(ban.Settings.Bans, lists.PatternFor(p.Authors[0]))
		law(ban.Judge(p).Action == lists.Refuse, "a ban takes effect")
	}
	early := l.JudgeEarly(lists.EarlyFacts{ReversePath: p.ReversePath, Size: p.Size})
	checkVerdict(t, l, early)
	law(early.Action == lists.Accept || early.Action == lists.Refuse, "nothing is held or discarded at RCPT")
	law(early.Action == lists.Accept || v.Action == lists.Refuse || is(lists.ErrEmergency), "what RCPT refuses is refused")
	return v
}

func TestJudgeLaws(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for range 5000 {
		seed := rand.Uint64()
		rnd := rand.New(rand.NewPCG(seed, 2))
		v := checkLaws(t, randomList(t, rnd), randomFacts(rnd, "a@home.example"), rnd)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
		seen[fmt.Sprintf("%s %v", v.Action, v.Reason != nil)]++
	}
	for _, want := range []string{"accept false", "hold true", "refuse true", "discard true"} {
		if seen[want] < 20 {
			t.Errorf("%q came %d times only: %v", want, seen[want], seen)
		}
	}
}

func FuzzJudge(f *testing.F) {
	for i, text := range []string{"", "x@y", "ä.exe", "a\r\n250 ok", strings.Repeat("x", 300) + ".exe", "\xff\x00", "image/png"} {
		f.Add(uint64(i), text)
	}
	f.Fuzz(func(t *testing.T, seed uint64, text string) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		checkLaws(t, randomList(t, rnd), randomFacts(rnd, text), rnd)
	})
}

// The reply has room for the contact, or goes without it; it is never too long.
func TestVerdictTextOfLongNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"t", strings.Repeat("t", 30), strings.Repeat("t", 64), strings.Repeat("t", 250)} {
		l := team(t, "nonmember=hold", "header_rules=X: /a/ refuse")
		l.Address.Local = name
		p := fine(t)
		stranger(&p)
		checkVerdict(t, l, l.Judge(p))
		p.Fields = func(string) []string { return []string{"a"} }
		checkVerdict(t, l, l.Judge(p))
		p.NullSender = true
		checkVerdict(t, l, l.Judge(p))
	}
}

func BenchmarkJudge(b *testing.B) {
	l := team(b, "owners=bob@example.org", "bans="+many(900, "bad%d@spam.example")+", "+many(100, "/^bot%d@/"),
		"header_rules="+strings.Repeat("X-Spam: /^yes/ hold; ", 50), "attachments=remove", "explicit_destination=on", "moderation=newcomers(2)")
	p := fine(b)
	b.ReportAllocs()
	for b.Loop() {
		if l.Judge(p).Action != lists.Accept {
			b.Fatal("not accepted")
		}
	}
}

func BenchmarkSettingTable(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if len(lists.SettingTable()) == 0 {
			b.Fatal("empty")
		}
	}
}
