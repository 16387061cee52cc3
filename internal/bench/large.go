package main

import (
	"context"
	"fmt"
	"strings"
)

// Settings that lead the post of a large list all through, or into the spool; the latter are the defaults.
const (
	throughLarge = "[delivery]\nbatch = 50000\nmax_armed = 20\n"
	spoolDefault = "[delivery]\nbatch = 1000\nmax_armed = 20\n"
)

// rawConnections is over how many connections the raw client shares batches of 1000. From 1 to 40 were tried: one
// smtp-sink, which is the limit, is kept busy by any number.
const rawConnections = 10

// large is a post to many members.
type large struct {
	members int
	spooled bool
	posts   int // in a round
	rounds  int
	memory  bool // superlistd's largest resident size counts too
}

// plan is what the raw client does for the same.
func (l large) plan(members int) plan {
	if l.spooled {
		return plan{members: members, batch: batch, connections: rawConnections}
	}
	return plan{members: members, batch: 50_000, connections: 20}
}

// run compares a raw client with superlistd, which has a process of its own for it.
func (l large) run(ctx context.Context, r *rig) (result, error) {
	members := r.crowd(l.members)
	list := largeList(members)
	raw, err := newBulk(r.sinkAddress, l.plan(members), letter(list, 0, postSize))
	if err != nil {
		return result{}, err
	}
	defer raw.close()
	p, address, err := l.start(ctx, r)
	if err != nil {
		return result{}, err
	}
	defer p.stop()
	a, err := newAuthor(p, address, list, members, l.spooled)
	if err != nil {
		return result{}, err
	}
	defer a.close()
	res, err := r.compare(ctx, []sender{raw.send, a.send}, min(r.rounds, l.rounds), l.posts, members)
	if err != nil {
		return res, err
	}
	if l.memory {
		peak, _, err := p.resident()
		if err != nil {
			return res, err
		}
		res.also = series{peak / megabyte}
	}
	return res, a.check()
}

// crowd is how many members a large list has: fewer with -quick, but more than fit into the transactions that are
// armed side by side.
func (r *rig) crowd(members int) int {
	if r.quick {
		return 30_000
	}
	return members
}

// start starts a superlistd with the settings and the roster of the case.
func (l large) start(ctx context.Context, r *rig) (*process, string, error) {
	settings := throughLarge
	if l.spooled {
		settings = spoolDefault
	}
	return r.stocked(ctx, strings.ReplaceAll(l.name(), "/", "-"), r.sinkAddress, settings, r.crowd(l.members))
}

func (l large) name() string {
	if l.spooled {
		return fmt.Sprintf("spool/%d", l.members)
	}
	return fmt.Sprintf("through/%d", l.members)
}
