package bouncing_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"superlistd/bouncing"
)

// Bounces that come while a commit is on its way share the next one.
func TestBouncesShareCommits(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 202, "bounce_storm", "off")
	var mu sync.Mutex
	commits := 0
	first, all := make(chan struct{}), make(chan struct{})
	h.Fail = func(step string) error {
		if step != "book" {
			return nil
		}
		mu.Lock()
		commits++
		n := commits
		mu.Unlock()
		if n == 1 {
			close(first)
			<-all
		}
		return nil
	}
	extension, l := extension(t, h.path()), h.Settings()
	var wg sync.WaitGroup
	take := func(i int) {
		wg.Go(func() {
			if err := h.desk.Take(t.Context(), l, fmt.Sprintf("%s+m%d=n.test", extension, i), strings.NewReader(gone("x@n.test", "1@m.test"))); err != nil {
				t.Error(err)
			}
		})
	}
	take(0)
	<-first
	for i := 1; i < 200; i++ {
		take(i)
	}
	for bouncing.Waiting(h.desk) < 199 {
		time.Sleep(time.Millisecond)
	}
	close(all)
	wg.Wait()
	if commits != 2 {
		t.Errorf("%d commits for 200 bounces", commits)
	}
	if all, err := h.desk.Standings(t.Context(), h.List); err != nil || len(all) != 200 {
		t.Errorf("%d members have points, %v", len(all), err)
	}
}

// One whose own end has come waits no longer, and harms no other; what fails, fails alone.
func TestQueueFaults(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 20, "bounce_storm", "off")
	began, goOn := make(chan struct{}), make(chan struct{})
	var mu sync.Mutex
	calls := 0
	h.Fail = func(step string) error {
		if step != "book" {
			return nil
		}
		mu.Lock()
		calls++
		n := calls
		mu.Unlock()
		switch n {
		case 1:
			close(began)
			<-goOn
		case 2: // the commit of those who waited
			return errFault
		}
		return nil
	}
	extension, l := extension(t, h.path()), h.Settings()
	take := func(ctx context.Context, i int) <-chan error {
		done := make(chan error, 1)
		go func() {
			done <- h.desk.Take(ctx, l, fmt.Sprintf("%s+m%d=n.test", extension, i), strings.NewReader(gone("x@n.test", "1@m.test")))
		}()
		return done
	}
	ctx, cancel := context.WithCancel(t.Context())
	one := take(t.Context(), 0)
	<-began
	cut := take(ctx, 1)
	two, three := take(t.Context(), 2), take(t.Context(), 3)
	for bouncing.Waiting(h.desk) < 3 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-cut; !errors.Is(err, context.Canceled) {
		t.Errorf("the one that was cut: %v", err)
	}
	close(goOn)
	for i, done := range []<-chan error{one, two, three} {
		if err := <-done; err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	for i, want := range []float64{1, 0, 1, 1} {
		if got := h.score(fmt.Sprintf("m%d@n.test", i)); got != want {
			t.Errorf("m%d has %v points, want %v", i, got, want)
		}
	}
}
