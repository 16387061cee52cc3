package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"sync"
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
		list := fmt.Sprintf("list%d@%s", members, domain)
		if err := r.list(ctx, "main", list, members); err != nil {
			return result{}, err
		}
		raw, err := newBulk(r.sinkAddress, transactions, letter(list, 0, postSize))
		if err != nil {
			return result{}, err
		}
		defer raw.close()
		author, err := dial(r.address)
		if err != nil {
			return result{}, err
		}
		defer author.close()
		if err := r.settle(ctx, author); err != nil {
			return result{}, err
		}
		return r.compare(ctx, raw, author, list, posts, members)
	}
}

// settle posts to a list of one until the data folder is that of a superlistd that has been at work. Its retry guard makes
// 256 files in five days, at half a millisecond each, and on a new folder most of the first posts would pay for one.
func (r *rig) settle(ctx context.Context, author *client) error {
	if r.settled {
		return nil
	}
	r.settled = true
	if err := r.list(ctx, "main", smallList, 1); err != nil {
		return err
	}
	for i := range r.some(1500) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := author.open(smallList); err != nil {
			return err
		}
		if _, err := author.finish(letter(smallList, i, postSize)); err != nil {
			return err
		}
	}
	return nil
}

// compare lets both send in turn, post by post, and takes the median of each round.
func (r *rig) compare(ctx context.Context, raw *bulk, author *client, list string, posts, members int) (result, error) {
	sent := 0
	post := func() (time.Duration, error) {
		sent++
		content := letter(list, sent, postSize)
		if err := author.open(list); err != nil {
			return 0, err
		}
		return author.finish(content)
	}
	res := result{series: make([]series, 2)}
	for round := range r.rounds + 1 {
		took := make([]series, 2)
		for range max(r.some(posts), 2) {
			if ctx.Err() != nil {
				return res, ctx.Err()
			}
			for i, send := range []func() (time.Duration, error){raw.send, post} {
				d, err := send()
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
	res.verdict = res.series[1].over(res.series[0])
	return res, expanded(r.ours, list, members, sent)
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

// bulk is the yardstick of an expansion: connections that each send one transaction of a batch.
type bulk struct {
	clients   []*client
	envelopes [][]byte
	content   []byte
}

func newBulk(address string, transactions int, content []byte) (*bulk, error) {
	b := &bulk{content: content}
	for i := range transactions {
		c, err := dial(address)
		if err != nil {
			b.close()
			return nil, err
		}
		b.clients = append(b.clients, c)
		b.envelopes = append(b.envelopes, envelope(i*batch, batch))
	}
	return b, nil
}

func (b *bulk) close() {
	for _, c := range b.clients {
		c.close()
	}
}

// send sends all transactions side by side and returns how long the last one took.
func (b *bulk) send() (time.Duration, error) {
	begin := time.Now()
	errs := make([]error, len(b.clients))
	var wg sync.WaitGroup
	for i, c := range b.clients {
		wg.Go(func() { errs[i] = c.bulk(b.envelopes[i], batch, b.content) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return 0, err
		}
	}
	return time.Since(begin), nil
}
