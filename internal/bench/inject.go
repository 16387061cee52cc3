package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// What is injected into a real Postfix: ten transactions of a thousand, side by side, by whoever does it.
const (
	injectMembers = 10_000
	injectRounds  = 3 // Postfix takes longer to deliver them than to take them
)

func injection(r *rig) plan {
	members := r.some(injectMembers)
	return plan{members: members, batch: members / 10, connections: 10}
}

// injector is one who injects, and how he ends.
type injector struct {
	send sender
	end  func() error
}

// inject compares what a raw client gets into Postfix with a post to superlistd, from its final dot to the 250.
func inject(ctx context.Context, r *rig) (result, error) {
	p := injection(r)
	return r.injected(ctx, "inject", p, func(after string) (injector, error) {
		settings := fmt.Sprintf("[delivery]\nbatch = %d\n", p.batch)
		ours, address, err := r.stocked(ctx, "inject", after, settings, p.members)
		if err != nil {
			return injector{}, err
		}
		a, err := newAuthor(ours, address, largeList(p.members), p.members, false)
		if err != nil {
			return injector{}, errors.Join(err, ours.stop())
		}
		return injector{a.send, func() error {
			a.close()
			return errors.Join(a.check(), ours.stop())
		}}, nil
	})
}

// injected lets a raw client and another one inject in turn into a Postfix of their own, whose queue is empty each time.
func (r *rig) injected(ctx context.Context, name string, of plan, start func(after string) (injector, error)) (res result, err error) {
	if os.Geteuid() != 0 {
		return result{left: "a private Postfix needs root"}, nil
	}
	dir := filepath.Join(r.dir, "postfix-"+name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return result{}, err
	}
	p, err := newPostfix(dir)
	if err != nil {
		return result{}, err
	}
	if err := p.start(ctx, r.rawAddress, r.address); err != nil { // filters that nobody uses
		return result{}, err
	}
	defer p.stop()
	raw, err := newBulk(p.after, of, letter(largeList(of.members), 0, postSize))
	if err != nil {
		return result{}, err
	}
	defer raw.close()
	ours, err := start(p.after)
	if err != nil {
		return result{}, err
	}
	defer func() { err = errors.Join(err, ours.end()) }()
	return r.compare(ctx, []sender{p.emptied(raw.send), p.emptied(ours.send)}, min(r.rounds, injectRounds), 1, of.members)
}

// emptied sends, and then waits until all is delivered.
func (p *privatePostfix) emptied(send sender) sender {
	return func(ctx context.Context) (time.Duration, error) {
		took, err := send(ctx)
		if err == nil {
			err = p.drained(ctx)
		}
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, p.lastWords())
		}
		return took, err
	}
}
