package run

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"superlistd/internal/smtptest"
)

// program returns a path under which this test binary is superlistd.
func program(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "superlistd")
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// settings writes a settings file for a next hop that takes everything.
func settings(t *testing.T, more string) (path string, peer *smtptest.Peer) {
	t.Helper()
	peer = smtptest.Start(t)
	return settingsFor(t, peer, more), peer
}

// settingsFor writes a settings file for a next hop.
func settingsFor(t *testing.T, peer *smtptest.Peer, more string) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "superlistd.toml")
	text := fmt.Sprintf("hostname = \"mx.example.org\"\ndomains = [\"lists.example.org\"]\nidentity.resolver = \"off\"\nrelay = %q\ndata = %q\n%s[log]\nto = %q\n",
		peer.Hop(), dir, more, filepath.Join(dir, "log"))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const relayDialog = `
S: 220 mx.example.org ESMTP superlistd
C: EHLO client.example
S*: 250
C: MAIL FROM:<ann@example.org>
S*: 250
C: RCPT TO:<bob@example.com>
S*: 250
C: DATA
S*: 354
C: Subject: Lunch
C:
C: .
S*: 250
C: QUIT
S*: 221
S: <eof>
`

// Postfix's spawn(8) gives one socket as all three standard descriptors.
func TestSpawnOnSockets(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			address := "127.0.0.1:0"
			if network == "unix" {
				address = filepath.Join(t.TempDir(), "s")
			}
			l, err := net.Listen(network, address)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			client, err := net.Dial(network, l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			conn, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			file, err := conn.(interface{ File() (*os.File, error) }).File()
			if err != nil {
				t.Fatal(err)
			}
			path, peer := settings(t, "")
			cmd := exec.Command(program(t), "spawn", "--config", path)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = file, file, file
			cmd.Env = []string{"GORACE=atexit_sleep_ms=10"}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			file.Close()
			conn.Close()
			smtptest.Dialog(t, client, relayDialog)
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
			if !peer.QueuedAll("bob@example.com") {
				t.Errorf("the next hop has %v", peer.Queued())
			}
		})
	}
}

// Whatever is wrong before the session begins, the client hears 421 and nothing of the cause.
func TestSpawnTellsNoCause(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, more string }{
		{"a certificate that is not there", "[tls]\ncert = \"/nowhere/secret-cert.pem\"\nkey = \"/nowhere/secret-key.pem\"\n"},
		{"a key that does not exist", "secret = 1\n"},
		{"a password file that is not there", "[relay_auth]\nuser = \"u\"\npassword_file = \"/nowhere/secret\"\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path, _ := settings(t, tt.more)
			cmd := exec.Command(program(t), "spawn", "--config", path)
			cmd.Env = []string{"GORACE=atexit_sleep_ms=10"}
			cmd.Stdin = strings.NewReader("EHLO client.example\r\n")
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Error("exit status 0")
			}
			if want := "421 4.3.0 Local trouble, try again later\r\n"; string(out) != want {
				t.Errorf("the client got %q, want %q", out, want)
			}
		})
	}
}

// systemd passes open sockets from descriptor 3 on, by name (sd_listen_fds(3)).
func TestServeOnSocketsOfSystemd(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	path, peer := settings(t, "listen = \"systemd\"\n")
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: filepath.Join(t.TempDir(), "n")})
	if err != nil {
		t.Fatal(err)
	}
	defer notify.Close()
	cmd := exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, program(t), "serve", "--config", path)
	cmd.ExtraFiles = []*os.File{file}
	cmd.Env = []string{"LISTEN_FDS=1", "LISTEN_FDNAMES=listen", "NOTIFY_SOCKET=" + notify.LocalAddr().String(), "GORACE=atexit_sleep_ms=10"}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	expectNotice(t, notify, "READY=1")
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	smtptest.Dialog(t, client, relayDialog)
	if !peer.QueuedAll("bob@example.com") {
		t.Errorf("the next hop has %v", peer.Queued())
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	expectNotice(t, notify, "STOPPING=1")
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
}

func expectNotice(t *testing.T, c *net.UnixConn, want string) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	b := make([]byte, 256)
	n, err := c.Read(b)
	if err != nil && err != io.EOF || string(b[:n]) != want {
		t.Fatalf("notice %q, %v, want %q", b[:n], err, want)
	}
}

// A certificate that is renewed on disk is used without a restart; one that cannot be read leaves the old one.
func TestCertificateIsReadAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := &certificate{cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem")}
	if err := c.load(time.Now()); err == nil {
		t.Error("no error for files that are not there")
	}
	writePair(t, c)
	now := time.Now()
	if err := c.load(now); err != nil {
		t.Fatal(err)
	}
	first := c.current(now)
	writePair(t, c)
	future := now.Add(time.Hour)
	for _, path := range []string{c.cert, c.key} {
		if err := os.Chtimes(path, future, future); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.current(now.Add(time.Second)); got != first {
		t.Error("the files were looked at again within a minute")
	}
	second := c.current(now.Add(2 * certificateAge))
	if second == first {
		t.Error("a renewed pair is not used")
	}
	if err := os.WriteFile(c.key, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := c.current(now.Add(4 * certificateAge)); got != second {
		t.Error("a pair that cannot be read took the place of the old one")
	}
}

func writePair(t *testing.T, c *certificate) {
	t.Helper()
	pair, _ := smtptest.Certificate(t, "mx.example.org")
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{
		c.cert: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, c.key: {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
