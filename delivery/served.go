package delivery

import (
	"slices"
	"strings"

	"superlistd/delivery/spool"
)

// served tells who has a post already: whoever some note covers. Keys are asked for in any order.
type served struct {
	ranges  []spool.Range // in order, apart from each other
	missing []string      // keys within ranges that no note covers; in order
}

func newServed(notes []spool.Served) served {
	var s served
	var but []string
	for _, n := range notes {
		s.ranges = append(s.ranges, n.Ranges...)
		but = append(but, n.But...)
	}
	if len(s.ranges) == 0 {
		return s
	}
	s.ranges = spool.Merge(s.ranges)
	slices.Sort(but)
	for _, key := range slices.Compact(but) {
		if !slices.ContainsFunc(notes, func(n spool.Served) bool { return noteCovers(n, key) }) {
			s.missing = append(s.missing, key)
		}
	}
	return s
}

func noteCovers(n spool.Served, key string) bool {
	return !slices.Contains(n.But, key) &&
		slices.ContainsFunc(n.Ranges, func(r spool.Range) bool { return r.After < key && key <= r.UpTo })
}

// has tells whether the member with this key has the post.
func (s *served) has(key string) bool {
	if s.within(key) < 0 {
		return false
	}
	_, missing := slices.BinarySearch(s.missing, key)
	return !missing
}

// within returns the index of the range that holds a key, or -1.
func (s *served) within(key string) int {
	i, _ := slices.BinarySearchFunc(s.ranges, key, func(r spool.Range, key string) int { return strings.Compare(r.UpTo, key) })
	if i < len(s.ranges) && s.ranges[i].After < key {
		return i
	}
	return -1
}

// beyond returns how far a roster need not be read from a key on: everybody behind it up to the result is served.
func (s *served) beyond(after string) string {
	i, _ := slices.BinarySearchFunc(s.ranges, after, func(r spool.Range, key string) int {
		if r.UpTo <= key {
			return -1
		}
		return 1
	})
	if i == len(s.ranges) || s.ranges[i].After > after {
		return after
	}
	if m, _ := slices.BinarySearch(s.missing, after); m < len(s.missing) && s.missing[m] <= s.ranges[i].UpTo {
		return after
	}
	return s.ranges[i].UpTo
}
