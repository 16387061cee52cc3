package wire

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"
)

// body is n octets of ordinary content: lines of 76 columns, or with other ends.
func body(n int, end string) []byte {
	line := strings.Repeat("x", 76) + end
	return []byte(strings.Repeat(line, n/len(line)))
}

const benchBuffer = 64 << 10

func BenchmarkDotReaderRead(b *testing.B) {
	p := make([]byte, 32<<10)
	benchDotReader(b, "\r\n", func(d *DotReader) error {
		for {
			if _, err := d.Read(p); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
		}
	})
}

func BenchmarkDotReaderWriteTo(b *testing.B) {
	benchDotReader(b, "\r\n", discard)
}

func BenchmarkDotReaderWriteToBareLF(b *testing.B) {
	benchDotReader(b, "\n", discard)
}

// BenchmarkDotReaderWriteToHostile: nothing but what must be mended.
func BenchmarkDotReaderWriteToHostile(b *testing.B) {
	benchContent(b, bytes.Repeat([]byte("\r"), 1<<20), discard)
}

func discard(d *DotReader) error {
	_, err := d.WriteTo(sink{})
	return err
}

// sink has no ReadFrom, as a connection that is to be stuffed has none.
type sink struct{}

func (sink) Write(p []byte) (int, error) { return len(p), nil }

func benchDotReader(b *testing.B, end string, read func(*DotReader) error) {
	benchContent(b, body(1<<20, end), read)
}

func benchContent(b *testing.B, content []byte, read func(*DotReader) error) {
	content = append(append(content, "\r\n"...), EndOfData...)
	src := bytes.NewReader(content)
	r := bufio.NewReaderSize(src, benchBuffer)
	d := NewDotReader(r)
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		src.Reset(content)
		r.Reset(src)
		d.Reset(r)
		if err := read(d); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDotWriter(b *testing.B)       { benchDotWriter(b, body(1<<20, "\r\n")) }
func BenchmarkDotWriterDots(b *testing.B)   { benchDotWriter(b, body(1<<20, "\r\n.")) }
func BenchmarkDotWriterBareLF(b *testing.B) { benchDotWriter(b, body(1<<20, "\n")) }

func benchDotWriter(b *testing.B, content []byte) {
	out := bufio.NewWriterSize(sink{}, benchBuffer)
	w := NewDotWriter(out)
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		w.Reset(out)
		for p := content; len(p) > 0; {
			n := min(len(p), 32<<10)
			if _, err := w.Write(p[:n]); err != nil {
				b.Fatal(err)
			}
			p = p[n:]
		}
		if err := w.Finish(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkThrough is the road of relayed content: un-stuff, clean, stuff.
func BenchmarkThrough(b *testing.B) {
	out := bufio.NewWriterSize(sink{}, benchBuffer)
	w := NewDotWriter(out)
	benchDotReader(b, "\r\n", func(d *DotReader) error {
		w.Reset(out)
		if _, err := d.WriteTo(w); err != nil {
			return err
		}
		return w.Finish()
	})
}

func BenchmarkReadReplyLine(b *testing.B) {
	replies := bytes.Repeat([]byte("250 2.1.5 Ok\r\n"), 1000)
	src := bytes.NewReader(replies)
	r := bufio.NewReader(src)
	b.ReportAllocs()
	for b.Loop() {
		_, _, _, err := ReadReplyLine(r)
		if err == io.EOF {
			src.Reset(replies)
			r.Reset(src)
		} else if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseRcpt(b *testing.B) {
	for _, bb := range []struct{ name, in string }{
		{"plain", "TO:<list-member-4711@lists.example.org>"},
		{"quoted", `TO:<"list member"@lists.example.org>`},
		{"params", "TO:<ann@example.org> NOTIFY=FAILURE ORCPT=rfc822;ann@example.org"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := ParseRcpt(bb.in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkReadLine(b *testing.B) {
	lines := bytes.Repeat([]byte("RCPT TO:<list-member-4711@lists.example.org>\r\n"), 1000)
	src := bytes.NewReader(lines)
	r := bufio.NewReader(src)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadLine(r, 8192); err == io.EOF {
			src.Reset(lines)
			r.Reset(src)
		} else if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkXForward(b *testing.B) {
	c := ClientInfo{Name: "spike.example.org", Addr: "192.0.2.5", Port: "4711", Proto: "ESMTP", Helo: "spike.example.org", Ident: "ABC123", Source: "REMOTE"}
	offered := xforwardWords()
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = c.AppendXForward(dst[:0], offered)
	}
}
