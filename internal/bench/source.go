package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"time"
)

// load is what one run of smtp-source sends.
type load struct {
	size     int // octets of content, without its header
	sessions int // at once
	kept     bool
	messages int
	to       string // empty: somebody outside
}

// send runs smtp-source and returns messages per second. It fails when any message is refused.
func (l load) send(ctx context.Context, address string) (float64, error) {
	to := l.to
	if to == "" {
		to = outside
	}
	// A connection that is refused because the queue of the listener is full is tried again.
	args := []string{"-C", "10", "-s", strconv.Itoa(l.sessions), "-m", strconv.Itoa(l.messages), "-l", strconv.Itoa(l.size),
		"-f", "author@example.com", "-t", to, "-M", "client.example.com"}
	if l.kept {
		args = append(args, "-d")
	}
	begin := time.Now()
	out, err := exec.CommandContext(ctx, sbin("smtp-source"), append(args, address)...).CombinedOutput()
	took := time.Since(begin)
	if err != nil {
		return 0, fmt.Errorf("smtp-source to %s: %w: %s", address, err, out)
	}
	return float64(l.messages) / took.Seconds(), nil
}

// run sends directly, through the raw proxy and through superlistd in turn.
func (l load) run(ctx context.Context, r *rig) (result, error) {
	l.messages = max(r.some(l.messages), l.sessions)
	return r.inTurn(ctx, l, []string{r.sinkAddress, r.rawAddress, r.address})
}

// inTurn measures a load over each of the roads in each round. The ratio is that of the last two.
func (r *rig) inTurn(ctx context.Context, l load, roads []string) (result, error) {
	warm := l
	warm.messages = l.sessions
	res := result{series: make([]series, len(roads))}
	for round := range r.rounds {
		for i, address := range roads {
			if round == 0 {
				if _, err := warm.send(ctx, address); err != nil {
					return res, err
				}
			}
			rate, err := l.send(ctx, address)
			if err != nil {
				return res, err
			}
			res.series[i] = append(res.series[i], rate)
		}
	}
	n := len(roads)
	res.verdict = res.series[n-1].over(res.series[n-2])
	return res, nil
}
