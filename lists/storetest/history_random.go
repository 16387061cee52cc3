package storetest

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"superlistd/lists"
	"superlistd/lists/memstore"
)

// testRandomHistory notes and forgets at random, in the history and in memstore's, and
// compares what they answer. A failure names its seed and step.
func testRandomHistory(t *testing.T, h history) {
	steps := 200
	if testing.Short() {
		steps = 80
	}
	seed := rand.Uint64()
	r := &randomHistory{t: t, rnd: rand.New(rand.NewPCG(seed, 1)), got: h.h, want: memstore.NewHistory(), now: day(1)}
	for i := range steps {
		r.what = fmt.Sprintf("seed %d, step %d", seed, i)
		r.step()
		r.compare()
		if t.Failed() {
			return
		}
	}
}

type randomHistory struct {
	t         *testing.T
	rnd       *rand.Rand
	got, want lists.History
	now       time.Time
	what      string
}

func (r *randomHistory) list() lists.Address {
	return lists.Address{Local: fmt.Sprintf("list%d", r.rnd.IntN(2)), Domain: "example.org"}
}

func (r *randomHistory) person() lists.Address {
	return lists.Address{Local: fmt.Sprintf("p%d", r.rnd.IntN(6)), Domain: "x"}
}

// id is one of few, so that posts meet.
func (r *randomHistory) id() string { return fmt.Sprintf("%d@x", r.rnd.IntN(25)) }

// step lets time pass, by minutes or by days, and does something.
func (r *randomHistory) step() {
	unit := []time.Duration{time.Second, 20 * time.Minute, 24 * time.Hour}[r.rnd.IntN(3)]
	r.now = r.now.Add(time.Duration(r.rnd.IntN(8)) * unit)
	if r.rnd.IntN(12) == 0 {
		before := r.now.Add(-time.Duration(r.rnd.IntN(70*24)) * time.Hour)
		r.both("Forget", func(h lists.History) (any, error) { return nil, h.Forget(r.t.Context(), before) })
		return
	}
	list := r.list()
	p := lists.Posted{Author: r.person(), MessageID: r.id(), At: r.now}
	for range r.rnd.IntN(4) {
		p.References = append(p.References, r.id())
	}
	if r.rnd.IntN(4) == 0 {
		p.Answered = append(p.Answered, r.person())
	}
	if r.rnd.IntN(8) > 0 {
		p.Key = fmt.Sprint(r.rnd.IntN(30))
	}
	r.both("Note", func(h lists.History) (any, error) { return nil, h.Note(r.t.Context(), list, p) })
}

func (r *randomHistory) compare() {
	list, key := r.list(), fmt.Sprint(r.rnd.IntN(30))
	hour, threads := r.now.Add(-time.Duration(r.rnd.IntN(61))*time.Minute), r.now.Add(-time.Duration(r.rnd.IntN(61*24))*time.Hour)
	if threads.Before(r.now.Add(-lists.ThreadMemory)) {
		threads = r.now.Add(-lists.ThreadMemory)
	}
	for range 3 {
		who, ids := r.person(), []string{r.id(), r.id()}
		r.both("Recent", func(h lists.History) (any, error) {
			byAuthor, byList, err := h.Recent(r.t.Context(), list, who, key, hour)
			return [2]int{byAuthor, byList}, err
		})
		r.both("InThread", func(h lists.History) (any, error) { return h.InThread(r.t.Context(), list, who, ids, threads) })
	}
}

func (r *randomHistory) both(method string, do func(lists.History) (any, error)) {
	got, err := do(r.got)
	want, errWant := do(r.want)
	if err != nil || errWant != nil {
		r.t.Errorf("%s: %s: %v, %v", r.what, method, err, errWant)
	}
	equal(r.t, r.what+": "+method, got, want)
}
