package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// mlmmj is a list in Debian's mlmmj, in a folder of its own.
type mlmmj struct {
	dir     string
	receive string
	post    []byte
	sent    int
}

// newMlmmj makes a list as mlmmj-make-ml does, whose next hop is at address. Its members are written straight into
// its roster. A batch means that mlmmj does not make a reverse-path for each member, and how many share a transaction.
func newMlmmj(dir, address string, members, batch int) (*mlmmj, error) {
	receive, err := exec.LookPath("mlmmj-receive")
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	for _, d := range []string{
		"incoming", "queue/discarded", "archive", "text", "subconf", "unsubconf", "bounce", "control", "moderation",
		"subscribers.d", "digesters.d", "requeue", "nomailsubs.d",
	} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return nil, err
		}
	}
	list := largeList(members)
	files := map[string]string{
		"index": "", "control/listaddress": list + "\n", "control/owner": "postmaster@" + domain + "\n",
		"control/relayhost": host + "\n", "control/smtpport": port + "\n",
	}
	if batch > 0 {
		files["control/verp"], files["control/maxverprecips"] = "", strconv.Itoa(batch)+"\n"
	}
	var roster strings.Builder
	for i := range members {
		fmt.Fprintln(&roster, member(i))
	}
	files["subscribers.d/m"] = roster.String()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	post := bytes.TrimSuffix(letter(list, 0, postSize), []byte(".\r\n"))
	post = append([]byte("Return-Path: <author@example.com>\r\n"), post...) // without it, mlmmj throws a post away
	return &mlmmj{dir: dir, receive: receive, post: bytes.ReplaceAll(post, []byte("\r\n"), []byte("\n"))}, nil
}

// send hands over a post as Postfix's pipe does, and waits until the last copy is accepted: in the foreground, mlmmj's
// programs follow each other in one process.
func (m *mlmmj) send(ctx context.Context) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, m.receive, "-F", "-L", m.dir)
	cmd.Stdin = bytes.NewReader(m.post)
	begin := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(begin)
	if err != nil {
		return 0, fmt.Errorf("mlmmj-receive: %w: %s", err, out)
	}
	m.sent++
	return took, m.check()
}

// check looks whether the post is archived, which is mlmmj's last step, and whether nothing is left to be sent again.
func (m *mlmmj) check() error {
	if _, err := os.Stat(filepath.Join(m.dir, "archive", strconv.Itoa(m.sent))); err != nil {
		return fmt.Errorf("mlmmj did not send the post: %w", err)
	}
	left, err := os.ReadDir(filepath.Join(m.dir, "requeue"))
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("mlmmj could not send the post to all members")
	}
	return err
}
