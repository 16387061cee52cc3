package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// One member more than fits leads a post into the spool, so that what is measured is its acceptance, and next to
// nothing of its delivery.
const acceptSettings = "[delivery]\nbatch = 10\nmax_armed = 1\n"

// accept measures how much longer the 250 takes when a post goes into the spool, and how long two fsyncs take in the
// same folder: of a file of that size that is renamed, and of the folder. They take turns, post by post.
func accept(ctx context.Context, r *rig) (result, error) {
	const members = ten + 1
	p, address, err := r.stocked(ctx, "accept", r.sinkAddress, acceptSettings, members)
	if err != nil {
		return result{}, err
	}
	defer p.stop()
	through, err := newAuthor(p, address, tenList, ten, false)
	if err != nil {
		return result{}, err
	}
	defer through.close()
	spooled, err := newAuthor(p, address, largeList(members), members, true)
	if err != nil {
		return result{}, err
	}
	defer spooled.close()
	if err := through.wornIn(ctx, r.some(1500)); err != nil {
		return result{}, err
	}
	res := result{series: make([]series, 3)}
	for round := range r.rounds + 1 {
		took, err := r.acceptance(ctx, through, spooled, max(r.some(40), 4))
		if err != nil {
			return res, err
		}
		for i := range took {
			if round > 0 { // the first one is to warm up
				res.series[i] = append(res.series[i], took[i].median())
			}
		}
	}
	for i, spool := range res.series[2] {
		res.verdict = append(res.verdict, (spool-res.series[1][i])/(res.series[0][i]/2))
	}
	return res, through.check()
}

// acceptance measures two fsyncs, a post that goes through and one that goes into the spool, n times, in microseconds.
func (r *rig) acceptance(ctx context.Context, through, spooled *author, n int) ([]series, error) {
	size := len(letter(spooled.list, 0, postSize))
	took := make([]series, 3)
	for range n {
		for i, step := range []sender{
			func(context.Context) (time.Duration, error) { return syncs(r.data("accept"), size) },
			through.send,
			func(ctx context.Context) (time.Duration, error) {
				reply, _, err := spooled.accepted(ctx)
				return reply, err
			},
		} {
			d, err := step(ctx)
			if err != nil {
				return nil, err
			}
			took[i] = append(took[i], float64(d.Nanoseconds())/1e3)
		}
	}
	return took, nil
}

// syncs writes a file as safely as anything can be written, and returns how long that took.
func syncs(dir string, size int) (took time.Duration, err error) {
	folder, err := os.Open(dir)
	if err != nil {
		return 0, err
	}
	defer folder.Close()
	content := make([]byte, size)
	name := filepath.Join(dir, fmt.Sprintf("bench%d", os.Getpid()))
	defer os.Remove(name)
	begin := time.Now()
	f, err := os.Create(name + ".new")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if _, err := f.Write(content); err != nil {
		return 0, err
	}
	if err := f.Sync(); err != nil {
		return 0, err
	}
	if err := os.Rename(name+".new", name); err != nil {
		return 0, err
	}
	err = folder.Sync()
	return time.Since(begin), err
}
