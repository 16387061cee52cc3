package boltstore

import (
	"encoding/binary"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"superlistd/lists"
)

// generations are the threads of a list, cut by time: what is noted goes into the newest
// of them, which makes room for another when it is ten days old or full; and the oldest
// goes as a whole, so that nothing has to be looked for by its age. An entry that is
// still in use is written again, and the newest counts. So they reach back 70 days, or,
// on a list with more than some 600 posts a day, as far as their number allows.
//
// A generation is a bucket with its time under "s", messages under "m" and a digest of the
// id, people under "p" and the digests of thread and author. Its sequence counts entries.
type generations struct {
	all    *bolt.Bucket
	newest []*bolt.Bucket // first
}

const (
	keyStart      = "s"
	prefixMessage = 'm'
	prefixPerson  = 'p'

	generationTime = lists.ThreadMemory / 6
)

func openGenerations(all *bolt.Bucket) *generations {
	g := &generations{all: all}
	c := all.Cursor()
	for k, _ := c.Last(); k != nil; k, _ = c.Prev() {
		if b := all.Bucket(k); b != nil {
			g.newest = append(g.newest, b)
		}
	}
	return g
}

// message finds one that was written since then.
func (g *generations) message(id digest, since time.Time) (m message, ok bool, err error) {
	key := messageKey(id)
	for _, b := range g.newest {
		value := b.Get(key)
		if value == nil {
			continue
		}
		m, err = decodeMessage(value)
		return m, err == nil && !m.at.Before(since), err
	}
	return message{}, false, nil
}

// present tells whether somebody is part of a thread since then.
func (g *generations) present(thread, who digest, since time.Time) (bool, error) {
	key := personKey(thread, who)
	for _, b := range g.newest {
		value := b.Get(key)
		if value == nil {
			continue
		}
		at, err := decodeTime(value)
		return err == nil && !at.Before(since), err
	}
	return false, nil
}

// turn makes the newest generation one that at may be written to, and drops the oldest.
func (g *generations) turn(at time.Time, l limits) error {
	if len(g.newest) > 0 {
		start, err := decodeTime(g.newest[0].Get([]byte(keyStart)))
		if err != nil {
			return err
		}
		// A clock that was wrong must not make a generation for ever.
		if age := at.Sub(start).Abs(); age < generationTime && g.newest[0].Sequence() < l.entries {
			return nil
		}
	}
	n, err := g.all.NextSequence()
	if err != nil {
		return err
	}
	b, err := g.all.CreateBucket(binary.BigEndian.AppendUint64(nil, n))
	if err == nil {
		err = b.Put([]byte(keyStart), appendTime(nil, at))
	}
	if err != nil {
		return err
	}
	var gone [][]byte
	c := g.all.Cursor()
	kept := 0
	for k, _ := c.Last(); k != nil; k, _ = c.Prev() {
		if kept++; kept > l.generations {
			gone = append(gone, slices.Clone(k))
		}
	}
	for _, k := range gone {
		if err := g.all.DeleteBucket(k); err != nil {
			return err
		}
	}
	*g = *openGenerations(g.all)
	return nil
}

// put writes into the newest generation.
func (g *generations) put(key, value []byte) error {
	b := g.newest[0]
	if b.Get(key) == nil {
		if err := b.SetSequence(b.Sequence() + 1); err != nil {
			return err
		}
	}
	return b.Put(key, value)
}

// noteThread puts a post into a thread, and people with it.
func (h *History) noteThread(b *bolt.Bucket, p lists.Posted) error {
	ids := make([]digest, 0, 1+len(p.References))
	if p.MessageID != "" {
		ids = append(ids, digestOf(p.MessageID))
	}
	for _, id := range p.References {
		ids = append(ids, digestOf(id))
	}
	if len(ids) == 0 {
		return nil
	}
	g := openGenerations(b)
	if err := g.turn(p.At, h.limits); err != nil {
		return err
	}
	since := p.At.Add(-lists.ThreadMemory)
	thread := ids[0]
	for _, id := range ids {
		m, ok, err := g.message(id, since)
		if err != nil {
			return err
		}
		if ok {
			thread = m.thread
			break
		}
	}
	people := []digest{digestOf(p.Author.Key())}
	for _, a := range p.Answered {
		people = append(people, digestOf(a.Key()))
	}
	if p.MessageID != "" {
		if _, err := g.noteMessage(ids[0], message{thread: thread, author: people[0], at: p.At}); err != nil {
			return err
		}
	}
	if len(p.References) > 0 {
		parent, err := g.noteMessage(digestOf(p.References[0]), message{thread: thread, at: p.At})
		if err != nil {
			return err
		}
		if parent.author != (digest{}) {
			people = append(people, parent.author)
		}
	}
	for _, who := range people {
		if err := g.put(personKey(thread, who), appendTime(nil, p.At)); err != nil {
			return err
		}
	}
	return nil
}

// noteMessage writes a message, or writes it again: it stays in the thread where it is,
// and his whose it is.
func (g *generations) noteMessage(id digest, m message) (message, error) {
	old, ok, err := g.message(id, m.at.Add(-lists.ThreadMemory))
	if err != nil {
		return m, err
	}
	if ok {
		m.thread = old.thread
		if old.author != (digest{}) {
			m.author = old.author
		}
	}
	return m, g.put(messageKey(id), appendMessage(nil, m))
}
