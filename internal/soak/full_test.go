package soak_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"superlistd/internal/needs"
)

// ownDisk gives the data folder a small disk of its own: a tmpfs in a mount namespace that ends with the test, so that
// nothing stays mounted whatever happens. It returns where that folder is seen from here.
func (w *world) ownDisk(size string) string {
	w.t.Helper()
	args := []string{"-m"}
	if os.Geteuid() != 0 {
		args = []string{"-r", "-m"}
	}
	script := `mount -t tmpfs -o size="$1" none "$2" && echo mounted && exec cat`
	cmd := exec.Command("unshare", append(args, "/bin/sh", "-c", script, "sh", size, w.data)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var trouble strings.Builder
	cmd.Stderr = &trouble
	in, err := cmd.StdinPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		needs.Missing(w.t, "no disk of its own: "+err.Error())
	}
	if _, err := io.ReadFull(out, make([]byte, len("mounted\n"))); err != nil {
		_ = cmd.Wait() // it says why on standard error
		needs.Missing(w.t, "no mount namespace here: "+trouble.String())
	}
	w.t.Cleanup(func() { in.Close(); _ = cmd.Wait() })
	pid := fmt.Sprint(cmd.Process.Pid)
	w.enter = []string{"nsenter", "-t", pid, "-m"}
	if os.Geteuid() != 0 {
		w.enter = append(w.enter, "-U", "--preserve-credentials")
	}
	w.enter = append(w.enter, "--")
	return filepath.Join("/proc", pid, "root", w.data)
}

// fill leaves no room on a disk. It returns how many octets there were, and what makes room again.
func fill(t *testing.T, folder string) (room int, empty func()) {
	t.Helper()
	path := filepath.Join(folder, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 2 {
		for err == nil {
			var n int
			n, err = f.Write(make([]byte, size))
			room += n
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		err = nil
	}
	return room, func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// once makes one attempt.
func (w *world) once(p *post, d *daemon) string {
	w.t.Helper()
	p.begun = time.Now()
	conn, err := d.door()
	if err != nil {
		w.t.Fatal(err)
	}
	reply, err := p.hand(conn, patience)
	p.note("%s %v", reply, err)
	if err == nil {
		p.told = time.Now()
	} else if reply == "" {
		w.t.Errorf("post %d: %v", p.id, err)
	}
	return reply
}

// A full disk puts posts off and nothing else; what was promised before is kept, also by a daemon that is killed then.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, more  string
		least, most int // octets that are left of the disk by then
	}{
		{"to the last octet", "spool_free = \"none\"\n", 0, 200_000},
		{"up to spool_free", "spool_free = \"3MB\"\n", 1_000_000, 3_000_000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newQuietWorld(t, tt.more)
			disk := w.ownDisk("6m")
			w.populate()
			w.moderately()
			d := newDaemon(w.site)
			d.start()
			d.answers()
			r := random(w.seed, 1)
			w.sink.vexed(trouble{lists: 1})
			waiting, put := w.untilFull(r, d)
			room, empty := fill(t, disk)
			if room < tt.least || room > tt.most {
				t.Errorf("%d entries left %d octets, want %d to %d", waiting, room, tt.least, tt.most)
			}
			w.whileFull(r, d, put)
			d.kill()
			w.killed()
			d.start()
			d.answers()
			w.whileFull(r, d, put)
			w.sink.calm()
			w.drained(d.config, w.maintain(d.config))
			empty()
			for _, p := range []*post{put, w.post(r, large), w.post(r, small, large)} {
				if err := p.deliver(r, d.door); err != nil {
					t.Error(err)
				}
			}
			w.drained(d.config, w.maintain(d.config))
			d.stop()
			v := w.judge()
			t.Logf("%d entries were waiting on a full disk", waiting)
			if v.doubled > 0 {
				t.Errorf("%d members have a post twice, and no transaction was under way", v.doubled)
			}
		})
	}
}

// moderately leaves copies of their own to the middle list: each of 120 kB for the 5,000 of the large one are gigabytes, and
// this is about the disk.
func (w *world) moderately() {
	w.t.Helper()
	config := w.settings("127.0.0.1:1")
	w.must("listctl", "", "--config", config, "set", large, "verp=never")
	w.must("listctl", "", "--config", config, "set", middle, "copies=personal")
}

// untilFull sends posts that only the spool can take until it takes no more: put is the one that was put off.
func (w *world) untilFull(r *rand.Rand, d *daemon) (waiting int, put *post) {
	w.t.Helper()
	for ; waiting < 500; waiting++ {
		if waiting%12 == 11 {
			time.Sleep(1100 * time.Millisecond) // the room is looked at once a second
		}
		p := w.post(r)
		p.to, p.size = []string{large}, 120_000
		if waiting%5 == 4 {
			p.to = []string{middle}
		}
		switch reply := w.once(p, d); {
		case strings.HasPrefix(reply, "452 4.3.1"):
			return waiting, p
		case !strings.HasPrefix(reply, "250"):
			w.t.Fatalf("reply %q on a disk that becomes full", reply)
		}
	}
	w.t.Fatal("500 posts did not fill the disk")
	return 0, nil
}

// whileFull checks what goes on.
func (w *world) whileFull(r *rand.Rand, d *daemon, put *post) {
	w.t.Helper()
	for range 3 {
		if reply := w.once(put, d); !strings.HasPrefix(reply, "452 4.3.1") {
			w.t.Errorf("a post while the disk is full: %q", reply)
		}
		p := w.post(r, "friend1@far.test")
		if reply := w.once(p, d); !strings.HasPrefix(reply, "250") {
			w.t.Errorf("other mail while the disk is full: %q", reply)
		}
	}
}
