package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// startSink starts smtp-sink, the next hop of everything: it takes all mail and throws it away. It is one
// process with one thread, so it is often the limit of what is measured.
func startSink(ctx context.Context, dir string) (sink *process, address string, err error) {
	if _, err := os.Stat(sbin("smtp-sink")); err != nil {
		return nil, "", fmt.Errorf("smtp-sink is missing (apt-get install postfix): %w", err)
	}
	if address, err = freeAddress(); err != nil {
		return nil, "", err
	}
	var args []string
	if os.Geteuid() == 0 {
		args = append(args, "-u", "nobody") // it wants another account than root
	}
	const backlog = "1000"
	sink, err = start(ctx, filepath.Join(dir, "sink.log"), address, sbin("smtp-sink"), append(args, address, backlog)...)
	return sink, address, err
}
