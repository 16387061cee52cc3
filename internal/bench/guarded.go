package main

import (
	"bytes"
	"context"
	"time"
)

// guarded compares a post to ten members with the same one that the retry guard cannot know: it has neither Message-ID
// nor Date, but other fields of the same length in their place. They take turns, post by post.
func guarded(ctx context.Context, r *rig) (result, error) {
	if err := r.settle(ctx); err != nil {
		return result{}, err
	}
	if err := r.list(ctx, "main", tenList, ten); err != nil {
		return result{}, err
	}
	a, err := newAuthor(r.ours, r.address, tenList, ten, false)
	if err != nil {
		return result{}, err
	}
	defer a.close()
	without := func(ctx context.Context) (time.Duration, error) {
		a.sent++
		took, _, err := a.post(ctx, unguarded(letter(a.list, a.sent, postSize)))
		return took, err
	}
	res, err := r.compare(ctx, []sender{without, a.send}, r.rounds, max(r.some(500), 10), ten)
	if err != nil {
		return res, err
	}
	for i := range res.series { // members a second into microseconds a post
		for j, rate := range res.series[i] {
			res.series[i][j] = ten / rate * 1e6
		}
	}
	res.verdict = res.series[1].over(res.series[0])
	return res, a.check()
}

func unguarded(content []byte) []byte {
	content = bytes.Replace(content, []byte("\r\nMessage-ID: "), []byte("\r\nX-Sequence: "), 1)
	return bytes.Replace(content, []byte("\r\nDate: "), []byte("\r\nSent: "), 1)
}
