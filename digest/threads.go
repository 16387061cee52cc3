package digest

import (
	"fmt"
	"strconv"
	"strings"
)

// threads brings the posts into the order of the digest: thread after thread, each where its first post stood. To a thread belongs what
// answers to the same, and what names nothing that it answers, but has the topic.
func threads(all []*entry) []*entry {
	var order []*entry
	inside := map[*entry][]*entry{}
	first := map[[16]byte]*entry{}
	find := func(e *entry) *entry {
		for e.thread != e {
			e.thread = e.thread.thread // which makes the way shorter for the next
			e = e.thread
		}
		return e
	}
	at := map[*entry]int{}
	join := func(e *entry, word [16]byte) {
		other, known := first[word]
		if !known {
			first[word] = e
			return
		}
		a, b := find(e), find(other)
		if at[a] < at[b] {
			a, b = b, a
		}
		a.thread = b
	}
	for n, e := range all {
		e.thread, at[e] = e, n
		for _, word := range e.words {
			join(e, word)
		}
		if topic := strings.ToLower(e.topic); topic != "" && !e.answers {
			join(e, sum("topic "+topic))
		}
	}
	for _, e := range all {
		root := find(e)
		e.thread = root
		if root == e {
			order = append(order, e)
		}
		inside[root] = append(inside[root], e)
	}
	sorted := make([]*entry, 0, len(all))
	for _, root := range order {
		sorted = append(sorted, inside[root]...)
	}
	for n, e := range sorted {
		e.number = n + 1
	}
	return sorted
}

// contents is the table of contents of some posts.
func (i *issue) contents(entries []*entry) string {
	var b strings.Builder
	var thread *entry
	for _, e := range entries {
		if e.thread != thread {
			thread = e.thread
			topic := e.topic
			if topic == "" {
				topic = "-"
			}
			fmt.Fprintf(&b, "\n  %s\n", topic)
		}
		author := e.author
		if author == "" {
			author = "?"
		}
		fmt.Fprintf(&b, "  %4s  %s\n", strconv.Itoa(e.number)+".", author)
	}
	return b.String()
}
