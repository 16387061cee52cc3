package proxy

import (
	"context"
	"maps"
	"slices"

	"superlistd/lists"
	"superlistd/message"
	"superlistd/posting"
)

// maxNesting is how deep lists may be members of lists and still be expanded here. Deeper ones get the post like any
// member, by Postfix and the LMTP door, where what they allow and whether it is a loop is looked at anew.
const maxNesting = 5

// nested returns the lists that get a post because they are members of the list that took it, or of one of those. Whoever made a list a member
// has let its posts in, so of what the inner list wants only that counts which is about parts. Those that have the post
// for another reason, and those that have handled it before are left out, so a loop ends where it begins.
func (r press) nested(ctx context.Context, p *posting.Post, outer posting.Judgement, served *roll) (inner []posting.Judgement, within map[string]bool, err error) {
	within = map[string]bool{}
	level := []posting.Judgement{outer}
	for depth := 0; depth < maxNesting && len(level) > 0; depth++ {
		var next []posting.Judgement
		for _, j := range level {
			found, err := r.directory.Nested(ctx, j.List.Address)
			if err != nil {
				return nil, nil, err
			}
			for _, l := range found {
				key := l.Address.Key()
				within[key] = true
				if served.keys[key] || j.List.Settings.NoDups && named(p, key) || message.CheckLoop(p.Head, r.hostname, l.Address, l.ID()) != nil {
					continue
				}
				served.keys[key] = true
				in, err := r.desk.Judge(ctx, p, l)
				if err != nil {
					return nil, nil, err
				}
				in.Verdict = lists.Verdict{Action: lists.Accept, Remove: in.Remove}
				next = append(next, in)
			}
		}
		inner, level = append(inner, next...), next
	}
	return inner, within, nil
}

// named tells whether To or Cc has an address: then it gets the post in its own name.
func named(p *posting.Post, key string) bool {
	return slices.ContainsFunc(p.To, func(a lists.Address) bool { return a.Key() == key })
}

// without adds addresses to those who get no copy.
func without(except map[string]struct{}, keys map[string]bool) map[string]struct{} {
	if len(keys) == 0 {
		return except
	}
	out := maps.Clone(except)
	if out == nil {
		out = map[string]struct{}{}
	}
	for key := range keys {
		out[key] = struct{}{}
	}
	return out
}
