package soak_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// Two daemons, ten sessions of spawn(8) at a time, and listctl work on one data folder: no entry is worked on twice, and
// none is forgotten, also when only "superlistd maintain" is left to finish it. Senders come again by another process.
func TestSharedFolder(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		kill bool
	}{
		{"daemons are stopped: nothing is sent twice", false},
		{"one daemon is killed", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "spawn_linger = \"300ms\"\n")
			w.sink.vexed(trouble{mail: 0.001, rcpt: 0.00003, data: 0.002, dot: 0.005, slow: 40 * time.Millisecond})
			spawned := w.share(tt.kill)
			w.sink.calm()
			config := w.settings("127.0.0.1:1")
			w.drained(config, w.maintain(config))
			v := w.judge()
			t.Logf("%d processes of spawn", spawned)
			if v.told < v.posts || spawned < 10 {
				t.Errorf("%d of %d posts were told 250, %d processes of spawn", v.told, v.posts, spawned)
			}
			if !tt.kill && v.doubled > 0 {
				t.Errorf("%d members have a post twice, and nobody was killed", v.doubled)
			}
		})
	}
}

// share lets two daemons and many sessions of spawn work, and returns when only their spool is left.
func (w *world) share(kill bool) (spawned int) {
	w.t.Helper()
	first, second := newDaemon(w.site), newDaemon(w.site)
	spawn := &spawner{site: w.site, config: first.config}
	for _, d := range []*daemon{first, second} {
		d.start()
		d.answers()
	}
	doors := []door{first.door, second.door, first.door, second.door}
	for range 10 {
		doors = append(doors, spawn.door)
	}
	posters := w.begin(w.t.Context(), 10, doors...)
	defer posters.end()
	moves := w.beginMoves(w.t.Context(), first.config)
	defer moves.end()
	r := random(w.seed, 1)
	for range number(w.t, "SOAK_ROUNDS", 2) {
		for _, d := range []*daemon{first, second} {
			time.Sleep(between(r, 100*time.Millisecond, 500*time.Millisecond))
			if kill && d == second {
				d.kill()
				w.killed()
			} else {
				d.stop()
			}
			d.start()
		}
	}
	posters.end()
	moves.end()
	w.leaveSome(r, first, spawn)
	first.stop()
	second.stop()
	spawn.wg.Wait()
	for _, err := range spawn.errs {
		w.t.Error(err)
	}
	if left := w.must("listctl", "", "--config", first.config, "queue"); strings.Count(left, large) < 4 {
		w.t.Errorf("nothing is left for maintain:\n%s", left)
	}
	return spawn.started
}

// leaveSome puts posts into the spool that stay there.
func (w *world) leaveSome(r *rand.Rand, first *daemon, spawn *spawner) {
	w.t.Helper()
	w.sink.vexed(trouble{lists: 1})
	for range 2 {
		for _, open := range []door{first.door, spawn.door} {
			p := w.post(r, large)
			p.to = []string{large}
			if err := p.deliver(r, open); err != nil {
				w.t.Error(err)
			}
		}
	}
}
