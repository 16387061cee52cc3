package soak_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The lists: a small and a middle one that share members, and a large one that holds the members of both.
const (
	small  = "small@lists.test"
	middle = "middle@lists.test"
	large  = "large@lists.test"
)

const (
	movers  = 24 // of each list: the first half join while it runs, the others leave
	friends = 20 // who are named beside lists
	nobodys = 50 // who never are on a list
)

// mover is somebody who joins or leaves a list.
type mover struct {
	person       int32
	list         string
	joins        bool
	begun, ended time.Time // of listctl
}

// world is a data folder with lists, whoever works on it, and the model of who must have what.
type world struct {
	*site
	seed  uint64
	began time.Time
	sink  *sink

	names   []string // of everybody
	people  map[string]int32
	members map[string][]int32 // who stay

	mu     sync.Mutex
	posts  []*post
	movers []*mover
	kills  []time.Time
}

// newWorld makes a world whose lists are there already.
func newWorld(t *testing.T, more string) *world {
	t.Helper()
	w := newQuietWorld(t, more)
	w.populate()
	return w
}

func newQuietWorld(t *testing.T, more string) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{
		site: &site{t: t, dir: dir, data: filepath.Join(dir, "data"), more: more}, seed: seed(t), began: time.Now(),
		people: map[string]int32{}, members: map[string][]int32{},
	}
	if err := os.Mkdir(w.data, 0o750); err != nil {
		t.Fatal(err)
	}
	for n := range 5000 {
		w.person(fmt.Sprintf("m%05d@far.test", n))
	}
	for name, of := range map[string][2]int32{small: {0, 10}, middle: {5, 305}, large: {0, 5000}} {
		for n := of[0]; n < of[1]; n++ {
			w.members[name] = append(w.members[name], n)
		}
	}
	for _, list := range []string{small, middle, large} {
		for n := range movers {
			who := w.person(fmt.Sprintf("m%05d.%s", 200*n+3, strings.Replace(list, "@lists", "@far", 1)))
			w.movers = append(w.movers, &mover{person: who, list: list, joins: n%2 == 0})
		}
	}
	for n := range nobodys {
		w.person(fmt.Sprintf("nobody%d@far.test", n))
	}
	for n := range friends {
		w.person(fmt.Sprintf("friend%d@far.test", n))
	}
	w.sink = newSink(t, w.seed, w.people)
	w.relay = w.sink.address
	return w
}

func (w *world) person(name string) int32 {
	id := int32(len(w.names))
	w.names = append(w.names, name)
	w.people[name] = id
	return id
}

// populate makes the lists. The small one's members have copies of their own; those of the large one of some posts, since the sink
// offers no XVERP; the middle one's share theirs.
func (w *world) populate() {
	w.t.Helper()
	config := w.settings("127.0.0.1:1")
	for _, list := range []string{small, middle, large} {
		w.must("listctl", "", "--config", config, "create", list, "post=anyone")
		if how := map[string]string{small: "copies=personal", large: "verp=every 5"}[list]; how != "" {
			w.must("listctl", "", "--config", config, "set", list, how)
		}
		var in strings.Builder
		for _, id := range w.members[list] {
			fmt.Fprintln(&in, w.names[id])
		}
		for _, m := range w.movers {
			if m.list == list && !m.joins {
				fmt.Fprintln(&in, w.names[m.person])
			}
		}
		w.must("listctl", in.String(), "--config", config, "add", list, "-")
	}
}

// post makes a new one.
func (w *world) post(r *rand.Rand, to ...string) *post {
	p := &post{to: slices.Clone(to), size: 200 + r.IntN(2500)}
	switch r.IntN(20) {
	case 0:
		p.size = 100_000 // in chunks to the next hop
	case 1:
		p.size = 300_000 // in a file
	}
	if r.IntN(4) == 0 {
		for range 1 + r.IntN(2) {
			if f := fmt.Sprintf("friend%d@far.test", r.IntN(friends)); !slices.Contains(p.to, f) {
				p.to = append(p.to, f)
			}
		}
	}
	r.Shuffle(len(p.to), func(i, j int) { p.to[i], p.to[j] = p.to[j], p.to[i] })
	w.mu.Lock()
	defer w.mu.Unlock()
	p.id = len(w.posts)
	w.posts = append(w.posts, p)
	return p
}

// move lets somebody join or leave.
func (w *world) move(r *rand.Rand, config string) {
	m := w.movers[r.IntN(len(w.movers))]
	if !m.begun.IsZero() {
		return
	}
	verb := "remove"
	if m.joins {
		verb = "add"
	}
	w.mu.Lock()
	m.begun = time.Now()
	w.mu.Unlock()
	if _, err := w.run("listctl", "", "--config", config, verb, m.list, w.names[m.person]); err != nil {
		w.t.Error(err)
		return
	}
	w.mu.Lock()
	m.ended = time.Now()
	w.mu.Unlock()
}

// load is what comes in until it is stopped.
type load struct {
	stop context.CancelFunc
	wg   sync.WaitGroup
}

// end lets everybody finish what they have begun.
func (l *load) end() {
	l.stop()
	l.wg.Wait()
}

// choose says to which lists the n-th post of a poster goes.
func choose(r *rand.Rand) []string {
	switch n := r.IntN(20); {
	case n < 10:
		return []string{small}
	case n < 15:
		return []string{middle}
	case n < 18:
		return []string{small, middle}
	default:
		return nil // no list: mail that is only relayed
	}
}

func chooseLarge(r *rand.Rand) []string {
	return [][]string{{large}, {large}, {small, large}, {middle, large}, {small, middle, large}}[r.IntN(5)]
}

// begin starts a poster for each door; every fourth one sends to the large list. Now and then they try another door.
func (w *world) begin(ctx context.Context, stream uint64, doors ...door) *load {
	l := &load{}
	ctx, l.stop = context.WithCancel(ctx)
	for i, own := range doors {
		r := random(w.seed, stream+uint64(i))
		open := func() (net.Conn, error) {
			if r.IntN(3) == 0 {
				return doors[r.IntN(len(doors))]()
			}
			return own()
		}
		choose, rest := choose, 40*time.Millisecond
		if i%4 == 0 {
			choose, rest = chooseLarge, 300*time.Millisecond
		}
		l.wg.Go(func() {
			for ctx.Err() == nil {
				to := choose(r)
				if to == nil {
					to = []string{fmt.Sprintf("friend%d@far.test", r.IntN(friends))}
				}
				if err := w.post(r, to...).deliver(r, open); err != nil {
					w.t.Error(err)
					return
				}
				time.Sleep(between(r, 0, rest))
			}
		})
	}
	return l
}

// beginMoves lets people join and leave.
func (w *world) beginMoves(ctx context.Context, config string) *load {
	l := &load{}
	ctx, l.stop = context.WithCancel(ctx)
	r := random(w.seed, 500)
	l.wg.Go(func() {
		for ctx.Err() == nil {
			w.move(r, config)
			time.Sleep(between(r, 0, 200*time.Millisecond))
		}
	})
	return l
}

// killed notes that a process was killed.
func (w *world) killed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kills = append(w.kills, time.Now())
}

// drained waits until "listctl queue" prints nothing, as long as the sink is given more. What had to wait for its next
// attempt is made due, and work lends a hand after that.
func (w *world) drained(config string, work func()) {
	w.t.Helper()
	end, got := time.Now().Add(patience), -1
	for ; ; time.Sleep(50 * time.Millisecond) {
		left := w.must("listctl", "", "--config", config, "queue")
		if left == "" {
			return
		}
		if n := w.sink.transactions(); n != got {
			end, got = time.Now().Add(patience), n
		}
		if time.Now().After(end) {
			w.t.Fatalf("the spool is not empty, and nothing came out of it for %v:\n%s", patience, left)
		}
		w.must("listctl", "", "--config", config, "queue", "retry", "all")
		work()
	}
}

// maintain is what drained calls for when nobody else works, or when nobody looks often.
func (w *world) maintain(config string) func() {
	return func() { w.must("superlistd", "", "maintain", "--config", config) }
}
