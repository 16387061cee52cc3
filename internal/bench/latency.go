package main

import (
	"context"
	"fmt"
)

const (
	latencySize     = 10 << 10
	latencyMessages = 1000
)

// latency measures what one client waits from its content, which it writes with its dot at once, until the
// 250: the median, and in the note the 99th percentile, in which a stall would show. The client has a kept
// connection to each road and uses them in turn, message by message.
func latency(ctx context.Context, r *rig) (result, error) {
	roads := []string{r.sinkAddress, r.rawAddress, r.address}
	clients := make([]*client, len(roads))
	for i, address := range roads {
		var err error
		if clients[i], err = dial(address); err != nil {
			return result{}, err
		}
		defer clients[i].close()
	}
	content := letter(outside, 0, latencySize)
	if _, err := waits(ctx, clients, content, 50); err != nil { // to warm up
		return result{}, err
	}
	res := result{series: make([]series, len(roads))}
	slow := make([]series, len(roads))
	for range r.rounds {
		took, err := waits(ctx, clients, content, r.some(latencyMessages))
		if err != nil {
			return res, err
		}
		for i := range took {
			res.series[i] = append(res.series[i], took[i].median())
			slow[i] = append(slow[i], took[i].quantile(0.99))
		}
	}
	res.verdict = res.series[2].minus(res.series[0])
	res.note = fmt.Sprintf("p99 %s, %s, %s", number(slow[0].median()), number(slow[1].median()), number(slow[2].median()))
	return res, nil
}

// waits sends n messages with each client and returns how long each took, in microseconds.
func waits(ctx context.Context, clients []*client, content []byte, n int) ([]series, error) {
	took := make([]series, len(clients))
	for range n {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for i, c := range clients {
			if err := c.open(outside); err != nil {
				return nil, err
			}
			d, err := c.finish(content)
			if err != nil {
				return nil, err
			}
			took[i] = append(took[i], float64(d.Nanoseconds())/1e3)
		}
	}
	return took, nil
}
