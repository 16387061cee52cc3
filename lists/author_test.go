package lists_test

import (
	"testing"

	"superlistd/lists"
)

func TestJudgeAuthor(t *testing.T) {
	t.Parallel()
	thread := func(p *lists.PostFacts) { stranger(p); p.InThread = true }
	checkJudged(t, []judged{
		{name: "stranger", facts: stranger, want: lists.ErrNotMember},
		{name: "stranger held", list: []string{"nonmember=hold"}, facts: stranger, want: lists.ErrNotMember, as: lists.Hold},
		{name: "stranger discarded", list: []string{"nonmember=discard"}, facts: stranger, want: lists.ErrNotMember, as: lists.Discard},
		{name: "stranger accepted", list: []string{"nonmember=accept"}, facts: stranger, want: nil},
		{name: "anyone", list: []string{"post=anyone"}, facts: stranger, want: nil},
		{name: "allowed stranger", list: []string{"allow=@.example"}, facts: stranger, want: nil},
		{name: "allowed, and banned", list: []string{"allow=@.example", "bans=@.example"}, facts: stranger, want: lists.ErrBanned},
		{name: "stranger in his thread", list: []string{"reply_ok=on"}, facts: thread, want: nil},
		{name: "stranger in his thread, and the list does not ask for it", facts: thread, want: lists.ErrNotMember},
		{name: "stranger in no thread", list: []string{"reply_ok=on"}, facts: stranger, want: lists.ErrNotMember},
		{name: "answers are no announcements", list: []string{"reply_ok=on", "post=owners"}, facts: thread, want: lists.ErrNotPoster},
		{name: "owner who is no member", list: []string{"owners=ann@example.org"}, facts: owner(lists.Unproven), want: nil},
		{name: "moderator who is no member", list: []string{"moderators=ann@example.org"}, facts: owner(lists.Unproven), want: nil},

		{name: "owners only: a member", list: []string{"post=owners"}, want: lists.ErrNotPoster},
		{name: "owners only: a member, held", list: []string{"post=owners", "nonmember=hold"}, want: lists.ErrNotPoster, as: lists.Hold},
		{name: "owners only: an owner", list: []string{"post=owners", "owners=Ann@example.org"}, want: nil},
		{name: "owners only: a moderator", list: []string{"post=owners", "owners=x@y", "moderators=ann@example.org"}, want: lists.ErrNotPoster},
		{name: "owners only: an owner who writes by his alias", list: []string{"post=owners", "owners=ann@example.org"}, facts: func(p *lists.PostFacts) {
			p.Authors = []lists.Address{address("a@home.example")}
		}, want: nil},
		{name: "owners only: nothing proves him", list: []string{"post=owners", "owners=ann@example.org"}, facts: proof(lists.Unproven), want: lists.ErrUnproven, as: lists.Hold},
		{name: "owners only: claimed is enough", list: []string{"post=owners", "owners=ann@example.org", "identity=claimed"}, facts: proof(lists.Contradicted), want: nil},
		{name: "owners only: a member with post_ok", list: []string{"post=owners"}, facts: func(p *lists.PostFacts) { p.Member.PostOK = true }, want: nil},
		{name: "owners only: an allowed stranger", list: []string{"post=owners", "allow=eve@far.example"}, facts: stranger, want: nil},
		{name: "moderators only: a member", list: []string{"post=moderators", "moderators=x@y"}, want: lists.ErrNotPoster},
		{name: "moderators only: a moderator", list: []string{"post=moderators", "moderators=ann@example.org"}, want: nil},
		{name: "moderators only: an owner", list: []string{"post=moderators", "owners=ann@example.org", "moderators=x@y"}, want: nil},
		{name: "moderators only: an unproven one", list: []string{"post=moderators", "moderators=ann@example.org"}, facts: proof(lists.Unproven), want: lists.ErrUnproven, as: lists.Hold},
		{name: "post_ok does not open what is closed", list: []string{"post=nobody"}, facts: func(p *lists.PostFacts) { p.Member.PostOK = true }, want: lists.ErrClosed},

		{name: "unproven", facts: proof(lists.Unproven), want: nil},
		{name: "contradicted", facts: proof(lists.Contradicted), want: lists.ErrForged},
		{name: "contradicted, held", list: []string{"nonmember=hold"}, facts: proof(lists.Contradicted), want: lists.ErrForged, as: lists.Hold},
		{name: "contradicted, where anyone may post", list: []string{"post=anyone"}, facts: proof(lists.Contradicted), want: lists.ErrForged},
		{name: "contradicted, where all strangers may post", list: []string{"nonmember=accept"}, facts: proof(lists.Contradicted), want: nil},
		{name: "contradicted owner", list: []string{"owners=ann@example.org"}, facts: proof(lists.Contradicted), want: lists.ErrForged},
		{name: "contradicted is not allowed", list: []string{"allow=ann@example.org"}, facts: proof(lists.Contradicted), want: lists.ErrForged},
		{name: "claimed", list: []string{"identity=claimed"}, facts: proof(lists.Contradicted), want: nil},
		{name: "claimed by a stranger", list: []string{"identity=claimed"}, facts: stranger, want: lists.ErrNotMember},
		{name: "must be proven, and is", list: []string{"identity=proven"}, want: nil},
		{name: "must be proven, and is not", list: []string{"identity=proven"}, facts: proof(lists.Unproven), want: lists.ErrUnproven},
		{name: "must be proven, and is contradicted", list: []string{"identity=proven"}, facts: proof(lists.Contradicted), want: lists.ErrForged},
	})
}

func TestJudgeModeration(t *testing.T) {
	t.Parallel()
	posts := func(n int) func(*lists.PostFacts) { return func(p *lists.PostFacts) { p.Member.Posts = n } }
	moderated := func(p *lists.PostFacts) { p.Member.Moderated = true }
	postOK := func(proof lists.Proof) func(*lists.PostFacts) {
		return func(p *lists.PostFacts) { p.Member.PostOK, p.Proof = true, proof }
	}
	held := func(name string, list []string, facts func(*lists.PostFacts)) judged {
		return judged{name: name, list: list, facts: facts, want: lists.ErrModerated, as: lists.Hold}
	}
	free := func(name string, list []string, facts func(*lists.PostFacts)) judged {
		return judged{name: name, list: list, facts: facts}
	}
	checkJudged(t, []judged{
		held("all", []string{"moderation=all"}, nil),
		held("all: a stranger where anyone may post", []string{"moderation=all", "post=anyone"}, stranger),
		free("all: a proven owner", []string{"moderation=all", "owners=ann@example.org"}, nil),
		held("all: an unproven owner", []string{"moderation=all", "owners=ann@example.org"}, proof(lists.Unproven)),
		free("all: a proven moderator", []string{"moderation=all", "moderators=ann@example.org"}, nil),
		held("all: an unproven moderator", []string{"moderation=all", "moderators=ann@example.org"}, proof(lists.Unproven)),
		free("all: an owner beside moderators", []string{"moderation=all", "owners=ann@example.org", "moderators=x@y"}, nil),
		free("all: a claimed owner", []string{"moderation=all", "owners=ann@example.org", "identity=claimed"}, proof(lists.Unproven)),
		free("all: a proven member with post_ok", []string{"moderation=all"}, postOK(lists.Proven)),
		held("all: an unproven member with post_ok", []string{"moderation=all"}, postOK(lists.Unproven)),
		free("all: proven and allowed", []string{"moderation=all", "allow=@far.example"}, stranger),
		held("all: unproven and allowed", []string{"moderation=all", "allow=@far.example"}, func(p *lists.PostFacts) { stranger(p); p.Proof = lists.Unproven }),
		held("a moderated member", nil, moderated),
		held("a moderated owner", []string{"owners=ann@example.org"}, moderated),
		held("a moderated member who forges himself", []string{"nonmember=accept"}, func(p *lists.PostFacts) { moderated(p); p.Proof = lists.Contradicted }),
		held("a newcomer", []string{"moderation=newcomers(2)"}, posts(1)),
		free("a newcomer no more", []string{"moderation=newcomers(2)"}, posts(2)),
		held("a stranger is newer than any newcomer", []string{"moderation=newcomers(1)", "post=anyone"}, stranger),
		free("a proven newcomer with post_ok", []string{"moderation=newcomers(2)"}, func(p *lists.PostFacts) { posts(0)(p); postOK(lists.Proven)(p) }),
	})
}
