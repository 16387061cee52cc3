package lists_test

import (
	"errors"
	"strings"
	"testing"

	"superlistd/lists"
)

// objections are what can be said against a post, in the order of Judge; all of them can be said of one post.
func objections() []struct {
	name  string
	list  string
	facts func(*lists.PostFacts)
	want  error
} {
	none := func(*lists.PostFacts) {}
	return []struct {
		name  string
		list  string
		facts func(*lists.PostFacts)
		want  error
	}{
		{"closed", "post=nobody", none, lists.ErrClosed},
		{"automatic", "", func(p *lists.PostFacts) { p.NullSender = true }, lists.ErrAutomatic},
		{"banned", "bans=ann@example.org", none, lists.ErrBanned},
		{"no author", "", func(p *lists.PostFacts) { p.Authors = append(p.Authors, p.Authors...) }, lists.ErrNoAuthor},
		{"emergency", "emergency=on", none, lists.ErrEmergency},
		{"loop", "", func(p *lists.PostFacts) { p.Loop = errLoop }, errLoop},
		{"too big", "max_size=1B", none, lists.ErrTooBig},
		{"too often", "posts_per_hour=1", func(p *lists.PostFacts) { p.RecentByAuthor = 1 }, lists.ErrTooOften},
		{"too many named", "max_recipients=1", func(p *lists.PostFacts) { p.NamedCount = 2 }, lists.ErrTooManyNamed},
		{"not named", "explicit_destination=on", func(p *lists.PostFacts) { p.Named = nil }, lists.ErrNotNamed},
		{"header rule", "header_rules=Subject: /./ refuse", none, lists.ErrHeaderRule},
		{"command", "", func(p *lists.PostFacts) { p.Command = true }, lists.ErrCommand},
		{"HTML", "html=refuse", func(p *lists.PostFacts) { p.HasHTML = true }, lists.ErrContent},
		{"part", "mime_types=image/*=hold", part(lists.PartFact{Type: "image/png"}), lists.ErrContent},
		{"not believed", "identity=proven", proof(lists.Unproven), lists.ErrUnproven},
		{"may not post", "post=owners", none, lists.ErrNotPoster},
		{"moderated", "moderation=all", none, lists.ErrModerated},
	}
}

func settingOf(line string) string {
	key, _, _ := strings.Cut(line, "=")
	return key
}

// Of all pairs the one that comes first decides, and so of neighbours.
func TestJudgeOrder(t *testing.T) {
	t.Parallel()
	all := objections()
	for i, first := range all {
		for _, second := range append(all[i+1:], all[i]) {
			if key := settingOf(first.list); key != "" && key == settingOf(second.list) && first.name != second.name {
				continue // it cannot have two values
			}
			var lines []string
			for _, l := range []string{first.list, second.list} {
				if l != "" {
					lines = append(lines, l)
				}
			}
			l, p := team(t, lines...), fine(t)
			second.facts(&p)
			first.facts(&p)
			v := l.Judge(p)
			if !errors.Is(v.Reason, first.want) {
				t.Errorf("%s with %s: %v, want %v", first.name, second.name, v.Reason, first.want)
			}
			if html := first.name == "HTML"; html != (v.Reason != nil && v.Reason.Error() == "content is not taken: HTML") {
				t.Errorf("%s with %s: %v", first.name, second.name, v.Reason)
			}
			checkVerdict(t, l, v)
		}
	}
}
