package main

import (
	"context"
	"time"
)

// author posts to one list over one connection, and knows when the last copy is accepted.
type author struct {
	*client
	p       *process
	log     *follower // nil: with the 250
	list    string
	members int
	sent    int
}

func newAuthor(p *process, address, list string, members int, spooled bool) (*author, error) {
	a := &author{p: p, list: list, members: members}
	var err error
	if a.client, err = dial(address); err != nil {
		return nil, err
	}
	if !spooled {
		return a, nil
	}
	if a.log, err = p.follow(); err != nil {
		a.client.close()
		return nil, err
	}
	return a, nil
}

func (a *author) close() {
	if a == nil {
		return
	}
	a.client.close()
	if a.log != nil {
		a.log.close()
	}
}

// send posts, and returns how long it took from the final dot until the next hop had accepted the last copy.
func (a *author) send(ctx context.Context) (time.Duration, error) {
	_, all, err := a.accepted(ctx)
	return all, err
}

// accepted posts, waits for the last copy, and returns how long the 250 and the last copy took from the final dot.
func (a *author) accepted(ctx context.Context) (reply, all time.Duration, err error) {
	a.sent++
	return a.post(ctx, letter(a.list, a.sent, postSize))
}

// post is accepted for any content.
func (a *author) post(ctx context.Context, content []byte) (reply, all time.Duration, err error) {
	if err := a.open(a.list); err != nil {
		return 0, 0, err
	}
	begin := time.Now()
	if reply, err = a.finish(content); err != nil || a.log == nil {
		return reply, reply, err
	}
	err = a.log.delivered(ctx, a.list, a.members)
	return reply, time.Since(begin), err
}

// wornIn posts until the data folder is that of a superlistd that has been at work. Its retry guard makes 256 files in
// five days, at half a millisecond each, and on a new folder most of the first posts would pay for one.
func (a *author) wornIn(ctx context.Context, posts int) error {
	for range posts {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if _, err := a.send(ctx); err != nil {
			return err
		}
	}
	return nil
}

// check looks into the log whether every post went where it should. Those by the spool are looked for while they are sent.
func (a *author) check() error {
	if a.log != nil {
		return nil
	}
	return expanded(a.p, a.list, a.members, a.sent)
}
