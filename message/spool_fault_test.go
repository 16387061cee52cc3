package message

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
)

func TestSpoolFolderMissing(t *testing.T) {
	t.Parallel()
	s := NewSpool(t.TempDir()+"/missing", 0, 0)
	defer s.Close()
	_, err := s.Write(content(100_000))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestSpoolDiskFull(t *testing.T) {
	t.Parallel()
	s := NewSpool(t.TempDir(), 0, 0)
	defer s.Close()
	s.create = func() (backing, error) { return os.OpenFile("/dev/full", os.O_RDWR, 0) }
	if _, err := s.Write(content(100_000)); err == nil || errors.Is(err, ErrTooBig) {
		t.Errorf("got %v", err)
	}
}

// brokenFile fails its n-th operation, and all after it.
type brokenFile struct {
	*os.File
	n       *int
	tripped *bool
}

var errBroken = errors.New("broken")

func (f brokenFile) step() error {
	if *f.n--; *f.n <= 0 {
		*f.tripped = true
		return errBroken
	}
	return nil
}

func (f brokenFile) Write(p []byte) (int, error) {
	if err := f.step(); err != nil {
		n, _ := f.File.Write(p[:len(p)/2]) // half of it is there already
		return n, err
	}
	return f.File.Write(p)
}

func (f brokenFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.step(); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

// Law at every n: what a reader got without an error is what was written, all of it.
func TestSpoolFaults(t *testing.T) {
	t.Parallel()
	want := append([]byte("A: 1\r\n\r\n"), content(200_000)...)
	dir := t.TempDir()
	n, tripped := 1, true
	for ; tripped; n++ {
		tripped = false
		left := n
		s := NewSpool(dir, 0, 0)
		s.create = func() (backing, error) {
			f, err := unnamedFile(dir)
			return brokenFile{f, &left, &tripped}, err
		}
		wrote, err := s.Write(want)
		if err == nil != (wrote == len(want)) || err != nil && !errors.Is(err, errBroken) {
			t.Fatalf("step %d: wrote %d, %v", n, wrote, err)
		}
		if err != nil {
			if _, again := s.Write(nil); !errors.Is(again, errBroken) {
				t.Errorf("step %d: the error does not stay: %v", n, again)
			}
		} else {
			h, herr := s.Header()
			got, rerr := io.ReadAll(struct{ io.Reader }{s.Reader(0)})
			var b bytes.Buffer
			_, werr := io.Copy(&b, s.Reader(0))
			if herr == nil && h.Len() != 8 || rerr == nil && !bytes.Equal(got, want) || werr == nil && !bytes.Equal(b.Bytes(), want) {
				t.Errorf("step %d: wrong content without an error", n)
			}
			if !bytes.HasPrefix(want, b.Bytes()) || !bytes.HasPrefix(want, got) {
				t.Errorf("step %d: octets that were never written", n)
			}
			if (herr != nil || rerr != nil || werr != nil) != tripped {
				t.Errorf("step %d: tripped %v, errors %v, %v, %v", n, tripped, herr, rerr, werr)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if n < 20 {
		t.Errorf("only %d steps", n)
	}
}

// A file that became shorter behind our back is an error, not a short message.
func TestSpoolTruncatedFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := NewSpool(dir, 0, 0)
	defer s.Close()
	var file *os.File
	s.create = func() (backing, error) {
		f, err := unnamedFile(dir)
		file = f
		return f, err
	}
	fill(t, s, content(100_000), 4096)
	if err := file.Truncate(50_000); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, s.Reader(0)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("WriteTo: %v", err)
	}
	if _, err := io.ReadAll(s.Reader(60_000)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("Read: %v", err)
	}
}

// A writer that fails gets its own error back, and n is what it took.
func TestSpoolWriterFails(t *testing.T) {
	t.Parallel()
	s := NewSpool(t.TempDir(), 0, 0)
	defer s.Close()
	fill(t, s, content(100_000), 4096)
	for _, left := range []int{0, 1, 40_000, 99_000, 99_999} {
		if n, err := s.Reader(0).(io.WriterTo).WriteTo(&shortWriter{left: left}); n != int64(left) || err != io.ErrShortWrite {
			t.Errorf("after %d: %d, %v", left, n, err)
		}
	}
}
