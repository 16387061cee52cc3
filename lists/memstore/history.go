package memstore

import (
	"context"
	"sync"
	"time"

	"superlistd/lists"
)

var _ lists.History = (*History)(nil)

// History is a lists.History in memory. Its threads grow until Forget.
type History struct {
	mu    sync.Mutex
	lists map[string]*past // by key of the list
}

// past is what is remembered of one list.
type past struct {
	posts   []post
	ids     map[string]known
	present map[[2]string]time.Time // thread and key of the author → the last time
}

type post struct {
	key, author string
	at          time.Time
}

// known is a message: its author is "" when it never came to the list.
type known struct {
	thread, author string
	at             time.Time
}

// NewHistory returns an empty history.
func NewHistory() *History { return &History{lists: map[string]*past{}} }

// Note records a post.
func (h *History) Note(ctx context.Context, list lists.Address, p lists.Posted) error {
	if err := p.Check(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	old := h.lists[list.Key()]
	if old == nil {
		old = &past{ids: map[string]known{}, present: map[[2]string]time.Time{}}
		h.lists[list.Key()] = old
	}
	old.note(p.Bounded())
	return nil
}

func (o *past) note(p lists.Posted) {
	var recent []post
	for _, q := range o.posts {
		if q.at.Before(p.At.Add(-lists.RateMemory)) || q.at.After(p.At.Add(lists.RateMemory)) {
			continue
		}
		if p.Key != "" && q.key == p.Key {
			return
		}
		recent = append(recent, q)
	}
	o.posts = append(recent, post{key: p.Key, author: p.Author.Key(), at: p.At})
	o.join(p)
}

// join puts the post into a thread, and people with it.
func (o *past) join(p lists.Posted) {
	look := func(id string) (known, bool) {
		m, ok := o.ids[id]
		return m, ok && !m.at.Before(p.At.Add(-lists.ThreadMemory))
	}
	ids := p.References
	if p.MessageID != "" {
		ids = append([]string{p.MessageID}, ids...)
	}
	if len(ids) == 0 {
		return
	}
	thread := ids[0]
	for _, id := range ids {
		if m, ok := look(id); ok {
			thread = m.thread
			break
		}
	}
	people := []string{p.Author.Key()}
	for _, a := range p.Answered {
		people = append(people, a.Key())
	}
	put := func(id, author string) {
		m, ok := look(id)
		if !ok {
			m.thread, m.author = thread, ""
		}
		if m.author == "" {
			m.author = author
		}
		m.at = p.At
		o.ids[id] = m
	}
	if p.MessageID != "" {
		put(p.MessageID, p.Author.Key())
	}
	if len(p.References) > 0 {
		parent := p.References[0]
		put(parent, "")
		if author := o.ids[parent].author; author != "" {
			people = append(people, author)
		}
	}
	for _, who := range people {
		o.present[[2]string{thread, who}] = p.At
	}
}

// Recent counts posts.
func (h *History) Recent(ctx context.Context, list, author lists.Address, key string, since time.Time) (byAuthor, byList int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if old := h.lists[list.Key()]; old != nil {
		for _, q := range old.posts {
			if q.at.Before(since) || q.at.After(since.Add(2*lists.RateMemory)) || key != "" && q.key == key {
				continue
			}
			byList++
			if q.author == author.Key() {
				byAuthor++
			}
		}
	}
	return byAuthor, byList, ctx.Err()
}

// InThread looks for author among those of a thread.
func (h *History) InThread(ctx context.Context, list, author lists.Address, ids []string, since time.Time) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	old := h.lists[list.Key()]
	if old == nil {
		return false, nil
	}
	for _, id := range lists.NormalIDs(ids) {
		m, ok := old.ids[id]
		if !ok || m.at.Before(since) {
			continue
		}
		if at, ok := old.present[[2]string{m.thread, author.Key()}]; ok && !at.Before(since) {
			return true, nil
		}
	}
	return false, nil
}

// Forget drops what is older.
func (h *History) Forget(ctx context.Context, before time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, old := range h.lists {
		var kept []post
		for _, q := range old.posts {
			if !q.at.Before(before) {
				kept = append(kept, q)
			}
		}
		old.posts = kept
		for id, m := range old.ids {
			if m.at.Before(before) {
				delete(old.ids, id)
			}
		}
		for k, at := range old.present {
			if at.Before(before) {
				delete(old.present, k)
			}
		}
	}
	return nil
}

// Close has nothing to do.
func (h *History) Close() error { return nil }
