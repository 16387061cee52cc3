package soak_test

import (
	"testing"
	"time"
)

// kill -9 at any moment loses nothing that was told 250, and repeats nothing but what was under way.
func TestKills(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	kills := number(t, "SOAK_KILLS", 20)
	d := newDaemon(w.site)
	w.sink.vexed(trouble{mail: 0.001, rcpt: 0.00003, data: 0.002, dot: 0.005, drop: 0.00005, forget: 0.001, slow: 15 * time.Millisecond})
	r := random(w.seed, 1)
	d.start()
	d.answers()
	posters := w.begin(t.Context(), 10, d.door, d.door, d.door, d.door, d.door, d.door)
	defer posters.end()
	moves := w.beginMoves(t.Context(), d.config)
	defer moves.end()
	for range kills {
		time.Sleep(between(r, 5*time.Millisecond, 400*time.Millisecond))
		d.kill()
		w.killed()
		d.start()
	}
	posters.end()
	moves.end()
	w.sink.calm()
	w.drained(d.config, w.maintain(d.config))
	d.stop()
	v := w.judge()
	t.Logf("%d transactions in all", w.sink.transactions())
	if v.told == 0 || v.told < v.posts {
		t.Errorf("%d of %d posts were told 250", v.told, v.posts)
	}
	// A transaction is repeated only where the client may not know that it was taken, and once for that.
	if most := w.sink.unsure(); v.repeats > most {
		t.Errorf("%d transactions were repeated, and of %d only the client may not have known", v.repeats, most)
	}
}
