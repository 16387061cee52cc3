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

// startSpooler delivers what is in the spool and keeps its folder clean, until end. What is left waits on the disk.
func (a *app) startSpooler(log zerolog.Logger) background {
	return inBackground(func(ctx context.Context) {
		var wg sync.WaitGroup
		wg.Go(func() { a.spooler.Run(ctx) })
		wg.Go(func() { a.sweepDaily(ctx, log) })
		wg.Go(func() { a.tickOften(ctx, log) })
		wg.Go(func() { a.digestOften(ctx, log) })
		wg.Wait()
	})
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
