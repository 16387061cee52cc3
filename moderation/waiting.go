package moderation

import (
	"context"
	"slices"

	"superlistd/lists"
	"superlistd/moderation/held"
	"superlistd/templates"
)

// Waiting are the posts to a list about which nobody has decided, the oldest first.
func (o *Office) Waiting(ctx context.Context, l lists.List) ([]templates.Item, error) {
	var all []held.Facts
	for after := ""; ; {
		posts, err := o.opts.Held.List(l.Address, after, page)
		if err != nil {
			return nil, err
		}
		for _, f := range posts {
			if f.Decided == nil && f.Fault == "" {
				all = append(all, f)
			}
		}
		if len(posts) < page || ctx.Err() != nil {
			break
		}
		after = posts[len(posts)-1].ID
	}
	slices.SortStableFunc(all, func(a, b held.Facts) int { return a.At.Compare(b.At) })
	items := make([]templates.Item, len(all))
	for i, f := range all {
		items[i] = o.item(f)
	}
	return items, ctx.Err()
}
