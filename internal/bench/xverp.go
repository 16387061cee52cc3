package main

import (
	"context"

	"superlistd/delivery"
)

// xverp are the delimiters that Postfix is asked to make the reverse-paths with.
const xverp = "-="

// injectVERP is inject with a reverse-path for each member, which Postfix makes. No setting of a list asks for that
// yet, so superlistd is its delivery here, with the program's store, inside this process.
func injectVERP(ctx context.Context, r *rig) (result, error) {
	p := injection(r)
	p.xverp = " XVERP=" + xverp
	return r.injected(ctx, "verp", p, func(after string) (injector, error) {
		h, err := r.newHand(ctx, "verp", after, p.members, delivery.Options{
			Batch: p.batch, MaxArmed: p.connections, Connections: 2 * p.connections, RelayShare: p.connections,
		})
		if err != nil {
			return injector{}, err
		}
		h.route.XVERP = xverp
		return injector{h.through, h.close}, nil
	})
}
