package soak_test

import (
	"sync"
	"testing"
	"time"
)

// Random operations against the model of who must have what: posts, crashes, stops, people who come and go, a next hop
// that is away or out of sorts, maintain beside the daemon.
func TestModel(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "spawn_linger = \"0\"\n")
	steps := number(t, "SOAK_STEPS", 40)
	d := newDaemon(w.site)
	spawn := &spawner{site: w.site, config: d.config}
	r := random(w.seed, 1)
	d.start()
	var posts sync.WaitGroup
	deliver := func(to []string, open door) {
		p, rp := w.post(r, to...), random(w.seed, 100+uint64(len(w.posts)))
		posts.Go(func() {
			if err := p.deliver(rp, open); err != nil {
				t.Error(err)
			}
		})
	}
	doors := []door{d.door, d.door, spawn.door}
	for range steps {
		switch n := r.IntN(20); {
		case n < 5:
			deliver(append(choose(r), "friend0@far.test"), doors[r.IntN(3)])
		case n < 8:
			deliver(chooseLarge(r), doors[r.IntN(3)])
		case n < 11:
			d.kill()
			w.killed()
			d.start()
		case n < 13:
			d.stop()
			d.start()
		case n < 15:
			w.move(r, d.config)
		case n == 15:
			w.sink.down()
		case n == 16:
			w.sink.vexed(trouble{mail: 0.01, rcpt: 0.0005, data: 0.02, dot: 0.05, drop: 0.0005, forget: 0.01, slow: 10 * time.Millisecond})
		case n == 17:
			w.must("superlistd", "", "maintain", "--config", d.config, "--for", "100ms")
		default:
			w.sink.up()
			w.sink.calm()
		}
		time.Sleep(between(r, 0, 150*time.Millisecond))
	}
	w.sink.up()
	w.sink.calm()
	posts.Wait()
	spawn.wg.Wait()
	d.answers()
	w.drained(d.config, w.maintain(d.config))
	d.stop()
	for _, err := range spawn.errs {
		t.Error(err)
	}
	if v := w.judge(); v.told < v.posts || v.posts == 0 {
		t.Errorf("%d of %d posts were told 250", v.told, v.posts)
	}
}
