package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"
)

const (
	batch    = 1000 // members of a transaction, as delivery.batch is by default
	postSize = 1 << 10
)

// expand posts to a list that needs that many transactions, and compares with a client that sends
// the same recipients in as many transactions, side by side, over connections that are open already.
func expand(transactions, posts int) func(context.Context, *rig) (result, error) {
	return func(ctx context.Context, r *rig) (result, error) {
		members := transactions * batch
		list := largeList(members)
		if err := r.list(ctx, "main", list, members); err != nil {
			return result{}, err
		}
		raw, err := newBulk(r.sinkAddress, plan{members: members, batch: batch, connections: transactions}, letter(list, 0, postSize))
		if err != nil {
			return result{}, err
		}
		defer raw.close()
		a, err := newAuthor(r.ours, r.address, list, members, false)
		if err != nil {
			return result{}, err
		}
		defer a.close()
		if err := r.settle(ctx); err != nil {
			return result{}, err
		}
		res, err := r.compare(ctx, []sender{raw.send, a.send}, r.rounds, max(r.some(posts), 2), members)
		if err != nil {
			return res, err
		}
		return res, a.check()
	}
}

// settle posts to a list of one until the data folder is that of a superlistd that has been at work.
func (r *rig) settle(ctx context.Context) error {
	if r.settled {
		return nil
	}
	r.settled = true
	if err := r.list(ctx, "main", smallList, 1); err != nil {
		return err
	}
	a, err := newAuthor(r.ours, r.address, smallList, 1, false)
	if err != nil {
		return err
	}
	defer a.close()
	return a.wornIn(ctx, r.some(1500))
}

// sender sends one post to all members of a list, and returns how long that took.
type sender func(context.Context) (time.Duration, error)

// compare lets all send in turn, post by post, and takes the median of each round, in members per second. The ratio
// is that of the last two.
func (r *rig) compare(ctx context.Context, roads []sender, rounds, posts, members int) (result, error) {
	res := result{series: make([]series, len(roads))}
	for round := range rounds + 1 {
		took := make([]series, len(roads))
		for range posts {
			for i, send := range roads {
				if ctx.Err() != nil {
					return res, ctx.Err()
				}
				d, err := send(ctx)
				if err != nil {
					return res, err
				}
				took[i] = append(took[i], float64(members)/d.Seconds())
			}
		}
		for i := range took {
			if round > 0 { // the first one is to warm up
				res.series[i] = append(res.series[i], took[i].median())
			}
		}
	}
	n := len(roads)
	res.verdict = res.series[n-1].over(res.series[n-2])
	return res, nil
}

// expanded checks in superlistd's log that each of the posts was sent to all members: a 250 alone would not tell.
func expanded(p *process, list string, members, posts int) error {
	log, err := os.ReadFile(p.log)
	if err != nil {
		return err
	}
	found := 0
	for line := range bytes.Lines(log) {
		if bytes.Contains(line, []byte("post relayed ")) && bytes.Contains(line, fmt.Appendf(nil, " list=%s ", list)) &&
			bytes.Contains(line, fmt.Appendf(nil, " members=%d ", members)) {
			found++
		}
	}
	if found != posts {
		return fmt.Errorf("%d posts to %s were answered with 250, and superlistd's log tells of %d that went to %d members", posts, list, found, members)
	}
	return nil
}
