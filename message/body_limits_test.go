package message

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"superlistd/lists"
)

// repeated is Content that lies nowhere: head, then as much of line as fills size octets, then tail.
type repeated struct {
	head, line, tail string
	size             int64 // of the lines
}

func (r repeated) Size() int64 { return int64(len(r.head)+len(r.tail)) + r.size }

func (r repeated) Reader(off int64) io.Reader {
	return io.NewSectionReader(r, off, max(r.Size()-off, 0))
}

func (r repeated) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		at := off + int64(n) - int64(len(r.head))
		var from string
		switch {
		case at < 0:
			from = r.head[len(r.head)+int(at):]
		case at < r.size:
			from = r.line[at%int64(len(r.line)):]
			from = from[:min(int64(len(from)), r.size-at)]
		default:
			if from = r.tail[at-r.size:]; from == "" {
				return n, io.EOF
			}
		}
		n += copy(p[n:], from)
	}
	return n, nil
}

// hostile are large messages, each made to cost much.
func hostile(size int64) map[string]repeated {
	const mixed = "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n"
	deep := "Content-Type: multipart/mixed; boundary=" + strings.Repeat("y", 900) + "0\r\n\r\n"
	for i := 1; i <= MaxDepth; i++ {
		deep += "--" + strings.Repeat("y", 900) + strconv.Itoa(i-1) + "\r\nContent-Type: multipart/mixed; boundary=" + strings.Repeat("y", 900) + strconv.Itoa(i) + "\r\n\r\n"
	}
	all := map[string]repeated{
		"attachment":         {head: mixed + "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n", line: strings.Repeat("QUJD", 19) + "\r\n", tail: "\r\n--b--\r\n"},
		"a line without end": {head: mixed + "Content-Type: application/pdf\r\n\r\n", line: "x"},
		"hyphens":            {head: mixed, line: "--\r\n"},
		"a line of hyphens":  {head: mixed + "\r\n", line: "-"},
		"almost delimiters":  {head: deep, line: "--" + strings.Repeat("y", 900) + "z\r\n"},
		"empty lines":        {line: "\r\n"},
		"a header of a part": {head: mixed, line: "X: y\r\n"},
		"parts":              {head: mixed, line: "\r\n--b\r\n"},
		"parts with names":   {head: mixed, line: "Content-Type: text/plain; name=" + strings.Repeat("n", 900) + "\r\n\r\n--b\r\n"},
		"parts with bounds":  {head: mixed, line: "Content-Type: multipart/mixed; boundary=" + strings.Repeat("n", 900) + "\r\n\r\n--b\r\n"},
		"endless parameters": {head: mixed + "Content-Type: text/plain", line: ";\r\n a=b"},
		"quoted-printable":   {head: "Content-Transfer-Encoding: quoted-printable\r\n\r\n", line: "="},
		"HTML of equals":     {head: "Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", line: "= \t"},
		"HTML of one tag":    {head: "Content-Type: text/html\r\n\r\n<a href=\"", line: "https://x/"},
		"HTML of one word":   {head: "Content-Type: text/html\r\n\r\n", line: "x"},
		"HTML of ampersands": {head: "Content-Type: text/html\r\n\r\n", line: "&"},
		"HTML of comments":   {head: "Content-Type: text/html\r\n\r\n", line: "<!--"},
		"HTML of quotes":     {head: "Content-Type: text/html\r\n\r\n", line: "<blockquote>"},
		"HTML of lists":      {head: "Content-Type: text/html; charset=utf-16\r\n\r\n", line: "<ul><li>x"},
		"HTML of links":      {head: "Content-Type: text/html; charset=gb18030\r\n\r\n", line: "<a href=http://a.example.org/>x"},
		"HTML of scripts":    {head: "Content-Type: text/html\r\n\r\n", line: "<script></scrip"},
		"HTML in base64":     {head: "Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n", line: "PHA+eA==\r\n"},
	}
	for name, r := range all {
		r.size = size - size%int64(len(r.line))
		all[name] = r
	}
	return all
}

// TestBodyMemory: however large a message is and whatever is in it, what is held of it is small. It runs alone, for
// others would be counted, too.
func TestBodyMemory(t *testing.T) {
	const size, most = 3 << 20, 5 << 19
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for name, c := range hostile(size) {
		before := heap()
		high := before
		probe := &probedContent{Content: c, every: size / 4, seen: func() { high = max(high, heap()) }}
		b, err := Inspect(probe)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out, err := b.Decorate(Decoration{Header: "Hello", Footer: "-- \nThe list", HTML: lists.HTMLText, Remove: []int{7}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		n, err := io.Copy(io.Discard, out.Body.Reader(0))
		if err != nil || n != out.Body.Size() {
			t.Fatalf("%s: %d of %d octets, %v", name, n, out.Body.Size(), err)
		}
		if high = max(high, heap()); high-before > most {
			t.Errorf("%s: %d octets held", name, high-before)
		}
		runtime.KeepAlive(b)
	}
}

// probedContent calls seen after every so many octets that are read.
type probedContent struct {
	Content
	every int64
	seen  func()
}

func (p *probedContent) Reader(off int64) io.Reader {
	return &probedReader{in: p.Content.Reader(off), p: p}
}

type probedReader struct {
	in io.Reader
	p  *probedContent
	n  int64
}

func (r *probedReader) Read(b []byte) (int, error) {
	n, err := r.in.Read(b)
	if r.n += int64(n); r.n >= r.p.every {
		r.n = 0
		r.p.seen()
	}
	return n, err
}

// TestBodyOfHostileMail: the laws hold for them, too, where they are small enough to compare.
func TestBodyOfHostileMail(t *testing.T) {
	t.Parallel()
	for name, c := range hostile(100 << 10) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := checkInspect(t, readAll(t, c.Reader(0)))
			checkDecorate(t, b, Decoration{Footer: "-- \nThe list", Remove: []int{1}})
			checkDecorate(t, b, Decoration{Header: "é", HTML: lists.HTMLText})
		})
	}
}

// TestWhatCannotBeSeenIsAnAttachment: no rule about attachments can be evaded by hiding beyond a limit.
func TestWhatCannotBeSeenIsAnAttachment(t *testing.T) {
	t.Parallel()
	all := samples(t)
	const exe = "\r\nContent-Type: application/x-msdownload; name=x.exe\r\n\r\nMZ\r\n"
	const mixed = "Content-Type: multipart/mixed; boundary=b\r\n"
	for _, tt := range []struct {
		name    string
		in      string
		limited bool
	}{
		{"too deep", string(all["deep.eml"]), true},
		{"too many", string(all["many-parts.eml"]) + "--b" + exe, true},
		{"a header without end", mixed + "\r\n--b\r\nContent-Type: text/plain\r\n" + strings.Repeat("X: y\r\n", 20000) + "\r\ntext\r\n--b--\r\n", true},
		{"a boundary without end", "Content-Type: multipart/mixed; boundary=" + strings.Repeat("b", 2000) + "\r\n\r\n--" + strings.Repeat("b", 2000) + exe, true},
		{"a type without end", "Content-Type: text/" + strings.Repeat("b", 2000) + "\r\n\r\ntext", true},
		{"an encoded multipart", mixed + "Content-Transfer-Encoding: base64\r\n\r\nLS1iDQo=\r\n", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := inspect(t, []byte(tt.in))
			found := slices.ContainsFunc(b.Parts(), func(f lists.PartFact) bool {
				return f.Type == "application/octet-stream" && f.Disposition == "attachment"
			})
			if !found || b.Limited() != tt.limited {
				t.Errorf("Limited() = %v, parts %v", b.Limited(), b.Parts())
			}
			out, err := b.Decorate(Decoration{Footer: "x", HTML: lists.HTMLText})
			if err != nil || tt.limited && out.Changed {
				t.Errorf("changed: %v, %v", out.Edits, err)
			}
		})
	}
}

func TestRemoveBeyondTheLimit(t *testing.T) {
	t.Parallel()
	b := inspect(t, samples(t)["many-parts.eml"])
	last := len(b.Parts()) - 1
	out, err := b.Decorate(Decoration{Remove: []int{last}})
	if err != nil {
		t.Fatal(err)
	}
	all := readAll(t, out.Body.Reader(0))
	if want := "\r\n[A part was removed here: application/octet-stream ]\r\n"; !strings.Contains(string(all), want) {
		t.Errorf("%q is not in %q", want, all[max(0, len(all)-300):])
	}
}

func TestInspectFailsWithItsContent(t *testing.T) {
	t.Parallel()
	raw := bodies(t)[filepath.Join("..", "testdata", "body", "text-made.txtar")]
	bad := errors.New("bad disk")
	for n := range len(raw) {
		c := &failingContent{rawContent: raw, left: n, err: bad}
		b, err := Inspect(c)
		if err == nil {
			var out Rewritten
			if out, err = b.Decorate(Decoration{Footer: "x", HTML: lists.HTMLText}); err == nil {
				_, err = io.Copy(io.Discard, out.Body.Reader(0))
			}
		}
		if !errors.Is(err, bad) {
			t.Fatalf("after %d octets: %v", n, err)
		}
	}
	if _, err := Inspect(shortContent{raw}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("content that ends before its size: %v", err)
	}
	if _, err := Inspect(rawContent(bytes.Repeat([]byte("X: y\r\n"), MaxHeader/6+1))); !errors.Is(err, ErrHeader) {
		t.Errorf("header without end: %v", err)
	}
}

// failingContent can be read for left octets in all.
type failingContent struct {
	rawContent
	left int
	err  error
}

func (c *failingContent) Reader(off int64) io.Reader {
	return &failingReader{in: c.rawContent.Reader(off), c: c}
}

type failingReader struct {
	in io.Reader
	c  *failingContent
}

func (r *failingReader) Read(p []byte) (int, error) {
	if r.c.left == 0 {
		return 0, r.c.err
	}
	n, err := r.in.Read(p[:min(len(p), r.c.left)])
	r.c.left -= n
	return n, err
}

type shortContent struct{ rawContent }

func (c shortContent) Size() int64 { return c.rawContent.Size() + 1 }

// TestBodyOfASpool: the content of a session, in memory and in a file.
func TestBodyOfASpool(t *testing.T) {
	t.Parallel()
	for _, raw := range samples(t) {
		s := NewSpool(t.TempDir(), 8<<10, 0)
		defer s.Close()
		if _, err := s.Write(raw); err != nil {
			t.Fatal(err)
		}
		b, err := Inspect(s)
		if err != nil {
			t.Fatal(err)
		}
		if same, err := b.Decorate(Decoration{}); err != nil || same.Body != Content(s) || same.Changed || same.BodyOffset != s.BodyOffset() {
			t.Fatalf("%+v, %v", same, err)
		}
		checkDecorate(t, b, Decoration{Footer: "The list"})
	}
	s := NewSpool("", 8<<10, 0)
	s.Close()
	if _, err := Inspect(s); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}
