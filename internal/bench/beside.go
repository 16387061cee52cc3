package main

import (
	"context"
	"sync"
	"sync/atomic"
)

// beside measures a post to ten members alone, and while the spool sends one to a hundred thousand: then it is posted
// at the same moment and again and again until the other one is delivered, and the slowest counts.
func beside(ctx context.Context, r *rig) (result, error) {
	members := r.crowd(100_000)
	p, address, err := r.stocked(ctx, "beside", r.sinkAddress, spoolDefault, members)
	if err != nil {
		return result{}, err
	}
	defer p.stop()
	small, err := newAuthor(p, address, tenList, ten, false)
	if err != nil {
		return result{}, err
	}
	defer small.close()
	busy, err := newAuthor(p, address, largeList(members), members, true)
	if err != nil {
		return result{}, err
	}
	defer busy.close()
	if err := small.wornIn(ctx, r.some(1500)); err != nil {
		return result{}, err
	}
	res := result{series: make([]series, 2)}
	for range r.rounds {
		alone, err := small.while(ctx, func(sent int) bool { return sent < 100 })
		if err != nil {
			return res, err
		}
		together, err := small.during(ctx, busy)
		if err != nil {
			return res, err
		}
		res.series[0] = append(res.series[0], alone.median())
		res.series[1] = append(res.series[1], together.quantile(1))
	}
	res.verdict = res.series[1].minus(res.series[0])
	return res, small.check()
}

// while posts once and as often as more says, and returns how long each post took, in milliseconds.
func (a *author) while(ctx context.Context, more func(sent int) bool) (series, error) {
	var took series
	for len(took) == 0 || more(len(took)) {
		if ctx.Err() != nil {
			return took, ctx.Err()
		}
		d, err := a.send(ctx)
		if err != nil {
			return took, err
		}
		took = append(took, d.Seconds()*1e3)
	}
	return took, nil
}

// during posts while the other author's post is under way.
func (a *author) during(ctx context.Context, other *author) (series, error) {
	var delivered atomic.Bool
	var failed error
	var wg sync.WaitGroup
	wg.Go(func() {
		defer delivered.Store(true)
		_, failed = other.send(ctx)
	})
	took, err := a.while(ctx, func(int) bool { return !delivered.Load() })
	wg.Wait()
	if err == nil {
		err = failed
	}
	return took, err
}
