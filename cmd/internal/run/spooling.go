package run

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"superlistd/lists"
)

// sweepEvery is how often what dead processes left half written in the spool is looked for.
const sweepEvery = 24 * time.Hour

// spooling is the daemon's work on the spool.
type spooling struct {
	stop context.CancelFunc
	over chan struct{}
}

// startSpooler delivers what is in the spool and keeps its folder clean, until end.
func (a *app) startSpooler(log zerolog.Logger) spooling {
	ctx, cancel := context.WithCancel(context.Background())
	s := spooling{stop: cancel, over: make(chan struct{})}
	go func() {
		defer close(s.over)
		var wg sync.WaitGroup
		wg.Go(func() { a.spooler.Run(ctx) })
		wg.Go(func() { a.sweepDaily(ctx, log) })
		wg.Go(func() { a.tickOften(ctx, log) })
		wg.Go(func() { a.digestOften(ctx, log) })
		wg.Wait()
	}()
	return s
}

// end lets transactions under way finish; what is left waits on the disk. An error says that they had not when ctx
// ended.
func (s spooling) end(ctx context.Context) error {
	s.stop()
	select {
	case <-s.over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *app) sweepDaily(ctx context.Context, log zerolog.Logger) {
	daily := time.NewTicker(sweepEvery)
	defer daily.Stop()
	for {
		a.sweep(log)
		select {
		case <-ctx.Done():
			return
		case <-daily.C:
		}
	}
}

// sweep is housekeeping: that it failed is no reason to stop.
func (a *app) sweep(log zerolog.Logger) {
	if err := a.spool.Sweep(); err != nil {
		log.Error().Err(err).Msg("spool not swept")
	}
	if err := a.history.Forget(context.Background(), time.Now().Add(-lists.ThreadMemory)); err != nil {
		log.Error().Err(err).Msg("history not swept")
	}
}
