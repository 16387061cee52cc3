package lists

// author decides by who wrote the post: the member's or non-member's action.
//
// Who the author is counts only when his From is believed (Settings.Identity); else the
// post is one of nobody, even where anyone may post. Those who may not post get
// Settings.Nonmember. Of those who may, a post waits for a moderator
//
//   - always, when he is a member who is moderated, believed or not;
//   - when only owners or moderators may post and his From is not proven: the most
//     valuable addresses to forge;
//   - under moderation = all, and newcomers for members who are new and for all who are
//     no members.
//
// Owners, moderators, members with post_ok and those of the allow list are exempt from
// the last, but only when From is proven, or with identity = claimed, which takes every
// From for proven. So a moderator's own post under moderation = all goes out at once
// when it is proven to be his, and waits for him (or another) when it is not.
func (l List) author(p PostFacts) Verdict {
	w := l.writer(p)
	if v, decided := l.mayPost(w); decided {
		return v
	}
	s := l.Settings
	switch {
	case p.Member != nil && p.Member.Moderated:
		return l.decide(Hold, ErrModerated, "your posts are looked at first")
	case w.restricted && !w.proven:
		return l.decide(Hold, ErrUnproven, "nothing proves that this is from %s", w.address)
	case w.exempt && w.proven:
		return accept()
	case s.Moderation.All:
		return l.decide(Hold, ErrModerated, "every post to %s is looked at first", l.Address)
	case s.Moderation.Newcomers > 0 && (w.member == nil || w.member.Posts < s.Moderation.Newcomers):
		return l.decide(Hold, ErrModerated, "the first posts to %s are looked at first", l.Address)
	}
	return accept()
}

// writer is the author as far as he is believed.
type writer struct {
	address    Address
	proof      Proof
	believed   bool
	proven     bool    // for privileges
	member     *Member // nil: none, or not believed
	owner      bool
	moderator  bool
	allowed    bool // by the allow list
	exempt     bool // from moderation, when proven
	restricted bool // only owners or moderators may post
	answers    bool // a thread of his
}

func (l List) writer(p PostFacts) writer {
	s := l.Settings
	w := writer{address: p.Authors[0], proof: p.Proof}
	w.restricted = s.Post == PostOwners || s.Post == PostModerators
	claimed := s.Identity == IdentityClaimed
	w.proven = claimed || p.Proof == Proven
	w.believed = w.proven || p.Proof == Unproven && s.Identity != IdentityProven
	if !w.believed {
		return w
	}
	who := []Address{w.address}
	if w.member = p.Member; w.member != nil {
		who = append(who, w.member.Address)
	}
	for _, a := range who {
		w.owner = w.owner || s.IsOwner(a)
		w.moderator = w.moderator || s.IsModerator(a)
		w.allowed = w.allowed || matchAny(s.Allow, a)
	}
	w.exempt = w.owner || w.moderator || w.allowed || w.member != nil && w.member.PostOK
	w.answers = s.ReplyOK && p.InThread
	return w
}

// mayPost decides about those who may not post, unless they are let through.
func (l List) mayPost(w writer) (v Verdict, decided bool) {
	s := l.Settings
	if !w.believed {
		if w.proof == Contradicted {
			return l.outsider(ErrForged, "the policy of %s says that this is not from %s", w.address.Domain, w.address)
		}
		return l.outsider(ErrUnproven, "nothing proves that this is from %s", w.address)
	}
	if w.allowed || w.member != nil && w.member.PostOK {
		return Verdict{}, false
	}
	switch s.Post {
	case PostAnyone:
		return Verdict{}, false
	case PostOwners:
		if w.owner {
			return Verdict{}, false
		}
		return l.outsider(ErrNotPoster, "only its owners may post to %s", l.Address)
	case PostModerators:
		if w.owner || w.moderator {
			return Verdict{}, false
		}
		return l.outsider(ErrNotPoster, "only its moderators may post to %s", l.Address)
	}
	if w.member != nil || w.owner || w.moderator || w.answers {
		return Verdict{}, false
	}
	return l.outsider(ErrNotMember, "only members may post to %s", l.Address)
}

// outsider is what becomes of a post of somebody who may not post.
func (l List) outsider(reason error, format string, args ...any) (v Verdict, decided bool) {
	action := l.Settings.Nonmember
	switch action {
	case Accept:
		return Verdict{}, false
	case Hold, Discard:
		return l.decide(action, reason, format, args...), true
	}
	return l.decide(Refuse, reason, format, args...), true
}
