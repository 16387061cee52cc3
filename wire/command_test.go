package wire

import (
	"bufio"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReadLine(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 40)
	for _, tt := range []struct {
		name, in string
		want     []string // lines, or errors by their text
	}{
		{"CRLF and LF", "NOOP\r\nQUIT\n", []string{"NOOP", "QUIT", "EOF"}},
		{"only one CR belongs to the end", "a\r\r\n", []string{"a\r", "EOF"}},
		{"empty lines", "\r\n\n", []string{"", "", "EOF"}},
		{"at the limit", long + "\r\nQUIT\r\n", []string{long, "QUIT", "EOF"}},
		{"at the limit with LF", long + "\nQUIT\r\n", []string{long, "QUIT", "EOF"}},
		{"one over", long + "x\r\nQUIT\r\n", []string{"line too long", "QUIT", "EOF"}},
		{"one over with LF", long + "x\nQUIT\r\n", []string{"line too long", "QUIT", "EOF"}},
		{"far over", strings.Repeat(long, 100) + "\nQUIT\r\n", []string{"line too long", "QUIT", "EOF"}},
		{"broken off", "QUI", []string{"unexpected EOF"}},
		{"broken off after CR", "QUIT\r", []string{"unexpected EOF"}},
		{"broken off in a long line", strings.Repeat(long, 9), []string{"unexpected EOF"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, size := range []int{16, 41, 42, 4096} {
				for _, src := range []io.Reader{strings.NewReader(tt.in), iotest.OneByteReader(strings.NewReader(tt.in))} {
					r := bufio.NewReaderSize(src, size)
					for _, want := range tt.want {
						line, err := ReadLine(r, len(long))
						got := string(line)
						if err != nil {
							got = err.Error()
						}
						if got != want {
							t.Fatalf("buffer %d: ReadLine = %q, want %q", size, got, want)
						}
					}
				}
			}
		})
	}
}

func TestReadLinePassesErrorsOn(t *testing.T) {
	t.Parallel()
	r := bufio.NewReader(iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("NOOP\r\n"))))
	if _, err := ReadLine(r, 100); !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("error %v, want a timeout", err)
	}
}

// endless is a line that never ends.
type endless struct{ left int }

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return copy(p, "\nQUIT\r\n"), nil
	}
	for i := range p {
		p[i] = 'x'
	}
	e.left -= len(p)
	return len(p), nil
}

// Not parallel: it counts what is allocated.
func TestLongLineInConstantMemory(t *testing.T) {
	const limit = 8192
	var before, after runtime.MemStats
	r := bufio.NewReader(&endless{left: 16 << 20})
	runtime.ReadMemStats(&before)
	_, err := ReadLine(r, limit)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, ErrLineTooLong) {
		t.Errorf("error %v, want ErrLineTooLong", err)
	}
	if size := after.TotalAlloc - before.TotalAlloc; size > 4*limit {
		t.Errorf("%d octets allocated for a line of 16 MiB", size)
	}
	if line, err := ReadLine(r, limit); string(line) != "QUIT" || err != nil {
		t.Errorf("next line %q, %v", line, err)
	}
}

func TestSplitCommand(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, verb, args string }{
		{"quit", "QUIT", ""},
		{"", "", ""},
		{"  noop  ", "NOOP", ""},
		{"mail FROM:<a@b> SIZE=1 ", "MAIL", "FROM:<a@b> SIZE=1"},
		{"RCPT\tTO:<a@b>", "RCPT", "TO:<a@b>"},
		{"rcpt to: <a@b>", "RCPT", "to: <a@b>"},
		{"ma\u0131l x", "MA\u0131L", "x"}, // strings.ToUpper would make it MAIL
		{"QU\u017fT", "QU\u017fT", ""},
	} {
		if verb, args := SplitCommand(tt.in); verb != tt.verb || args != tt.args {
			t.Errorf("SplitCommand(%q) = %q, %q, want %q, %q", tt.in, verb, args, tt.verb, tt.args)
		}
	}
}

func FuzzCommandLine(f *testing.F) {
	for _, s := range []string{"MAIL FROM:<a@b>\r\nQUIT\n", "\r\n", "x\r\r\n", strings.Repeat("y", 100) + "\nz"} {
		f.Add(s, byte(20))
	}
	f.Fuzz(func(t *testing.T, in string, max byte) {
		r := bufio.NewReaderSize(strings.NewReader(in), 16)
		for rest := in; ; {
			line, err := ReadLine(r, int(max))
			raw, after, whole := strings.Cut(rest, "\n")
			want := strings.TrimSuffix(raw, "\r")
			switch {
			case !whole && (raw == "") != (err == io.EOF), !whole && raw != "" && err != io.ErrUnexpectedEOF:
				t.Fatalf("at %q: %v", rest, err)
			case !whole:
				return
			case len(want) > int(max):
				if err != ErrLineTooLong {
					t.Fatalf("%q: %v, want ErrLineTooLong", raw, err)
				}
			case string(line) != want || err != nil:
				t.Fatalf("ReadLine = %q, %v, want %q", line, err, want)
			}
			if err == nil {
				checkSplit(t, want)
			}
			rest = after
		}
	})
}

// checkSplit: verb and args are the line again, but for blanks and case.
func checkSplit(t *testing.T, line string) {
	t.Helper()
	verb, args := SplitCommand(line)
	if strings.ContainsAny(verb, " \t") || args != strings.Trim(args, " \t") {
		t.Fatalf("%q: blanks in %q, %q", line, verb, args)
	}
	squeeze := func(s string) string { return strings.NewReplacer(" ", "", "\t", "").Replace(s) }
	if got, want := squeeze(verb+args), squeeze(line); !equalFold(got, upper(want)) {
		t.Fatalf("%q became %q, %q", line, verb, args)
	}
}
