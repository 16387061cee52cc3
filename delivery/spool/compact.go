package spool

import (
	"slices"
	"strings"
)

// compact joins stretches that touch, so that what was noted for each transaction, or each copy, stays small. Notes with
// exceptions stay as they are, since the order of two of them can matter to nobody: whoever any note serves is served.
func compact(notes []Served) []Served {
	var all []Range
	var rest []Served
	for _, n := range notes {
		if len(n.But) > 0 {
			rest = append(rest, n)
			continue
		}
		all = append(all, n.Ranges...)
	}
	if all = Merge(all); len(all) > 0 {
		rest = append(rest, Served{Ranges: all})
	}
	return rest
}

// Merge sorts stretches and joins those that touch or overlap.
func Merge(all []Range) []Range {
	slices.SortFunc(all, func(a, b Range) int { return strings.Compare(a.After, b.After) })
	var out []Range
	for _, r := range all {
		if n := len(out); n > 0 && r.After <= out[n-1].UpTo {
			out[n-1].UpTo = max(out[n-1].UpTo, r.UpTo)
			continue
		}
		out = append(out, r)
	}
	return out
}
