package wire

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// twoParts gives its input in two reads.
func twoParts(s string, at int) io.Reader {
	return io.MultiReader(strings.NewReader(s[:at]), strings.NewReader(s[at:]))
}

// sources are the ways in which input can arrive: whole, octet by octet, split
// once at every place.
func sources(in string) map[string]io.Reader {
	all := map[string]io.Reader{
		"whole":      strings.NewReader(in),
		"one octet":  iotest.OneByteReader(strings.NewReader(in)),
		"data error": iotest.DataErrReader(strings.NewReader(in)),
	}
	for i := range in {
		all[fmt.Sprintf("split at %d", i)] = twoParts(in, i)
	}
	return all
}

func TestEndOfDataTable(t *testing.T) {
	t.Parallel()
	const next = "MAIL FROM:<next@example.org>\r\n"
	for _, tt := range []struct {
		in   string // between "a" and "b"; see first for the first line
		ends bool
		want string // what the content holds for it, when it does not end
	}{
		{"\n.\n", false, "\r\n.\r\n"},
		{"\r.\r", false, " . "},
		{"\r.\n", false, " .\r\n"},
		{"\n.\r", false, "\r\n. "},
		{"\n.\r\n", false, "\r\n.\r\n"},
		{"\r\n.\n", false, "\r\n\r\n"},
		{"\r.\r\n", false, " .\r\n"},
		{"\r\n.\r", false, "\r\n "},
		{"\r\n\x00.\r\n", false, "\r\n\x00.\r\n"},
		{"\r\n.\x00\r\n", false, "\r\n\x00\r\n"},
		{"\r\n.\r\r\n", false, "\r\n \r\n"},
		{"\r\r\n.\r\r\n", false, " \r\n \r\n"},
		{"\r\n..\r\n", false, "\r\n.\r\n"},
		{"\r\n. \r\n", false, "\r\n \r\n"},
		{"\n..\r\n", false, "\r\n..\r\n"},
		{"\n\r.\r\n", false, "\r\n .\r\n"},
		{"\r\n\n.\r\n", false, "\r\n\r\n.\r\n"},
		{"\r\n.\r\n", true, "\r\n"},
		{"\r\r\n.\r\n", true, " \r\n"},
		{"\n\r\n.\r\n", true, "\r\n\r\n"},
		{"\r\n.\n\r\n.\r\n", true, "\r\n\r\n\r\n"},
		{"\r\n.\r\r\n.\r\n", true, "\r\n \r\n"},
		{"\r\n..\r\n.\r\n", true, "\r\n.\r\n"},
	} {
		t.Run(fmt.Sprintf("%q", tt.in), func(t *testing.T) {
			t.Parallel()
			in, want := "a"+tt.in, "a"+tt.want
			if !tt.ends {
				in, want = in+"b\r\n.\r\n", want+"b\r\n"
			}
			checkEnd(t, in, want, next)
		})
	}
}

func TestEndOfDataOnFirstLine(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{".\r\n", ""},
		{"..\r\n.\r\n", ".\r\n"},
		{".\n.\r\n\r\n.\r\n", "\r\n.\r\n\r\n"},
		{".\r.\r\n.\r\n", " .\r\n"},
		{".a\r\n.\r\n", "a\r\n"},
		{"\n.\r\n\r\n.\r\n", "\r\n.\r\n\r\n"},
		{"\r\n.\r\n", "\r\n"},
		{"\r.\r\n\r\n.\r\n", " .\r\n\r\n"},
	} {
		t.Run(fmt.Sprintf("%q", tt.in), func(t *testing.T) {
			t.Parallel()
			checkEnd(t, tt.in, tt.want, "QUIT\r\n")
		})
	}
}

// checkEnd reads in+next from every source, by Read and by WriteTo, and holds
// that the content is want, the next command is in sync, and that what goes
// downstream is clean.
func checkEnd(t *testing.T, in, want, next string) {
	t.Helper()
	for name, src := range sources(in + next) {
		r := bufio.NewReaderSize(src, 16)
		got, err := io.ReadAll(struct{ io.Reader }{NewDotReader(r)})
		checkContent(t, name+", Read", string(got), err, want)
		line, err := ReadLine(r, 512)
		if string(line)+"\r\n" != next || err != nil {
			t.Errorf("%s: next command %q, %v, want %q", name, line, err, next)
		}
	}
	for name, src := range sources(in + next) {
		r := bufio.NewReader(src)
		var got, wire bytes.Buffer
		w := NewDotWriter(&wire)
		n, err := NewDotReader(r).WriteTo(io.MultiWriter(&got, w))
		checkContent(t, name+", WriteTo", got.String(), err, want)
		if n != int64(len(want)) {
			t.Errorf("%s: WriteTo = %d, want %d", name, n, len(want))
		}
		if err := w.Finish(); err != nil {
			t.Error(err)
		}
		checkStuffed(t, wire.String())
		if rest, err := io.ReadAll(r); string(rest) != next || err != nil {
			t.Errorf("%s: rest %q, %v, want %q", name, rest, err, next)
		}
	}
}

func checkContent(t *testing.T, name, got string, err error, want string) {
	t.Helper()
	if got != want || err != nil {
		t.Errorf("%s: content %q, %v, want %q", name, got, err, want)
	}
}

func TestEndOfInputNeverEndsTheMessage(t *testing.T) {
	t.Parallel()
	const in = "Subject: x\r\n\r\nbody\r\n..dot\r\nQUIT\r\n.\r\n"
	for i := range in {
		for _, size := range []int{16, 4096} {
			d := NewDotReader(bufio.NewReaderSize(strings.NewReader(in[:i]), size))
			got, err := io.ReadAll(struct{ io.Reader }{d})
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%q: %v, want io.ErrUnexpectedEOF", in[:i], err)
			}
			if want, _, _ := wantContent(in); !strings.HasPrefix(want, string(got)) {
				t.Errorf("%q: read %q, no prefix of %q", in[:i], got, want)
			}
			if _, err := d.Read(make([]byte, 1)); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%q: second error %v", in[:i], err)
			}
			if _, err := d.WriteTo(io.Discard); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%q: WriteTo %v", in[:i], err)
			}
		}
	}
}

func TestTimeoutInDataIsFinal(t *testing.T) {
	t.Parallel()
	src := iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("a\r\n.\r\n")))
	d := NewDotReader(bufio.NewReader(src))
	for range 2 { // a second try could read on, and must not
		if _, err := io.ReadAll(struct{ io.Reader }{d}); !errors.Is(err, iotest.ErrTimeout) {
			t.Errorf("error %v, want a timeout", err)
		}
	}
}

// shortWriter takes n octets, then fails.
type shortWriter struct{ n int }

var errFull = errors.New("full")

func (w *shortWriter) Write(p []byte) (int, error) {
	n := min(len(p), w.n)
	w.n -= n
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

func TestWriteErrorLeavesTheReaderInStep(t *testing.T) {
	t.Parallel()
	line := strings.Repeat("x", 300) + "\r\n"
	in := line + "a\nb\rc\n" + strings.Repeat(line, 20) + ".\r\nQUIT\r\n"
	for n := range len(in) - len(".\r\nQUIT\r\n") {
		r := bufio.NewReaderSize(strings.NewReader(in), 512)
		d := NewDotReader(r)
		wrote, err := d.WriteTo(&shortWriter{n})
		var werr *WriteError
		if !errors.As(err, &werr) || !errors.Is(err, errFull) || wrote != int64(n) {
			t.Fatalf("WriteTo = %d, %v, want %d and a *WriteError", wrote, err, n)
		}
		if _, err := io.Copy(io.Discard, d); err != nil {
			t.Fatalf("reading on: %v", err)
		}
		if got, _ := ReadLine(r, 512); string(got) != "QUIT" {
			t.Fatalf("next command %q after %d octets", got, n)
		}
	}
}

func TestDotReaderReset(t *testing.T) {
	t.Parallel()
	r := bufio.NewReader(strings.NewReader("one\r\n.\r\n.two\r\n.\r\n"))
	d := NewDotReader(r)
	for _, want := range []string{"one\r\n", "two\r\n"} {
		got, err := io.ReadAll(d)
		checkContent(t, want, string(got), err, want)
		d.Reset(r)
	}
}

func TestReadTakesAnySizeOfBuffer(t *testing.T) {
	t.Parallel()
	const in = "a\nb\rc\r\n..\r\n" + "\r\r\r\n.\r\n"
	want, _, _ := wantContent(in)
	for size := 1; size < 20; size++ {
		d := NewDotReader(bufio.NewReader(strings.NewReader(in)))
		if n, err := d.Read(nil); n != 0 || err != nil {
			t.Errorf("Read(nil) = %d, %v", n, err)
		}
		var got []byte
		for p := make([]byte, size); ; {
			n, err := d.Read(p)
			got = append(got, p[:n]...)
			if err == io.EOF {
				break
			}
			if err != nil || n == 0 {
				t.Fatalf("Read = %d, %v", n, err)
			}
		}
		checkContent(t, fmt.Sprint(size), string(got), nil, want)
	}
}

func TestSearchWindow(t *testing.T) {
	t.Parallel()
	for _, pad := range []int{scanWindow - 2, scanWindow - 1, scanWindow, 2*scanWindow - 1, 2 * scanWindow} {
		for _, end := range []string{"\r\n.\r\n", "\r\r\n.\r\n", "\n\r\n.\r\n", "\rx\r\n.\r\n"} {
			in := strings.Repeat("x", pad) + end
			want, _, _ := wantContent(in)
			for _, size := range []int{16, 1024, 4096} {
				got, err := io.ReadAll(NewDotReader(bufio.NewReaderSize(strings.NewReader(in), size)))
				checkContent(t, fmt.Sprintf("%d+%q", pad, end), string(got), err, want)
			}
		}
	}
}
