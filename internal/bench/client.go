package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"strings"
	"time"
)

// client is an SMTP client that does what it is told and no more. It shares nothing with smtpclient,
// which it measures.
type client struct {
	conn net.Conn
	r    *bufio.Reader
}

const clientPatience = time.Minute

func dial(address string) (*client, error) {
	conn, err := net.DialTimeout("tcp", address, clientPatience)
	if err != nil {
		return nil, err
	}
	c := &client{conn: conn, r: bufio.NewReaderSize(conn, 64<<10)}
	err = c.expect("220")
	if err == nil {
		err = c.command("EHLO client.example.com", "250")
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	return c, nil
}

func (c *client) close() {
	if c != nil {
		c.conn.Close()
	}
}

func (c *client) command(line, code string) error {
	if err := c.write([]byte(line + "\r\n")); err != nil {
		return err
	}
	if err := c.expect(code); err != nil {
		return fmt.Errorf("%s: %w", line, err)
	}
	return nil
}

func (c *client) write(p []byte) error {
	if err := c.conn.SetDeadline(time.Now().Add(clientPatience)); err != nil {
		return err
	}
	_, err := c.conn.Write(p)
	return err
}

// expect reads a reply, all its lines.
func (c *client) expect(code string) error {
	for {
		line, err := c.r.ReadSlice('\n')
		switch {
		case err != nil:
			return err
		case !bytes.HasPrefix(line, []byte(code)):
			return fmt.Errorf("reply %q, not %s", bytes.TrimSpace(line), code)
		case len(line) > 3 && line[3] == ' ':
			return nil
		}
	}
}

// open begins a transaction and ends with the 354.
func (c *client) open(to string) error {
	for _, step := range [][2]string{
		{"MAIL FROM:<author@example.com>", "250"}, {"RCPT TO:<" + to + ">", "250"}, {"DATA", "354"},
	} {
		if err := c.command(step[0], step[1]); err != nil {
			return err
		}
	}
	return nil
}

// finish writes content and dot at once, and returns how long the 250 took from there.
func (c *client) finish(content []byte) (time.Duration, error) {
	begin := time.Now()
	if err := c.write(content); err != nil {
		return 0, err
	}
	err := c.expect("250")
	return time.Since(begin), err
}

// letter is a message with its dot: a header that a list takes, and a body of that many octets. The number makes
// its Message-ID its own: a post that comes again is known to superlistd, which sends nothing twice.
func letter(to string, number, size int) []byte {
	head := fmt.Sprintf("From: author@example.com\r\nTo: %s\r\nSubject: bench\r\nDate: Mon, 01 Jan 2024 00:00:00 +0000\r\n"+
		"Message-ID: <%08d@client.example.com>\r\n\r\n", to, number)
	line := strings.Repeat("abcdefghijklmnopqrstuvwxy ", 3)[:74] + "\r\n"
	body := strings.Repeat(line, size/len(line))
	return []byte(head + body + ".\r\n")
}
