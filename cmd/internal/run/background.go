package run

import "context"

// background is work that the daemon does beside its doors.
type background struct {
	stop context.CancelFunc
	over chan struct{}
}

// inBackground lets work run until end.
func inBackground(work func(context.Context)) background {
	ctx, cancel := context.WithCancel(context.Background())
	b := background{stop: cancel, over: make(chan struct{})}
	go func() {
		defer close(b.over)
		work(ctx)
	}()
	return b
}

// end lets what is under way finish. An error says that it had not when ctx ended.
func (b background) end(ctx context.Context) error {
	b.stop()
	select {
	case <-b.over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
