package smtptest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// patience bounds each read and write of a dialogue.
const patience = 10 * time.Second

// Dialog plays the client of a text dialogue over conn, and fails the test where
// the server does not say what it should. Each line of text is one of
//
//	# a comment; empty lines are skipped, too
//	C: EHLO client.test       sends the line with CRLF
//	C-raw: a\r\n.\r\nb\x00    sends exactly these octets (escapes as in Go strings)
//	C: <<END                  sends the lines up to END, each with CRLF
//	C: <close>                closes the connection
//	C: <half-close>           closes the sending half only
//	S: 250 2.1.0 Ok           expects exactly this line
//	S: 250 2.0.0 Ok: queu...  expects a line that begins so
//	S: /250[- ]SIZE \d+/      expects a line that this regexp matches as a whole
//	S*: 250                   expects a whole reply, of any number of lines, with this code
//	S: <eof>                  expects the end of the connection
//
// Blanks after the colon are skipped.
func Dialog(t testing.TB, conn net.Conn, text string) {
	t.Helper()
	if err := RunDialog(conn, text); err != nil {
		t.Error(err)
	}
}

// RunDialog is Dialog for callers with no test at hand.
func RunDialog(conn net.Conn, text string) error {
	d := dialog{conn: conn, br: bufio.NewReader(conn), lines: strings.Split(text, "\n")}
	for d.at < len(d.lines) {
		line := strings.TrimRight(d.lines[d.at], "\r")
		d.at++
		number := d.at
		if err := conn.SetDeadline(time.Now().Add(patience)); err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, io.ErrClosedPipe) {
			return err
		}
		if err := d.play(line); err != nil {
			return fmt.Errorf("dialogue line %d: %s: %w", number, line, err)
		}
	}
	return nil
}

type dialog struct {
	conn  net.Conn
	br    *bufio.Reader
	lines []string
	at    int
}

func (d *dialog) play(line string) error {
	if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
		return nil
	}
	who, what, ok := strings.Cut(line, ":")
	if !ok {
		return errors.New("no colon")
	}
	what = strings.TrimLeft(what, " \t")
	switch who {
	case "C":
		return d.client(what)
	case "C-raw":
		raw, err := strconv.Unquote(`"` + strings.ReplaceAll(what, `"`, `\"`) + `"`)
		if err != nil {
			return err
		}
		return d.send(raw)
	case "S":
		return d.server(what)
	case "S*":
		return d.reply(what)
	}
	return fmt.Errorf("unknown speaker %q", who)
}

func (d *dialog) send(s string) error {
	_, err := io.WriteString(d.conn, s)
	return err
}

func (d *dialog) client(what string) error {
	switch {
	case what == "<close>":
		return d.conn.Close()
	case what == "<half-close>":
		half, ok := d.conn.(interface{ CloseWrite() error })
		if !ok {
			return errors.New("this connection has no halves")
		}
		return half.CloseWrite()
	case strings.HasPrefix(what, "<<"):
		return d.block(what[2:])
	}
	return d.send(what + "\r\n")
}

func (d *dialog) block(end string) error {
	var b strings.Builder
	for ; d.at < len(d.lines); d.at++ {
		line := strings.TrimRight(d.lines[d.at], "\r")
		if line == end {
			d.at++
			return d.send(b.String())
		}
		b.WriteString(line + "\r\n")
	}
	return fmt.Errorf("no line %q ends it", end)
}

func (d *dialog) read() (string, error) {
	line, err := d.br.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("got %q and %w", line, err)
	}
	if !strings.HasSuffix(line, "\r\n") {
		return "", fmt.Errorf("got %q, which does not end with CRLF", line)
	}
	return strings.TrimSuffix(line, "\r\n"), nil
}

func (d *dialog) server(want string) error {
	if want == "<eof>" {
		b, err := d.br.ReadByte()
		if err == nil {
			rest, _ := d.br.Peek(d.br.Buffered())
			return fmt.Errorf("got %q", string(b)+string(rest))
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return errors.New("the connection is still open")
		}
		return nil
	}
	got, err := d.read()
	if err != nil {
		return err
	}
	if ok, err := matches(want, got); err != nil || !ok {
		return errors.Join(err, fmt.Errorf("got %q", got))
	}
	return nil
}

func matches(want, got string) (bool, error) {
	if len(want) > 1 && want[0] == '/' && want[len(want)-1] == '/' {
		re, err := regexp.Compile("^(?:" + want[1:len(want)-1] + ")$")
		return err == nil && re.MatchString(got), err
	}
	if prefix, ok := strings.CutSuffix(want, "..."); ok {
		return strings.HasPrefix(got, prefix), nil
	}
	return got == want, nil
}

func (d *dialog) reply(code string) error {
	for {
		got, err := d.read()
		if err != nil {
			return err
		}
		if !strings.HasPrefix(got, code) {
			return fmt.Errorf("got %q", got)
		}
		if len(got) <= len(code) || got[len(code)] != '-' {
			return nil
		}
	}
}
