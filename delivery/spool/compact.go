package spool

import (
	"slices"
	"strings"
)

// ledger adds up notes: whoever any of them serves is served. It stays as small as what is served can be said, and
// a note costs no more than the search for its place, on the average of many.
type ledger struct {
	whole []Range  // merged
	but   []string // keys in whole that nobody served, in order

	loose []Range // not merged yet, since few at a time are dear
}

// fewLoose is how many stretches are left to merge at least.
const fewLoose = 64

// add adds a note. It keeps the strings.
func (l *ledger) add(s Served) {
	if len(s.But) > 0 {
		l.settle()
		l.except(Merge(slices.Clone(s.Ranges)), slices.Compact(slices.Sorted(slices.Values(s.But))))
		return
	}
	for _, r := range s.Ranges {
		switch n := len(l.loose); {
		case r.UpTo <= r.After: // nobody
		case n > 0 && l.loose[n-1].UpTo == r.After:
			l.loose[n-1].UpTo = r.UpTo // the usual case: copies in the order of the roster
		default:
			l.loose = append(l.loose, r)
		}
	}
	if len(l.loose) > fewLoose+len(l.whole)+len(l.but)/8 {
		l.settle()
	}
}

// settle merges what is loose. It writes to no slice that served gave away.
func (l *ledger) settle() {
	if len(l.loose) == 0 {
		return
	}
	l.except(Merge(l.loose), nil)
	l.loose = l.loose[:0]
}

// except adds merged stretches whose members are served but for these keys.
func (l *ledger) except(stretches []Range, keys []string) {
	var but []string
	for _, k := range l.but {
		if _, still := slices.BinarySearch(keys, k); still || !within(stretches, k) {
			but = append(but, k)
		}
	}
	old := len(but)
	for _, k := range keys {
		if within(stretches, k) && !within(l.whole, k) {
			but = append(but, k)
		}
	}
	if old > 0 && len(but) > old {
		slices.Sort(but)
	}
	l.but = slices.Clip(but)
	l.whole = slices.Clip(Merge(slices.Concat(l.whole, stretches)))
}

// served says it as notes, which nobody changes.
func (l *ledger) served() []Served {
	l.settle()
	if len(l.whole) == 0 {
		return nil
	}
	return []Served{{Ranges: l.whole, But: l.but}}
}

// within tells whether merged stretches hold a key.
func within(merged []Range, key string) bool {
	i, _ := slices.BinarySearchFunc(merged, key, func(r Range, key string) int { return strings.Compare(r.UpTo, key) })
	return i < len(merged) && merged[i].After < key
}

// Merge sorts stretches, joins those that touch or overlap and leaves out those that hold nothing. It changes all, and
// returns another slice.
func Merge(all []Range) []Range {
	slices.SortFunc(all, func(a, b Range) int { return strings.Compare(a.After, b.After) })
	var out []Range
	for _, r := range all {
		if r.UpTo <= r.After {
			continue
		}
		if n := len(out); n > 0 && r.After <= out[n-1].UpTo {
			out[n-1].UpTo = max(out[n-1].UpTo, r.UpTo)
			continue
		}
		out = append(out, r)
	}
	return out
}
