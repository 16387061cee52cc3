package smtpclient

import "strconv"

const (
	// chunkingFrom is the size from which BDAT (RFC 3030) pays. It saves the
	// scanning for dots on both sides and lets a refusal in mid-message end the
	// transfer early; but each chunk is a command with a reply, and the size must
	// be announced, so a small message is cheaper as DATA in one write.
	chunkingFrom = 64 << 10
	chunkSize    = 64 << 10
	chunkStep    = 16 << 10 // cleaning may double what it is given
	// chunkHead is room for "BDAT 123456 LAST\r\n" before the octets of a chunk.
	chunkHead = 32
	// chunksUnread bounds replies that wait for us, far below what any socket
	// buffer holds: a peer that cannot write stops reading.
	chunksUnread = 16
)

// SetChunking chooses BDAT if the next hop offers it and total, the size of the
// content in octets, is known (not 0) and above 64 KiB. It reports whether BDAT
// will be used. Call it before Data.
func (t *Transaction) SetChunking(total int64) bool {
	if t.stage <= opened {
		t.chunking = t.c.caps.Chunking && total > chunkingFrom
	}
	return t.chunking
}

// startChunk leaves room for the command, whose length is known in the end.
func (t *Transaction) startChunk() {
	const size = chunkHead + chunkSize + 2*chunkStep
	if cap(t.c.out) < size {
		t.c.out = make([]byte, 0, size)
	}
	t.c.out = t.c.out[:chunkHead]
}

func (t *Transaction) writeChunks(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		step := p[:min(len(p), chunkStep)]
		t.c.out = t.cleaner.Append(t.c.out, step)
		p = p[len(step):]
		t.noteLine()
		if len(t.c.out) < chunkHead+chunkSize {
			continue
		}
		if err := t.sendChunk(""); err != nil {
			return n - len(p), err
		}
		if err := t.readChunks(chunksUnread); err != nil {
			return n - len(p), err
		}
	}
	return n, nil
}

func (t *Transaction) noteLine() {
	if n := len(t.c.out); n > chunkHead {
		t.lineOpen = t.c.out[n-1] != '\n'
	}
}

// endLines ends an unfinished last line, as DATA cannot help doing.
func (t *Transaction) endLines() {
	t.c.out = t.cleaner.Finish(t.c.out)
	t.noteLine()
	if t.lineOpen {
		t.c.out = append(t.c.out, "\r\n"...)
		t.lineOpen = false
	}
}

// sendChunk writes the command and what waits in c.out at once.
func (t *Transaction) sendChunk(last string) error {
	c := t.c
	var buf [chunkHead]byte
	head := appendBDAT(buf[:0], len(c.out)-chunkHead, last)
	start := chunkHead - len(head)
	copy(c.out[start:], head)
	chunk := c.out[start:]
	c.out = c.out[:chunkHead]
	t.unread++
	return c.direct(chunk)
}

func appendBDAT(b []byte, size int, last string) []byte {
	b = strconv.AppendInt(append(b, "BDAT "...), int64(size), 10)
	return append(append(b, last...), "\r\n"...)
}

// readChunks reads replies to chunks until at most limit are outstanding. A
// refusal ends the transfer: what follows would be for nothing.
func (t *Transaction) readChunks(limit int) error {
	for t.unread > limit {
		r, err := t.c.reply("BDAT")
		if err != nil {
			return err
		}
		t.unread--
		if err := t.verdict("BDAT", r); err != nil {
			return err
		}
	}
	return nil
}

func (t *Transaction) holdChunks() error {
	t.endLines()
	if len(t.c.out) > chunkHead {
		if err := t.sendChunk(""); err != nil {
			return err
		}
	}
	return t.readChunks(0)
}

// lastChunk sends what is left as the last chunk, and reads all replies but its own.
func (t *Transaction) lastChunk() error {
	if t.stage == content {
		t.endLines()
	}
	t.dotSent = true
	if err := t.sendChunk(" LAST"); err != nil {
		return err
	}
	t.c.out = t.c.out[:0]
	return t.readChunks(1)
}
