package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"time"
)

// follower reads what a process adds to its log.
type follower struct {
	file *os.File
	rest []byte // of a line that is not whole yet
}

const (
	followPause    = time.Millisecond // little beside what is measured, and next to nothing of a processor
	followPatience = 2 * time.Minute
)

// follow begins at the end of the log as it is now.
func (p *process) follow() (*follower, error) {
	f, err := os.Open(p.log)
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekEnd); err != nil {
		f.Close()
		return nil, err
	}
	return &follower{file: f}, nil
}

func (f *follower) close() { f.file.Close() }

// delivered waits until the log says that a spooled post has been accepted by the next hop for all members of a
// list. That a part of it has to wait, for which no next hop of ours is a reason, is an error.
func (f *follower) delivered(ctx context.Context, list string, members int) error {
	of, all := fmt.Appendf(nil, " list=%s ", list), fmt.Appendf(nil, " members=%d ", members)
	end := time.Now().Add(followPatience)
	for {
		line, err := f.line()
		switch {
		case err != nil:
			return err
		case line == nil && ctx.Err() != nil:
			return ctx.Err()
		case line == nil && time.Now().After(end):
			return fmt.Errorf("superlistd's log tells of no delivery to %s in %v", list, followPatience)
		case line == nil:
			time.Sleep(followPause)
		case !bytes.Contains(line, []byte("spooled post ")) || !bytes.Contains(line, of):
		case bytes.Contains(line, []byte("spooled post delivered ")) && bytes.Contains(line, all):
			return nil
		default:
			return fmt.Errorf("not all %d members of %s got the post at once: %s", members, list, line)
		}
	}
}

// line returns the next whole line, without its end, or nil when there is none yet.
func (f *follower) line() ([]byte, error) {
	for {
		if i := bytes.IndexByte(f.rest, '\n'); i >= 0 {
			line := f.rest[:i]
			f.rest = f.rest[i+1:]
			return line, nil
		}
		more := make([]byte, 4<<10)
		n, err := f.file.Read(more)
		f.rest = append(f.rest, more[:n]...)
		switch {
		case err != nil && err != io.EOF:
			return nil, err
		case n == 0:
			return nil, nil
		}
	}
}
