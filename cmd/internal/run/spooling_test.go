package run

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"superlistd/internal/needs"
	"superlistd/internal/smtptest"
)

const postDialog = `
S: 220 mx.example.org ESMTP superlistd
C: EHLO client.example
S*: 250
C: MAIL FROM:<ann@example.org>
S*: 250
C: RCPT TO:<team@lists.example.org>
S*: 250
C: DATA
S*: 354
C: From: ann@example.org
C: Message-ID: <lunch@example.org>
C:
C: At noon?
C: .
S*: 250
C: QUIT
S*: 221
S: <eof>
`

// spoolSettings makes a list whose posts need the spool, one transaction after the other for each member.
func spoolSettings(t *testing.T, peer *smtptest.Peer, members int, more string) (path string, addresses []string) {
	t.Helper()
	path = settingsFor(t, peer, "delivery.batch = 1\ndelivery.max_armed = 1\ndelivery.spool_connections = 1\n"+more)
	for i := range members {
		addresses = append(addresses, fmt.Sprintf("member%d@example.org", i))
	}
	for _, args := range []string{"create team@lists.example.org post=anyone", "add team@lists.example.org " + strings.Join(addresses, " ")} {
		if status, _, stderr := listctlOn(path, args); status != exitDone {
			t.Fatal(stderr)
		}
	}
	return path, addresses
}

func superlistd(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(program(t), args...)
	cmd.Env = []string{"GORACE=atexit_sleep_ms=10"}
	return cmd
}

// Postfix waits for the end of a session, and its spawn(8) holds the connection until the process is gone: a process that
// goes on with its post must hang up first.
func TestSpawnHangsUpBeforeItLingers(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	peer := smtptest.Start(t, smtptest.FinalReply(func(string) string {
		<-release
		return ""
	}))
	path, members := spoolSettings(t, peer, 3, "")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() // as long as the process lives, like spawn(8)
	file, err := conn.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd := superlistd(t, "spawn", "--config", path)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = file, file, file
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	err = smtptest.RunDialog(client, postDialog) // its end is the client's end of file
	if n := len(peer.Queued()); n > 0 {
		t.Errorf("%d members were served before the client was let go", n)
	}
	close(release)
	if err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if !peer.QueuedAll(members...) {
		t.Errorf("the next hop has %v", peer.Queued())
	}
}

// A stop lets the transaction under way finish and begins no other; who comes next does the rest, and nobody gets two.
func TestStopInTheMiddleOfTheSpool(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"serve", "maintain"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			const members = 8
			var calls atomic.Int32
			reached, release := make(chan struct{}), make(chan struct{})
			peer := smtptest.Start(t, smtptest.FinalReply(func(string) string {
				if calls.Add(1) == 3 {
					close(reached)
					<-release
				}
				return ""
			}))
			path, addresses := spoolSettings(t, peer, members, "delivery.spawn_linger = \"0\"\nlisten = \"unix:"+filepath.Join(t.TempDir(), "filter")+"\"\n")
			spawned := superlistd(t, "spawn", "--config", path)
			spawned.Stdin = strings.NewReader("HELO x\r\nMAIL FROM:<ann@example.org>\r\nRCPT TO:<team@lists.example.org>\r\nDATA\r\nFrom: ann@example.org\r\n\r\nHello\r\n.\r\nQUIT\r\n")
			if out, err := spawned.Output(); err != nil || !strings.Contains(string(out), "250 2.0.0 Ok: spooled as ") {
				t.Fatalf("%v\n%s", err, out)
			}
			cmd := superlistd(t, command, "--config", path)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			<-reached
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if command == "serve" {
				awaitLine(t, filepath.Join(filepath.Dir(path), "log"), "stopping")
			}
			time.Sleep(200 * time.Millisecond) // the signal is on its way; whether it has come decides nothing but what is tested
			close(release)
			if err := cmd.Wait(); err != nil {
				t.Errorf("after SIGTERM: %v", err)
			}
			if n := len(peer.Queued()); command == "serve" && n != 3 {
				t.Errorf("%d members were served, want 3", n)
			}
			if out, err := superlistd(t, "maintain", "--config", path).CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("maintain: %v\n%s", err, out)
			}
			queued := peer.Queued()
			for _, a := range addresses {
				if queued[a] != 1 {
					t.Errorf("%s has %d copies", a, queued[a])
				}
			}
			if _, stdout, _ := listctlOn(path, "queue"); stdout != "" {
				t.Errorf("the queue has\n%s", stdout)
			}
		})
	}
}

func awaitLine(t *testing.T, file, pattern string) {
	t.Helper()
	want := regexp.MustCompile(pattern)
	for range 1000 {
		if text, err := os.ReadFile(file); err == nil && want.Match(text) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%s never had a match of %s", file, pattern)
}

// A next hop that takes its time ends maintain no later than --for says, and the entry is there for the next one.
func TestMaintainEndsInTime(t *testing.T) {
	t.Parallel()
	peer := smtptest.Start(t, smtptest.Delay(50*time.Millisecond))
	path, addresses := spoolSettings(t, peer, 100, "delivery.spawn_linger = \"0\"\n")
	spawned := superlistd(t, "spawn", "--config", path)
	spawned.Stdin = strings.NewReader("HELO x\r\nMAIL FROM:<ann@example.org>\r\nRCPT TO:<team@lists.example.org>\r\nDATA\r\nFrom: ann@example.org\r\n\r\nHello\r\n.\r\nQUIT\r\n")
	if out, err := spawned.Output(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := superlistd(t, "maintain", "--config", path, "--for", "500ms").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if n := len(peer.Queued()); n == len(addresses) {
		t.Error("all were served: it did not end in time")
	}
	if _, stdout, _ := listctlOn(path, "queue"); !strings.Contains(stdout, "waiting, due") {
		t.Errorf("the queue has\n%s", stdout)
	}
}

// What root starts by hand must not lock the daemon out of its own files.
func TestMaintainByRootBecomesTheOwner(t *testing.T) {
	t.Parallel()
	needs.Root(t, "only root can become another account")
	peer := smtptest.Start(t)
	path, members := spoolSettings(t, peer, 2, "delivery.spawn_linger = \"0\"\n")
	data := filepath.Dir(path)
	spawned := superlistd(t, "spawn", "--config", path)
	spawned.Stdin = strings.NewReader("HELO x\r\nMAIL FROM:<ann@example.org>\r\nRCPT TO:<team@lists.example.org>\r\nDATA\r\nFrom: ann@example.org\r\n\r\nHello\r\n.\r\nQUIT\r\n")
	if out, err := spawned.Output(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// As on a host: the folder's owner gets there, and what a process without entries leaves behind is gone.
	if err := os.Chmod(filepath.Dir(data), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{filepath.Join("spool", "slots"), "guard", "log"} {
		if err := os.RemoveAll(filepath.Join(data, name)); err != nil {
			t.Fatal(err)
		}
	}
	chownAll(t, data, 1234)
	if out, err := superlistd(t, "maintain", "--config", path).CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%v\n%s", err, out)
	}
	if !peer.QueuedAll(members...) {
		t.Errorf("the next hop has %v", peer.Queued())
	}
	err := filepath.WalkDir(data, func(path string, _ fs.DirEntry, err error) error {
		if uid := ownerOf(path); err == nil && uid != 1234 {
			t.Errorf("%s belongs to %d", path, uid)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(data, "spool", "slots")); err != nil {
		t.Errorf("nothing was made: %v", err)
	}
}

func chownAll(t *testing.T, dir string, uid int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, uid, uid)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// check sees with root's eyes what the owner of the folder cannot do.
func TestCheckFindsFilesOfOthers(t *testing.T) {
	t.Parallel()
	needs.Root(t, "only root makes files that belong to others")
	for _, tt := range []struct {
		name, path, want string
	}{
		{"all alike", "", ""},
		{"the folder", "spool", "spool belongs to account 0, and DATA to account 1234: who serves must own both"},
		{"a file in it", "spool/slots", "DATA/spool/slots belongs to account 0, and its folder to account 1234, who cannot work with it"},
		{"a failed entry", "failed/x", "DATA/failed/x belongs to account 0, and its folder to account 1234, who cannot work with it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			for _, name := range []string{"spool/slots", "failed/x"} {
				path := filepath.Join(data, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, nil, 0o640); err != nil {
					t.Fatal(err)
				}
			}
			chownAll(t, data, 1234)
			if tt.path != "" {
				if err := os.Chown(filepath.Join(data, tt.path), 0, 0); err != nil {
					t.Fatal(err)
				}
			}
			got := ""
			for _, dir := range []string{"spool", "failed"} {
				if err := usable(data, filepath.Join(data, dir)); err != nil {
					got = strings.ReplaceAll(err.Error(), data, "DATA")
				}
			}
			if got != tt.want && got != "DATA/"+tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}
