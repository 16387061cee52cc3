package main

import (
	"context"
	"fmt"
)

const megabyte = 1e6

// memory measures the largest resident size of a superlistd that has just started and gets 50
// messages of 10 MiB at once: for somebody outside, or as posts to a small list.
func memory(to string) func(context.Context, *rig) (result, error) {
	return func(ctx context.Context, r *rig) (result, error) {
		res := result{series: make([]series, 1)}
		var idle, after float64
		for round := range min(r.rounds, 3) { // it hardly differs, and is half a gigabyte of content each time
			name := fmt.Sprintf("memory%d", round)
			peak, before, end, err := r.peak(ctx, name+to[:5], to)
			if err != nil {
				return res, err
			}
			idle, after = before, end
			res.series[0] = append(res.series[0], peak/megabyte)
		}
		res.verdict = res.series[0]
		res.note = fmt.Sprintf("%s MB idle, %s MB afterwards", number(idle/megabyte), number(after/megabyte))
		return res, nil
	}
}

func (r *rig) peak(ctx context.Context, name, to string) (peak, before, after float64, err error) {
	p, address, err := r.superlistd(ctx, name, r.sinkAddress, "")
	if err != nil {
		return 0, 0, 0, err
	}
	defer p.stop()
	const members = 10
	if to == smallList {
		if err := r.list(ctx, name, to, members); err != nil {
			return 0, 0, 0, err
		}
	}
	if _, before, err = p.resident(); err != nil {
		return 0, 0, 0, err
	}
	const sessions = 50
	if _, err := (load{size: 10 << 20, sessions: sessions, messages: sessions, to: to}).send(ctx, address); err != nil {
		return 0, 0, 0, err
	}
	if peak, after, err = p.resident(); err == nil && to == smallList {
		err = expanded(p, to, members, sessions)
	}
	return peak, before, after, err
}
