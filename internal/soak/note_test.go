package soak_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A daemon that is killed between its promise and the retry guard's note of it has said nothing to its client, who comes
// again when the entry may have been delivered already: then nothing is sent.
func TestKillBeforeTheNote(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	d := newDaemon(w.site)
	d.start()
	d.answers()
	r := random(w.seed, 1)
	w.sink.vexed(trouble{lists: 1})
	p := w.post(r, large)
	p.to = []string{large}
	if err := p.deliver(r, d.door); err != nil {
		t.Fatal(err)
	}
	d.kill()
	w.killed()
	notes, err := filepath.Glob(filepath.Join(w.data, "guard", "*", "*"))
	if err != nil || len(notes) == 0 {
		t.Fatalf("notes of the retry guard: %q, %v", notes, err)
	}
	for _, path := range notes {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	w.sink.calm()
	d.start()
	d.answers()
	w.drained(d.config, func() { time.Sleep(10 * time.Millisecond) })
	if err := p.deliver(r, d.door); err != nil {
		t.Fatal(err)
	}
	w.drained(d.config, w.maintain(d.config))
	d.stop()
	if v := w.judge(); v.doubled > 0 {
		t.Errorf("%d members have the post twice", v.doubled)
	}
}

// A daemon that is killed when one of several transactions is in sends that one no second time.
func TestKillBetweenDots(t *testing.T) {
	t.Parallel()
	for _, list := range []string{middle, large} {
		t.Run(list, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "")
			d := newDaemon(w.site)
			d.start()
			d.answers()
			r := random(w.seed, 1)
			w.sink.vexed(trouble{later: time.Second})
			p := w.post(r, list)
			p.to = []string{list}
			done := make(chan error, 1)
			go func() { done <- p.deliver(r, d.door) }()
			w.sink.wait(1)
			time.Sleep(500 * time.Millisecond)
			d.kill()
			w.killed()
			w.sink.trusted()
			w.sink.calm()
			d.start()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			d.answers()
			w.drained(d.config, w.maintain(d.config))
			d.stop()
			w.judge()
		})
	}
}

// A client that lost our reply comes again by another process, while the first one still delivers: nothing is sent twice.
func TestRetryByAnotherProcess(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	first, second := newDaemon(w.site), newDaemon(w.site)
	for _, d := range []*daemon{first, second} {
		d.start()
		d.answers()
	}
	w.sink.vexed(trouble{later: time.Second})
	r := random(w.seed, 1)
	p := w.post(r, middle)
	p.to = []string{middle}
	conn, err := first.door()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.hand(conn, 300*time.Millisecond); !errors.Is(err, errDeaf) {
		t.Fatal(err)
	}
	if err := p.deliver(r, second.door); err != nil {
		t.Fatal(err)
	}
	first.stop()
	second.stop()
	if v := w.judge(); v.doubled > 0 {
		t.Errorf("%d members have the post twice", v.doubled)
	}
}
