package main

import (
	"context"
	"sync"

	"superlistd/delivery"
	"superlistd/delivery/spool"
)

const (
	personalMembers = 5_000
	personalRounds  = 3
	perList         = 5 // delivery.spool_per_list as it is by default
)

// personal compares a raw client that sends each member a message of his own, over as many connections, with personal
// copies, from the post's acceptance to the last one.
func personal(ctx context.Context, r *rig) (result, error) {
	members := r.some(personalMembers)
	var c delivery.Copy
	if err := own(delivery.Person{Member: []byte(member(0))}, &c); err != nil {
		return result{}, err
	}
	content := letter(largeList(members), 0, postSize+len(c.Fields)+len(c.Footer))
	raw, err := newBulk(r.sinkAddress, plan{members: members, batch: 1, connections: perList}, content)
	if err != nil {
		return result{}, err
	}
	defer raw.close()
	h, err := r.newHand(ctx, "personal", r.sinkAddress, members, delivery.Options{
		Batch: batch, MaxArmed: 20, Connections: 60, RelayShare: 20,
		Spool:            spool.Open(r.data("personal"), spool.Options{High: 2e9, Low: 1e9, Entries: 5000, Slots: 2 * perList}),
		SpoolConnections: 2 * perList, SpoolPerList: perList,
		Personal: map[string]delivery.Personal{"bench": own},
	})
	if err != nil {
		return result{}, err
	}
	defer h.close()
	h.route.Personal = "bench"
	working, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { h.d.Spooler().Run(working) })
	defer wg.Wait()
	defer stop()
	return r.compare(ctx, []sender{raw.send, h.spooled}, min(r.rounds, personalRounds), 2, members)
}

// own is what a member's copy has of its own.
func own(p delivery.Person, c *delivery.Copy) error {
	c.ReversePath = "list-bounces@" + domain
	c.Fields = append(append(append(c.Fields, "List-Unsubscribe: <mailto:list-unsubscribe+"...), p.Member...), "@"+domain+">\r\n"...)
	c.Footer = append(append(append(c.Footer, "-- \r\nThis copy is for "...), p.Member...), ".\r\n"...)
	return nil
}
