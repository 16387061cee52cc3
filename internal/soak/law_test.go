package soak_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

// verdict is what a run came to.
type verdict struct {
	posts, told int
	owed        int // copies that had to arrive
	lost        int // of them, not arrived
	strays      int // copies for whoever was not to have one
	doubled     int // copies beside the first
	repeats     int // transactions that held them
	wrong       int // copies too many for which there is no excuse
}

func (v verdict) String() string {
	return fmt.Sprintf("%d posts, %d told 250, %d copies owed, %d lost, %d doubled in %d transactions, %d without an excuse, %d strays",
		v.posts, v.told, v.owed, v.lost, v.doubled, v.repeats, v.wrong, v.strays)
}

// What a person may have to do with a post.
const (
	stranger = iota // must not have it
	perhaps         // came or went meanwhile
	must
)

// audience tells what everybody has to do with a post; the caller holds w.mu.
func (w *world) audience(p *post) []uint8 {
	who := make([]uint8, len(w.names))
	mark := func(person int32, as uint8) { who[person] = max(who[person], as) }
	for _, to := range p.to {
		if id, ok := w.people[to]; ok {
			mark(id, must)
		}
		for _, id := range w.members[to] {
			mark(id, must)
		}
		for _, m := range w.movers {
			if m.list == to {
				mark(m.person, m.as(p))
			}
		}
	}
	return who
}

// as tells what somebody who joins or leaves a list has to do with a post to it.
func (m *mover) as(p *post) uint8 {
	moved := !m.begun.IsZero()
	before := !m.ended.IsZero() && m.ended.Before(p.begun)
	switch {
	case m.joins && before, !m.joins && !moved:
		return must
	case m.joins && !moved, !m.joins && before:
		return stranger
	}
	return perhaps
}

// judge checks the law, and tells of the first breaches.
func (w *world) judge() verdict {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sink.mu.Lock()
	defer w.sink.mu.Unlock()
	for _, why := range w.sink.broken[:min(len(w.sink.broken), 5)] {
		w.t.Errorf("the next hop: %s", why)
	}
	byPost := make([][]*taken, len(w.posts))
	for _, tx := range w.sink.queue {
		byPost[tx.post] = append(byPost[tx.post], tx)
	}
	v := verdict{posts: len(w.posts)}
	for i, p := range w.posts {
		w.judgePost(&v, p, byPost[i])
	}
	w.t.Logf("%d kills, %s", len(w.kills), v)
	if v.lost+v.strays+v.wrong > 0 {
		w.t.Errorf("SOAK_SEED=%d: the law is broken: %s", w.seed, v)
	}
	return v
}

func (w *world) judgePost(v *verdict, p *post, txs []*taken) {
	who := w.audience(p)
	lists := slices.ContainsFunc(p.to, func(to string) bool { return w.members[to] != nil })
	copies, unsure := make([]int, len(who)), make([]int, len(who))
	for _, tx := range txs {
		again := false
		for _, id := range tx.rcpts {
			again = again || copies[id] > 0
			copies[id]++
			if !tx.sure {
				unsure[id]++
			}
		}
		if again && lists {
			v.repeats++
		}
	}
	if !p.told.IsZero() {
		v.told++
	}
	for id, as := range who {
		if lists {
			v.doubled += max(copies[id]-1, 0)
		}
		switch {
		case as == must && !p.told.IsZero():
			v.owed++
			if copies[id] == 0 {
				w.breach(&v.lost, "LOST", p, int32(id), txs)
			}
		case as == stranger && copies[id] > 0:
			w.breach(&v.strays, "STRAY", p, int32(id), txs)
		}
		// Each copy but one must be of a transaction whose client may have died before it knew that it was taken; mail that is
		// only relayed streams through, and also comes again for each answer that its sender did not hear.
		excuses := unsure[id]
		if !lists {
			excuses += p.unheard
		}
		if copies[id] > 1 && excuses < copies[id]-1 {
			w.breach(&v.wrong, "DOUBLED", p, int32(id), txs)
		}
	}
}

// breach counts one, and tells all about the first of its kind.
func (w *world) breach(n *int, what string, p *post, person int32, txs []*taken) {
	*n++
	if *n > 1 {
		return
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%s: post %d of %d octets to %s, and %s\n", what, p.id, p.size, p.to, w.names[person])
	for _, line := range p.history {
		fmt.Fprintf(&out, "  attempt %s\n", line)
	}
	for _, tx := range txs {
		if slices.Contains(tx.rcpts, person) {
			fmt.Fprintf(&out, "  queued  %s connection %d, with %d others, client knows it: %v\n",
				tx.at.Format("15:04:05.000"), tx.conn, len(tx.rcpts)-1, tx.sure)
		}
	}
	fmt.Fprintf(&out, "  of %d transactions\n", len(txs))
	for _, at := range w.kills {
		if at.After(p.begun.Add(-time.Second)) && at.Before(p.begun.Add(10*time.Second)) {
			fmt.Fprintf(&out, "  kill    %s\n", at.Format("15:04:05.000"))
		}
	}
	w.t.Errorf("%s  log:\n%s", out.String(), w.logOf(p))
}

var entryID = regexp.MustCompile(`\b[0-9a-f]{32}\b`)

// logOf picks the lines about a post and its entries from the log.
func (w *world) logOf(p *post) string {
	text, err := os.ReadFile(w.log())
	if err != nil {
		return err.Error()
	}
	own := "<" + p.from() + ">"
	entries := entryID.FindAllString(linesWith(string(text), own), -1)
	return linesWith(string(text), append(entries, own)...)
}

func linesWith(text string, marks ...string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if slices.ContainsFunc(marks, func(mark string) bool { return strings.Contains(line, mark) }) {
			out.WriteString("    " + line)
		}
	}
	return out.String()
}
