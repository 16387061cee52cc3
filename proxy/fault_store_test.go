package proxy_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"superlistd/internal/needs"
	"superlistd/lists"
	"superlistd/proxy"
)

// faultCause must never be seen by a client.
const faultCause = "/var/lib/superlistd/lists.db: bad sector"

// faultyStore fails its n-th call, or from the n-th call on.
type faultyStore struct {
	lists.Store
	failAt, calls atomic.Int64
	ever          bool
	tripped       atomic.Bool
}

func (s *faultyStore) fault() error {
	n, at := s.calls.Add(1), s.failAt.Load()
	if at == 0 || n < at || n > at && !s.ever {
		return nil
	}
	s.tripped.Store(true)
	return fmt.Errorf("%w: %s", lists.ErrStore, faultCause)
}

func (s *faultyStore) List(ctx context.Context, a lists.Address) (lists.List, error) {
	if err := s.fault(); err != nil {
		return lists.List{}, err
	}
	return s.Store.List(ctx, a)
}

func (s *faultyStore) Stamp(ctx context.Context) (lists.Stamp, error) {
	if err := s.fault(); err != nil {
		return lists.Stamp{}, err
	}
	return s.Store.Stamp(ctx)
}

func (s *faultyStore) Member(ctx context.Context, list, member lists.Address) (lists.Member, bool, error) {
	if err := s.fault(); err != nil {
		return lists.Member{}, false, err
	}
	return s.Store.Member(ctx, list, member)
}

func (s *faultyStore) Contains(ctx context.Context, list lists.Address, issue int, keys [][]byte, in []bool) error {
	if err := s.fault(); err != nil {
		return err
	}
	return s.Store.Contains(ctx, list, issue, keys, in)
}

func (s *faultyStore) Recipients(ctx context.Context, list lists.Address, r *lists.Recipients, n int) error {
	if err := s.fault(); err != nil {
		return err
	}
	return s.Store.Recipients(ctx, list, r, n)
}

// Fail the n-th call to the store, for every n. The law of the other loops holds, what fails is 451 4.3.0,
// and its cause is in the log, and not on the wire.
func TestFaultAtEveryCallToTheStore(t *testing.T) {
	t.Parallel()
	for _, scene := range faultScenes {
		for _, door := range []proxy.Door{proxy.SMTP, proxy.LMTP} {
			for _, ever := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%v/ever=%v", scene.name, door, ever), func(t *testing.T) {
					t.Parallel()
					post := faultPost{door: door, rcpts: scene.rcpts, content: faultContent(2)}
					for n, tripped := 1, true; tripped; n++ {
						tripped = failCall(t, n, ever, post)
						if !tripped && n == 1 && faultRosters[scene.rcpts[0]] != nil {
							t.Fatal("the store was never asked")
						}
					}
				})
			}
		}
	}
}

// failCall sends a post while the n-th call fails, mends the store, and sends it again.
func failCall(t *testing.T, n int, ever bool, post faultPost) (tripped bool) {
	store := &faultyStore{ever: ever}
	h := newFaultHouse(t, faultSetup{dataDir: t.TempDir(), store: func(s lists.Store) lists.Store { store.Store = s; return store }})
	defer h.close()
	store.calls.Store(0)
	store.failAt.Store(int64(n))
	told, err := h.send(post)
	tripped = store.tripped.Load()
	if err == nil {
		err = h.judgeFault(told, "")
	}
	failed := false
	for rcpt, reply := range told {
		if strings.HasPrefix(reply, "250 ") {
			continue
		}
		failed = true
		if !strings.HasPrefix(reply, "451 4.3.0 ") || strings.Contains(reply, "sector") {
			t.Errorf("call %d: %s was told %q", n, rcpt, reply)
		}
	}
	if failed != tripped || tripped && !strings.Contains(h.log.String(), faultCause) {
		t.Errorf("call %d: tripped %v, told %q\n%s", n, tripped, told, h.log)
	}
	store.failAt.Store(0)
	var rest []string
	for rcpt, reply := range told {
		if reply[0] == '4' {
			rest = append(rest, rcpt)
		}
	}
	if post.rcpts = rest; err == nil && len(rest) > 0 {
		var again map[string]string
		again, err = h.send(post)
		for rcpt, reply := range again {
			told[rcpt] = reply
		}
	}
	if err == nil {
		err = h.judgeEnd(told, "")
	}
	if err != nil {
		t.Errorf("call %d: %v\n%s", n, err, h.log)
	}
	return tripped
}

// A post that does not fit into memory needs the data folder. Without it the client comes again, and mail that is
// only relayed goes on.
func TestSpoolFaults(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{"missing": filepath.Join(t.TempDir(), "none"), "a file": file} {
		for _, door := range []proxy.Door{proxy.SMTP, proxy.LMTP} {
			for _, bdat := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%v/bdat=%v", name, door, bdat), func(t *testing.T) {
					t.Parallel()
					h := newFaultHouse(t, faultSetup{dataDir: dir})
					spoolFault(t, h, faultPost{door: door, bdat: bdat, content: faultContent(5000)}, dir)
				})
			}
		}
	}
}

func spoolFault(t *testing.T, h *faultHouse, post faultPost, secret string) {
	for _, scene := range faultScenes {
		post.rcpts = scene.rcpts
		want := "250 "
		if faultRosters[scene.rcpts[0]] != nil || len(scene.rcpts) == 3 {
			want = "451 4.3.0 "
		}
		sent := len(h.peer.Messages())
		told, err := h.send(post)
		if err != nil {
			t.Fatal(err)
		}
		for rcpt, reply := range told {
			if !strings.HasPrefix(reply, want) || strings.Contains(reply, secret) {
				t.Errorf("%s: %s was told %q, want %s", scene.name, rcpt, reply, want)
			}
		}
		if got := len(h.peer.Messages()) - sent; want != "250 " && got > 0 {
			t.Errorf("%s: %d messages queued", scene.name, got)
		}
	}
	if err := h.whole(); err != nil {
		t.Error(err)
	}
}

// fullDisk tells the child process of TestSpoolOnFullDisk where its folder is.
const fullDisk = "SUPERLISTD_TEST_FULL_DISK"

// The data folder is on a file system that is full: a child process makes one of its own, in
// a namespace that ends with it.
func TestSpoolOnFullDisk(t *testing.T) {
	if dir := os.Getenv(fullDisk); dir != "" {
		if err := syscall.Mount("none", dir, "tmpfs", 0, "size=16k"); err != nil {
			t.Skip("mount: ", err)
		}
		h := newFaultHouse(t, faultSetup{dataDir: dir})
		spoolFault(t, h, faultPost{door: proxy.SMTP, content: faultContent(5000)}, dir)
		spoolFault(t, h, faultPost{door: proxy.LMTP, bdat: true, content: faultContent(5000)}, dir)
		if !strings.Contains(h.log.String(), syscall.ENOSPC.Error()) {
			t.Errorf("the log does not say why:\n%s", h.log)
		}
		return
	}
	t.Parallel()
	cmd := exec.Command(os.Args[0], "-test.run=^TestSpoolOnFullDisk$", "-test.v")
	cmd.Env = append(os.Environ(), fullDisk+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	switch {
	case err != nil && cmd.ProcessState == nil: // not started
		needs.Missing(t, "no namespaces here: "+err.Error())
	case err != nil:
		t.Errorf("%v\n%s", err, out)
	case strings.Contains(string(out), "--- SKIP"):
		needs.Missing(t, string(out))
	}
}

var _ lists.Store = (*faultyStore)(nil)
