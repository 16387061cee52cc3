package spool_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"superlistd/delivery/spool"
)

// childMode makes the test binary play another process: "work", "hold" or "slots".
const childMode = "SUPERLISTD_SPOOL_TEST"

func TestMain(m *testing.M) {
	if mode := os.Getenv(childMode); mode != "" {
		if err := child(mode, os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const (
	childTurns   = 10 // turns that each entry needs
	childEntries = 12
	childSlots   = 2
)

func child(mode, data string) error {
	s := spool.Open(data, spool.Options{Slots: childSlots})
	switch mode {
	case "work":
		return childWork(s, data)
	case "hold":
		return childHold(s)
	case "slots":
		return childTakes(s, data)
	}
	return fmt.Errorf("unknown mode %q", mode)
}

// alone fails when another process is in the same place.
func alone(place string, do func() error) error {
	f, err := os.OpenFile(place, os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("somebody else is there: %w", err)
	}
	return errors.Join(f.Close(), do(), os.Remove(place))
}

// childWork gives every entry turn after turn, until they are all finished by somebody.
func childWork(s *spool.Spool, data string) error {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		ids, next, err := s.Due()
		if err != nil {
			return err
		}
		if len(ids) == 0 && next.IsZero() {
			return nil
		}
		for _, id := range ids {
			e, err := s.Claim(id)
			if errors.Is(err, spool.ErrHeld) || errors.Is(err, spool.ErrGone) {
				continue
			}
			if err != nil {
				return err
			}
			if err := alone(filepath.Join(data, "at-"+id), func() error { return turn(e) }); err != nil {
				return err
			}
			if e.State().Accepted < childTurns {
				err = e.Release(time.Now())
			} else {
				fmt.Println("finished", id)
				err = e.Finish()
			}
			if err != nil {
				return err
			}
		}
	}
	return errors.New("the entries do not come to an end")
}

func turn(e *spool.Entry) error {
	state := e.State()
	for n := range childTurns {
		if has(state.Served, key(n)) != (n < state.Accepted) {
			return fmt.Errorf("after %d turns the notes are %+v", state.Accepted, state.Served)
		}
	}
	if state.Accepted >= childTurns {
		return fmt.Errorf("turn %d of an entry that was finished", state.Accepted)
	}
	time.Sleep(time.Millisecond)
	return e.Note(note(state.Accepted), 1, 0)
}

// childHold takes an entry and a slot, and keeps them until it is killed.
func childHold(s *spool.Spool) error {
	e, err := s.Claim(name("a"))
	if err != nil {
		return err
	}
	if err := e.Note(note(1), 1, 0); err != nil {
		return err
	}
	if _, err := s.Prepare(planOf(name("b")), nil, strings.NewReader(""), 0); err != nil {
		return err
	}
	l, err := s.Slot()
	if err != nil {
		return err
	}
	if ok, err := l.Take(); !ok || err != nil {
		return fmt.Errorf("slot: %v, %w", ok, err)
	}
	fmt.Println("held")
	time.Sleep(time.Minute)
	return errors.New("nobody killed us")
}

// childTakes takes and frees slots, and counts who else has one.
func childTakes(s *spool.Spool, data string) error {
	l, err := s.Slot()
	if err != nil {
		return err
	}
	defer l.Close()
	mine := filepath.Join(data, "taken", strconv.Itoa(os.Getpid()))
	for turns := 0; turns < 50; {
		ok, err := l.Take()
		if err != nil {
			return err
		}
		if !ok {
			time.Sleep(time.Millisecond)
			continue
		}
		turns++
		err = alone(mine, func() error {
			all, err := os.ReadDir(filepath.Dir(mine))
			if err == nil && len(all) > childSlots {
				err = fmt.Errorf("%d have a slot, of %d", len(all), childSlots)
			}
			return err
		})
		l.Free()
		if err != nil {
			return err
		}
	}
	return nil
}

func command(t *testing.T, mode, data string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], data)
	cmd.Env = append(os.Environ(), childMode+"="+mode)
	return cmd
}

// together runs processes side by side, and returns what they print.
func together(t *testing.T, n int, mode, data string) string {
	t.Helper()
	out := make([][]byte, n)
	var wg sync.WaitGroup
	for i := range n {
		cmd := command(t, mode, data)
		wg.Go(func() {
			var err error
			if out[i], err = cmd.Output(); err != nil {
				var exit *exec.ExitError
				errors.As(err, &exit)
				t.Errorf("process %d: %v\n%s", i, err, exit.Stderr)
			}
		})
	}
	wg.Wait()
	all := ""
	for _, o := range out {
		all += string(o)
	}
	return all
}

// Each entry is worked on by one process at a time, and finished by one.
func TestSeveralProcesses(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := spool.Open(data, spool.Options{})
	for i := range childEntries {
		waiting(t, s, name(fmt.Sprintf("%02d", i)))
	}
	out := together(t, 4, "work", data)
	for i := range childEntries {
		if n := strings.Count(out, "finished "+name(fmt.Sprintf("%02d", i))+"\n"); n != 1 {
			t.Errorf("entry %d was finished %d times", i, n)
		}
	}
	if left := files(t, filepath.Join(data, "spool")); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

func TestSlotsOverProcesses(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	must(t, os.Mkdir(filepath.Join(data, "taken"), 0o700))
	together(t, 5, "slots", data)
}

// A process that is killed lets go of its entry, of its slot, and of what it was writing.
func TestKilledHolder(t *testing.T) {
	t.Parallel()
	data, id := t.TempDir(), name("a")
	s := spool.Open(data, spool.Options{Slots: 1})
	waiting(t, s, id)
	cmd := command(t, "hold", data)
	out, err := cmd.StdoutPipe()
	must(t, err)
	cmd.Stderr = os.Stderr
	must(t, cmd.Start())
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("%q, %v", line, err)
	}
	_, err = s.Claim(id)
	wantErr(t, "Claim", err, spool.ErrHeld)
	left := unpublished(t, data)
	age(t, 2*time.Minute, left...)
	must(t, s.Sweep())
	if n := len(unpublished(t, data)); n != 1 || len(left) != 1 {
		t.Errorf("%d of %d are left that somebody is writing, want 1", n, len(left))
	}
	l, err := s.Slot()
	must(t, err)
	defer l.Close()
	if ok, err := l.Take(); ok || err != nil {
		t.Errorf("the only slot: %v, %v", ok, err)
	}

	must(t, cmd.Process.Kill())
	_, _ = io.Copy(io.Discard, out)
	_ = cmd.Wait()
	e := claim(t, s, id)
	wantWhole(t, e, id)
	if got := e.State(); got.Accepted != 1 || !has(got.Served, key(1)) {
		t.Errorf("what it noted is lost: %+v", got)
	}
	must(t, e.Finish())
	if ok, err := l.Take(); !ok || err != nil {
		t.Errorf("its slot: %v, %v", ok, err)
	}
	must(t, s.Sweep())
	if n := len(unpublished(t, data)); n != 0 {
		t.Errorf("%d are left that a dead process was writing", n)
	}
}
