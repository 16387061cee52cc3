package lists_test

import (
	"errors"
	"testing"

	"superlistd/lists"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	ann, bob := mustParse(t, "ann@example.org"), mustParse(t, "bob@example.org")
	one, two := []lists.Address{ann}, []lists.Address{ann, bob}
	limited := lists.Settings{Post: lists.PostMembers, MaxSize: 1000, MaxRecipients: 5}
	fine := lists.PostFacts{Authors: one, Member: true, Size: 1000, Named: 5}
	with := func(change func(*lists.PostFacts)) lists.PostFacts {
		p := fine
		change(&p)
		return p
	}
	for _, tt := range []struct {
		name  string
		list  lists.Settings
		facts lists.PostFacts
		want  error
	}{
		{"a member within all limits", limited, fine, nil},
		{"zero settings are members only", lists.Settings{}, with(func(p *lists.PostFacts) { p.Member = false }), lists.ErrNotMember},
		{"no limits", lists.Settings{Post: lists.PostMembers}, with(func(p *lists.PostFacts) { p.Size, p.Named = 1<<40, 1<<20 }), nil},
		{"not a member", limited, with(func(p *lists.PostFacts) { p.Member = false }), lists.ErrNotMember},
		{"anyone need not be a member", lists.Settings{Post: lists.PostAnyone}, with(func(p *lists.PostFacts) { p.Member = false }), nil},
		{"anyone is still one author", lists.Settings{Post: lists.PostAnyone}, with(func(p *lists.PostFacts) { p.Authors = nil }), lists.ErrNoAuthor},
		{"several authors", limited, with(func(p *lists.PostFacts) { p.Authors = two }), lists.ErrNoAuthor},
		{"one octet too big", limited, with(func(p *lists.PostFacts) { p.Size++ }), lists.ErrTooBig},
		{"one name too many", limited, with(func(p *lists.PostFacts) { p.Named++ }), lists.ErrTooManyNamed},
		{"null reverse-path", limited, with(func(p *lists.PostFacts) { p.NullSender = true }), lists.ErrAutomatic},
		{"null reverse-path to anyone", lists.Settings{Post: lists.PostAnyone}, with(func(p *lists.PostFacts) { p.NullSender = true }), lists.ErrAutomatic},
		{"nobody", lists.Settings{Post: lists.PostNobody}, fine, lists.ErrClosed},

		{"closed comes before automatic", lists.Settings{Post: lists.PostNobody}, lists.PostFacts{NullSender: true}, lists.ErrClosed},
		{"automatic comes before too big", limited, lists.PostFacts{NullSender: true, Size: 9999}, lists.ErrAutomatic},
		{"too big comes before no author", limited, lists.PostFacts{Size: 9999}, lists.ErrTooBig},
		{"no author comes before no member", limited, lists.PostFacts{Authors: two, Named: 99}, lists.ErrNoAuthor},
		{"no member comes before too many names", limited, lists.PostFacts{Authors: one, Named: 99}, lists.ErrNotMember},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := (lists.List{Settings: tt.list}).Judge(tt.facts); !errors.Is(err, tt.want) {
				t.Errorf("Judge = %v, want %v", err, tt.want)
			}
		})
	}
}

func TestJudgeEarly(t *testing.T) {
	t.Parallel()
	limited := lists.Settings{MaxSize: 1000}
	for _, tt := range []struct {
		name string
		list lists.Settings
		size int64
		want error
	}{
		{"size unknown", limited, 0, nil},
		{"size within the limit", limited, 1000, nil},
		{"size over the limit", limited, 1001, lists.ErrTooBig},
		{"no limit", lists.Settings{}, 1 << 40, nil},
		{"nobody", lists.Settings{Post: lists.PostNobody, MaxSize: 1}, 2, lists.ErrClosed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := (lists.List{Settings: tt.list}).JudgeEarly(tt.size); !errors.Is(err, tt.want) {
				t.Errorf("JudgeEarly = %v, want %v", err, tt.want)
			}
		})
	}
}
