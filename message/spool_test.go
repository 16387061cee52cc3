package message

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
)

// content is n octets that differ from place to place.
func content(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(b)
	return b
}

// fill writes p in steps of the given size.
func fill(tb testing.TB, s *Spool, p []byte, step int) {
	tb.Helper()
	for len(p) > 0 {
		n, err := s.Write(p[:min(step, len(p))])
		if err != nil {
			tb.Fatal(err)
		}
		p = p[n:]
	}
}

func TestSpoolGivesBackWhatWasWritten(t *testing.T) {
	t.Parallel()
	for _, memory := range []int{0, 8 << 10, 10_000, 128_000, 4 << 20} {
		for _, size := range []int{0, 1, 8191, 8192, 8193, 128_000, 128_001, 500_000} {
			for _, step := range []int{997, 4096, 1 << 20} {
				s, want := NewSpool(t.TempDir(), memory, 0), content(size)
				fill(t, s, want, step)
				if s.Size() != int64(size) {
					t.Fatalf("Size() = %d, want %d", s.Size(), size)
				}
				if (s.file != nil) != (size > max(memory, smallest)) {
					t.Errorf("memory %d, size %d: file %v", memory, size, s.file)
				}
				for _, off := range []int64{-1, 0, 1, 8192, int64(size) - 1, int64(size), int64(size) + 10} {
					rest := want[min(max(off, 0), int64(size)):]
					if got, err := io.ReadAll(s.Reader(off)); err != nil || !bytes.Equal(got, rest) {
						t.Fatalf("memory %d, size %d, step %d: Read from %d: %d octets, %v", memory, size, step, off, len(got), err)
					}
					var b bytes.Buffer
					if n, err := io.Copy(&b, s.Reader(off)); err != nil || n != int64(len(rest)) || !bytes.Equal(b.Bytes(), rest) {
						t.Fatalf("memory %d, size %d, step %d: WriteTo from %d: %d octets, %v", memory, size, step, off, n, err)
					}
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func TestSpoolReaderIsAReader(t *testing.T) {
	t.Parallel()
	s, want := NewSpool(t.TempDir(), 0, 0), content(50_000)
	defer s.Close()
	fill(t, s, want, 4096)
	if err := iotest.TestReader(s.Reader(0), want); err != nil {
		t.Error(err)
	}
	if n, err := s.Reader(0).Read(nil); n != 0 || err != nil {
		t.Errorf("Read of nothing: %d, %v", n, err)
	}
}

func TestSpoolWriteToGoesOnWhereReadStopped(t *testing.T) {
	t.Parallel()
	s, want := NewSpool(t.TempDir(), 0, 0), content(50_000)
	defer s.Close()
	fill(t, s, want, 4096)
	r := s.Reader(0)
	head := make([]byte, 20_000)
	if _, err := io.ReadFull(r, head); err != nil {
		t.Fatal(err)
	}
	var tail bytes.Buffer
	if n, err := r.(io.WriterTo).WriteTo(&tail); err != nil || n != 30_000 {
		t.Fatalf("%d, %v", n, err)
	}
	if !bytes.Equal(append(head, tail.Bytes()...), want) {
		t.Error("octets differ")
	}
	if n, err := r.Read(head); n != 0 || err != io.EOF {
		t.Errorf("at the end: %d, %v", n, err)
	}
}

func TestSpoolLimit(t *testing.T) {
	t.Parallel()
	s := NewSpool(t.TempDir(), 0, 20_000)
	defer s.Close()
	fill(t, s, content(20_000), 4096)
	if n, err := s.Write([]byte{1}); n != 0 || !errors.Is(err, ErrTooBig) {
		t.Errorf("one octet more: %d, %v", n, err)
	}
	if n, err := s.Write(nil); n != 0 || !errors.Is(err, ErrTooBig) {
		t.Errorf("the error does not stay: %d, %v", n, err)
	}
	if s.Size() != 20_000 {
		t.Errorf("Size() = %d", s.Size())
	}
}

func TestSpoolHeader(t *testing.T) {
	t.Parallel()
	field := "X-Fill: " + strings.Repeat("x", 90) + "\r\n"
	big := strings.Repeat(field, MaxHeader/len(field)-1)
	exact := big + "X-Last: " + strings.Repeat("y", MaxHeader-len(big)-len("X-Last: \r\n\r\n")) + "\r\n\r\n"
	for _, tt := range []struct {
		name, in string
		want     int // length of the header; -1: ErrHeader
	}{
		{"empty", "", 0},
		{"small", "A: 1\r\n\r\nbody", 8},
		{"no body", "A: 1\r\n", 6},
		{"no header", "\r\nbody", 2},
		{"body at once", "no field\r\n", 0},
		{"a body line without end", "A: 1\r\nno field" + strings.Repeat(" x", MaxHeader), 6},
		{"a body line of one word without end", "A: 1\r\n" + strings.Repeat("x", 2*MaxHeader), 6},
		{"ends at the first step", strings.Repeat("A: 1\r\n", (16<<10)/6) + "B: 12\r\n\r\nbody", -2},
		{"100 KiB", strings.Repeat(field, 1000) + "\r\n" + strings.Repeat("body\r\n", 1000), 1000*len(field) + 2},
		{"as big as may be", exact + "body", MaxHeader},
		{"as big as may be, no body", exact, MaxHeader},
		{"one octet too big", "A" + exact + "body", -1},
		{"one octet too big, no body", "A" + exact, -1},
		{"no end at all", strings.Repeat(field, 5000), -1},
		{"one field without end", "A: " + strings.Repeat("x", 2*MaxHeader), -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.want == -2 {
				tt.want = strings.Index(tt.in, "body")
			}
			for _, memory := range []int{0, 4 << 20} {
				s := NewSpool(t.TempDir(), memory, 0)
				fill(t, s, []byte(tt.in), 4096)
				h, err := s.Header()
				off := s.BodyOffset()
				again, err2 := s.Header()
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				if tt.want < 0 {
					if !errors.Is(err, ErrHeader) || !errors.Is(err2, ErrHeader) || off != 0 {
						t.Errorf("memory %d: %v, %v, body at %d", memory, err, err2, off)
					}
					continue
				}
				if err != nil || err2 != nil || off != int64(tt.want) {
					t.Fatalf("memory %d: %v, %v, body at %d, want %d", memory, err, err2, off, tt.want)
				}
				if got := string(h.Bytes()); got != tt.in[:tt.want] || string(again.Bytes()) != got {
					t.Errorf("memory %d: header differs", memory)
				}
			}
		})
	}
}

func TestSpoolHeaderOfEverySample(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, raw := range samples(t) {
		raw = raw[:min(len(raw), 4096)]
		// Behind 16 KiB of fields the first look ends at many a place of the sample.
		for cut := 16<<10 - min(len(raw), 1200); cut <= 16<<10; cut += 7 {
			in := append([]byte("X: "+strings.Repeat("x", cut-5)+"\r\n"), raw...)
			s := NewSpool(dir, 0, 0)
			fill(t, s, in, 1<<20)
			if got, want := s.BodyOffset(), int64(ParseHeader(in).Len()); got != want {
				t.Errorf("%s behind %d octets: body at %d, want %d", name, cut, got, want)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestSpoolAfterClose(t *testing.T) {
	t.Parallel()
	for _, size := range []int{100, 100_000} {
		s := NewSpool(t.TempDir(), 0, 0)
		fill(t, s, append([]byte("A: 1\r\n\r\n"), content(size)...), 4096)
		h, err := s.Header()
		if err != nil {
			t.Fatal(err)
		}
		r := s.Reader(0)
		for range 2 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		// The next message takes the buffers.
		next := NewSpool(t.TempDir(), 0, 0)
		fill(t, next, bytes.Repeat([]byte("secret"), size), 4096)
		if got := string(h.Bytes()); got != "A: 1\r\n\r\n" {
			t.Errorf("the header became %q", got)
		}
		if got, err := io.ReadAll(r); len(got) > 0 || !errors.Is(err, os.ErrClosed) {
			t.Errorf("Read: %d octets, %v", len(got), err)
		}
		if n, err := r.(io.WriterTo).WriteTo(io.Discard); n != 0 || !errors.Is(err, os.ErrClosed) {
			t.Errorf("WriteTo: %d octets, %v", n, err)
		}
		if n, err := s.Write([]byte("x")); n != 0 || !errors.Is(err, os.ErrClosed) {
			t.Errorf("Write: %d, %v", n, err)
		}
		if err := next.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// closer closes the spool in the middle of a WriteTo.
type closingWriter struct {
	spool *Spool
	dir   string
	got   bytes.Buffer
}

func (w *closingWriter) Write(p []byte) (int, error) {
	if err := w.spool.Close(); err != nil {
		return 0, err
	}
	next := NewSpool(w.dir, 0, 0)
	defer next.Close()
	if _, err := next.Write(bytes.Repeat([]byte("secret"), 1000)); err != nil {
		return 0, err
	}
	return w.got.Write(p)
}

func TestSpoolClosedUnderAReaderShowsNoOtherMessage(t *testing.T) {
	t.Parallel()
	want := content(6000)
	s := NewSpool(t.TempDir(), 0, 0)
	fill(t, s, want, 4096)
	w := &closingWriter{spool: s, dir: t.TempDir()}
	if _, err := s.Reader(0).(io.WriterTo).WriteTo(w); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(w.got.Bytes(), want) {
		t.Error("the reader saw something else")
	}
}

func TestSpoolConcurrentReaders(t *testing.T) {
	t.Parallel()
	for _, memory := range []int{0, 1 << 20} {
		s := NewSpool(t.TempDir(), memory, 0)
		want := append([]byte("A: 1\r\n\r\n"), content(300_000)...)
		fill(t, s, want, 4096)
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				off := int64(i * 10_000)
				var b bytes.Buffer
				var r io.Reader = s.Reader(off)
				if i%2 == 0 {
					r = struct{ io.Reader }{r}
				}
				if _, err := io.Copy(&b, r); err != nil || !bytes.Equal(b.Bytes(), want[off:]) {
					t.Errorf("reader %d: %d octets, %v", i, b.Len(), err)
				}
				if h, err := s.Header(); err != nil || h.Len() != 8 {
					t.Errorf("reader %d: header of %d, %v", i, h.Len(), err)
				}
			})
		}
		wg.Wait()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// While the file is in use its folder is empty: so it is after Close, and after a kill at any time.
func TestSpoolLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, create := range map[string]func(string) (*os.File, error){"unnamed": unnamedFile, "unlinked": unlinkedFile} {
		s := NewSpool(dir, 0, 0)
		s.create = func() (backing, error) { return create(dir) }
		fill(t, s, content(100_000), 4096)
		if s.file == nil {
			t.Fatal("no file")
		}
		for _, when := range []string{"open", "closed"} {
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("%s, %s: %v, %v", name, when, left, err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Memory does not grow with the messages: 50 of them, all open and read at the same time, stay in bounds. Not parallel:
// it looks at the heap of the whole process.
func TestSpoolMemory(t *testing.T) {
	const sessions, size = 50, 1 << 20
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	step, dir := content(32<<10), t.TempDir()
	all := make([]*Spool, sessions)
	var wg sync.WaitGroup
	for i := range all {
		all[i] = NewSpool(dir, 128_000, 0)
		wg.Go(func() {
			for range size / len(step) {
				if _, err := all[i].Write(step); err != nil {
					t.Error(err)
				}
			}
			for range 2 {
				if n, err := io.Copy(io.Discard, struct{ io.Reader }{all[i].Reader(0)}); n != size || err != nil {
					t.Errorf("%d, %v", n, err)
				}
			}
		})
	}
	wg.Wait()
	runtime.ReadMemStats(&after)
	// A buffer of 128 KiB each, and what the garbage collector has not yet taken of the smaller ones and of io.Copy's.
	if grown := int64(after.HeapInuse) - int64(before.HeapInuse); grown > 24<<20 {
		t.Errorf("the heap grew by %d octets", grown)
	}
	for _, s := range all {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
