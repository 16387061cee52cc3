package message

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

// outline draws the tree of parts: type, and the body of leaves.
func outline(p *Part) string {
	if len(p.Parts) == 0 {
		return fmt.Sprintf("%s%q", p.Type, p.Body)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s[", p.Type)
	for i, c := range p.Parts {
		if i > 0 {
			b.WriteString(" ")
		}
		b.WriteString(outline(c))
	}
	return b.String() + "]"
}

func TestSamplesSurviveParseAndWrite(t *testing.T) {
	t.Parallel()
	for name, raw := range samples(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := bytes.Clone(raw)
			checkSplice(t, raw)
			if !bytes.Equal(before, raw) {
				t.Error("parsing changed the input")
			}
		})
	}
}

// checkSplice holds the laws of Parse for one message.
func checkSplice(t *testing.T, raw []byte) {
	t.Helper()
	m := Parse(raw)
	if got := m.Bytes(); !bytes.Equal(got, raw) {
		t.Fatalf("Bytes() = %q, want %q", got, raw)
	}
	var b bytes.Buffer
	if n, err := m.WriteTo(&b); err != nil || n != int64(len(raw)) || !bytes.Equal(b.Bytes(), raw) {
		t.Fatalf("WriteTo: %d, %v, %q", n, err, b.Bytes())
	}
	count := 0
	m.Walk(func(p *Part) bool {
		count++
		for _, s := range [][]byte{p.Body, p.Preamble, p.Epilogue, p.delimiter, p.closing} {
			_ = append(s, "overwritten"...) // slices are clipped: this must reach nobody else
		}
		if len(p.Parts) > 0 && len(p.Body) > 0 {
			t.Errorf("%s has parts and a body", p.Type)
		}
		return true
	})
	if got := m.Bytes(); !bytes.Equal(got, raw) {
		t.Fatalf("after appending to the slices: %q, want %q", got, raw)
	}
	if count > MaxParts {
		t.Errorf("%d parts", count)
	}
}

func TestParseOutline(t *testing.T) {
	t.Parallel()
	all := samples(t)
	for _, tt := range []struct{ name, file, want string }{
		{"no MIME", "plain.eml", `text/plain"Tea at four?\r\n"`},
		{"alternative", "alternative.eml", `multipart/alternative[text/plain"plain" text/html"<p>html</p>"]`},
		{"LF only", "lf-multipart.eml", `multipart/alternative[text/plain"plain" text/html"<p>html</p>"]`},
		{
			"boundaries that start alike", "nested.eml",
			`multipart/mixed[multipart/related[multipart/alternative[text/plain"a" text/html"b"] image/png"iVBORw0K"] message/rfc822"Subject: inner\r\n\r\ninner"]`,
		},
		{"no closing delimiter", "no-closing.eml", `multipart/mixed[text/plain"one" text/html"two"]`},
		{"inner one not closed", "inner-no-closing.eml", `multipart/mixed[multipart/mixed[text/plain"one" text/plain"two"] text/plain"three"]`},
		{"the outer one owns a boundary of both", "same-boundary.eml", `multipart/mixed[multipart/mixed"" text/plain"one"]`},
		{"the first of two boundaries", "doubled-boundary.eml", `multipart/mixed[text/plain"one\r\n--b\r\n\r\ntwo"]`},
		{"empty boundary", "empty-boundary.eml", `multipart/mixed"--\r\n\r\none\r\n----\r\n"`},
		{"missing boundary", "missing-boundary.eml", `multipart/mixed"--x\r\n\r\none\r\n--x--\r\n"`},
		{"boundary of an open quote", "open-quote-boundary.eml", `multipart/mixed"--\r\n\r\none\r\n"`},
		{"open quote", "open-quote-boundary2.eml", `multipart/mixed[text/plain"one"]`},
		{"boundary without value", "boundary-no-value.eml", `multipart/mixed"--boundary\r\n\r\none\r\n--boundary--\r\n"`},
		{"odd parameters", "odd-params.eml", `multipart/mixed[text/plain"one"]`},
		{"empty parts", "empty-parts.eml", `multipart/mixed[text/plain"" text/plain"" text/plain""]`},
		{"closing delimiter first", "closing-first.eml", `multipart/mixed"--b--\r\n--b\r\n\r\none\r\n--b--\r\n"`},
		{"parts without an empty line", "part-without-blank.eml", `multipart/mixed[text/plain"" text/plain"Text at once"]`},
		{"digest", "digest.eml", `multipart/digest[message/rfc822"Subject: one\r\n\r\n1" text/plain"2"]`},
		{"the first of two types", "two-content-types.eml", `multipart/mixed"--b\r\n\r\none\r\n--b--\r\n"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := Parse(all[tt.file])
			if got := outline(&m.Part); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if m.Limited {
				t.Error("Limited")
			}
		})
	}
}

func TestParseLimits(t *testing.T) {
	t.Parallel()
	all := samples(t)
	deep, depth := Parse(all["deep.eml"]), 0
	for p := &deep.Part; len(p.Parts) > 0; p = p.Parts[0] {
		depth++
	}
	if depth != MaxDepth || !deep.Limited {
		t.Errorf("depth %d, Limited %v", depth, deep.Limited)
	}
	many := Parse(all["many-parts.eml"])
	if got := len(many.Parts); got != MaxParts-1 || !many.Limited {
		t.Errorf("%d parts, Limited %v", got, many.Limited)
	}
}

func TestEditedPartIsWrittenInItsPlace(t *testing.T) {
	t.Parallel()
	m := Parse(samples(t)["alternative.eml"])
	want := strings.Replace(string(m.Bytes()), "\r\nplain\r\n", "\r\nplain and a footer\r\n", 1)
	m.Parts[0].Body = append(m.Parts[0].Body, " and a footer"...)
	if got := string(m.Bytes()); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParam(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, name, want string }{
		{`text/plain; charset=utf-8; Format=Flowed`, "FORMAT", "Flowed"},
		{`text/plain; charset="a\"b;c" ; x=y`, "charset", `a"b;c`},
		{`text/plain; charset="a;x=1`, "x", ""},
		{`text/plain; charset="a;x=1`, "charset", "a;x=1"},
		{`text/plain; charset (c(d)\)) = utf-8 (e)`, "charset", "utf-8"},
		{`text/plain; a=b=c`, "a", "b=c"},
		{`text/plain; a = b  c `, "a", "b c"},
		{`; a=1`, "a", "1"},
		{strings.Repeat(";a=1", 64) + ";b=1", "b", ""},
	} {
		p := Part{}
		p.Header.Append("Content-Type", tt.in)
		if got := p.Param(tt.name); got != tt.want {
			t.Errorf("Param(%q) of %q = %q, want %q", tt.name, tt.in, got, tt.want)
		}
	}
	if got := new(Part).Param("a"); got != "" {
		t.Errorf("without Content-Type: %q", got)
	}
}

func TestWriteToStopsAtTheFirstError(t *testing.T) {
	t.Parallel()
	raw := samples(t)["nested.eml"]
	for n := range len(raw) {
		w := &shortWriter{left: n}
		if got, err := Parse(raw).WriteTo(w); err != io.ErrShortWrite || got != int64(n) {
			t.Fatalf("after %d: %d, %v", n, got, err)
		}
	}
}

// shortWriter takes left octets.
type shortWriter struct{ left int }

func (w *shortWriter) Write(p []byte) (int, error) {
	if n := w.left; n < len(p) {
		w.left = 0
		return n, io.ErrShortWrite
	}
	w.left -= len(p)
	return len(p), nil
}

// FuzzSplice: any octets survive Parse and Write, and no slice of a part reaches into another.
func FuzzSplice(f *testing.F) {
	for _, raw := range samples(f) {
		if len(raw) < 4096 {
			f.Add(raw)
		}
	}
	f.Fuzz(checkSplice)
}
