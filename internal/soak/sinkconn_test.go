package soak_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"time"
)

// sinkConn is one session.
type sinkConn struct {
	s    *sink
	conn net.Conn
	id   int
	r    *bufio.Reader
	w    *bufio.Writer
	rng  *rand.Rand

	last  *taken // its 250 may not have been read
	mail  bool
	rcpts []int32
	text  bytes.Buffer // of BDAT
}

func (c *sinkConn) chance(p float64) bool { return p > 0 && c.rng.Float64() < p }

func (c *sinkConn) say(line string) { c.w.WriteString(line); c.w.WriteString("\r\n") }

// line reads a command. That one comes tells that the client knows our last answer.
func (c *sinkConn) line() (string, bool) {
	if c.r.Buffered() == 0 && c.w.Flush() != nil {
		return "", false
	}
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return "", false
	}
	if c.last != nil {
		c.s.mu.Lock()
		c.last.sure = true
		c.s.mu.Unlock()
		c.last = nil
	}
	return string(bytes.TrimRight(line, "\r\n")), true
}

const sinkOffers = "250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SIZE 0\r\n250-ENHANCEDSTATUSCODES\r\n250-SMTPUTF8\r\n" +
	"250-CHUNKING\r\n250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE"

func (c *sinkConn) run() {
	c.say("220 sink.test ESMTP")
	for {
		line, ok := c.line()
		if !ok {
			return
		}
		tr := c.s.trouble.Load()
		if c.chance(tr.drop) {
			return
		}
		verb, args, _ := strings.Cut(line, " ")
		switch verb {
		case "EHLO":
			c.say(sinkOffers)
		case "XFORWARD":
			c.say("250 2.0.0 Ok")
		case "MAIL":
			c.begin(tr, args)
		case "RCPT":
			c.rcpt(tr, args)
		case "DATA":
			if !c.data(tr) {
				return
			}
		case "BDAT":
			if !c.bdat(tr, args) {
				return
			}
		case "RSET":
			c.reset()
			c.say("250 2.0.0 Ok")
		case "QUIT":
			c.say("221 2.0.0 Bye")
			c.w.Flush()
			return
		default:
			c.s.fault(fmt.Sprintf("unknown command %q", line))
			c.say("500 5.5.2 What?")
		}
	}
}

func (c *sinkConn) reset() {
	c.mail, c.rcpts = false, nil
	c.text.Reset()
}

func (c *sinkConn) begin(tr *trouble, args string) {
	c.reset()
	refused := c.chance(tr.mail) || strings.Contains(args, "-bounces") && c.chance(tr.lists)
	if c.mail = !refused; c.mail {
		c.say("250 2.1.0 Ok")
		return
	}
	c.say("451 4.3.0 Not now")
}

func (c *sinkConn) rcpt(tr *trouble, args string) {
	address := args[strings.IndexByte(args, '<')+1 : strings.LastIndexByte(args, '>')]
	id, known := c.s.people[address]
	switch {
	case !c.mail:
		c.say("503 5.5.1 MAIL first")
	case !known:
		c.s.fault("mail for " + address + ", who is nobody")
		c.say("550 5.1.1 Nobody")
	case c.chance(tr.rcpt):
		c.say("451 4.3.0 Not this one")
	default:
		c.rcpts = append(c.rcpts, id)
		c.say("250 2.1.5 Ok")
	}
}

func (c *sinkConn) data(tr *trouble) (goesOn bool) {
	switch {
	case len(c.rcpts) == 0:
		c.say("554 5.5.1 No recipients")
		return true
	case c.chance(tr.data):
		c.reset()
		c.say("451 4.3.0 Not now")
		return true
	}
	c.say("354 Go on")
	if c.w.Flush() != nil {
		return false
	}
	var content bytes.Buffer
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull {
			return false
		}
		if string(line) == ".\r\n" {
			return c.dot(tr, content.Bytes())
		}
		content.Write(bytes.TrimPrefix(line, []byte(".")))
	}
}

func (c *sinkConn) bdat(tr *trouble, args string) (goesOn bool) {
	text, last := strings.CutSuffix(args, " LAST")
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil {
		_, err = io.CopyN(&c.text, c.r, n)
	}
	switch {
	case err != nil:
		return false
	case len(c.rcpts) == 0:
		c.say("554 5.5.1 No recipients")
	case last:
		return c.dot(tr, c.text.Bytes())
	default:
		c.say("250 2.0.0 Ok")
	}
	return true
}

// dot decides about a message.
func (c *sinkConn) dot(tr *trouble, content []byte) (goesOn bool) {
	if c.r.Buffered() > 0 {
		c.s.fault("a client that does not wait for the answer to its dot")
	}
	if tr.slow > 0 {
		time.Sleep(between(c.rng, 0, tr.slow))
	}
	if tr.later > 0 && c.s.transactions() > 0 {
		time.Sleep(tr.later)
	}
	rcpts := c.rcpts
	switch {
	case c.chance(tr.drop):
		return false
	case c.chance(tr.dot):
		c.reset()
		c.say("451 4.3.0 Not now")
		return true
	}
	post, err := readContent(content)
	c.reset()
	if err != nil {
		c.s.fault(err.Error())
		c.say("554 5.6.0 That is no post")
		return true
	}
	c.last = &taken{post: post, rcpts: rcpts, at: time.Now(), conn: c.id}
	c.s.mu.Lock()
	c.s.queue = append(c.s.queue, c.last)
	c.s.mu.Unlock()
	if c.chance(tr.forget) {
		return false
	}
	c.say("250 2.0.0 Ok: queued")
	return true
}
