package message

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"superlistd/lists"
)

// rawContent is Content in memory.
type rawContent []byte

func (c rawContent) Reader(off int64) io.Reader { return bytes.NewReader(c[min(off, int64(len(c))):]) }
func (c rawContent) Size() int64                { return int64(len(c)) }

func inspect(tb testing.TB, raw []byte) *Body {
	tb.Helper()
	b, err := Inspect(rawContent(raw))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func readAll(tb testing.TB, r io.Reader) []byte {
	tb.Helper()
	all, err := io.ReadAll(r)
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

// checkInspect: the map of parts is that of Parse, part by part and octet by octet.
func checkInspect(t *testing.T, raw []byte) *Body {
	t.Helper()
	b, err := Inspect(rawContent(raw))
	if errors.Is(err, ErrHeader) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(b.parts) > MaxParts+MaxDepth {
		t.Fatalf("%d parts", len(b.parts))
	}
	if m := Parse(raw); !b.limited && !m.Limited {
		checkSame(t, raw, b, 0, &m.Part)
	}
	return b
}

func checkSame(t *testing.T, raw []byte, b *Body, i int, want *Part) {
	t.Helper()
	p := &b.parts[i]
	if p.kind != want.Type || len(p.children) != len(want.Parts) {
		t.Fatalf("part %q: %s with %d parts, want %s with %d in\n%q", b.number(i), p.kind, len(p.children), want.Type, len(want.Parts), raw)
	}
	if got := raw[p.start:p.body]; !bytes.Equal(got, want.Header.Bytes()) {
		t.Fatalf("part %q: header %q, want %q in\n%q", b.number(i), got, want.Header.Bytes(), raw)
	}
	if whole := want.Bytes(); !bytes.Equal(raw[p.start:p.end], whole) {
		t.Fatalf("part %q: %q, want %q in\n%q", b.number(i), raw[p.start:p.end], whole, raw)
	}
	for n, c := range p.children {
		d := raw[b.parts[c].delimiter:b.parts[c].start]
		if !bytes.Equal(d, want.Parts[n].delimiter) {
			t.Fatalf("part %q: delimiter %q, want %q in\n%q", b.number(c), d, want.Parts[n].delimiter, raw)
		}
		checkSame(t, raw, b, c, want.Parts[n])
	}
	if p.closed != (len(want.closing) > 0) && p.closing < p.end {
		t.Fatalf("part %q: closed %v, want %q in\n%q", b.number(i), p.closed, want.closing, raw)
	}
}

// checkDecorate holds the laws of Decorate, and returns what came out.
func checkDecorate(t *testing.T, b *Body, d Decoration) []byte {
	t.Helper()
	raw := readAll(t, b.content.Reader(0))
	d.Removed = func(f lists.PartFact) string { return "removed " + f.Filename + "\n-- gone" }
	out, err := b.Decorate(d)
	if err != nil {
		t.Fatal(err)
	}
	if out.Changed != (len(out.Edits) > 0) {
		t.Fatalf("Changed %v with edits %v", out.Changed, out.Edits)
	}
	all := readAll(t, out.Body.Reader(0))
	if !out.Changed && !bytes.Equal(all, raw) {
		t.Fatalf("unchanged, but %q became %q", raw, all)
	}
	checkContent(t, out, all)
	h := ParseHeader(all)
	if int64(h.Len()) != out.BodyOffset || !bytes.Equal(h.Bytes(), out.Header.Bytes()) {
		t.Fatalf("header %q ends at %d, want %q, %d", h.Bytes(), h.Len(), out.Header.Bytes(), out.BodyOffset)
	}
	if out.Changed {
		checkFields(t, b.header, h)
		checkParts(t, b, inspect(t, all), d, out)
	}
	return all
}

// checkContent: the size is right, and it can be read from anywhere, in steps or at once.
func checkContent(t *testing.T, out Rewritten, all []byte) {
	t.Helper()
	if out.Body.Size() != int64(len(all)) {
		t.Fatalf("Size() = %d of %d octets", out.Body.Size(), len(all))
	}
	for _, off := range []int{0, 1, len(all) / 3, len(all) / 2, len(all) - 1, len(all), len(all) + 1, int(out.BodyOffset)} {
		off = max(off, 0)
		var b bytes.Buffer
		if _, err := io.Copy(&b, out.Body.Reader(int64(off))); err != nil || !bytes.Equal(b.Bytes(), all[min(off, len(all)):]) {
			t.Fatalf("from %d: %q, %v; want %q", off, b.Bytes(), err, all[min(off, len(all)):])
		}
	}
}

// checkFields: no field but those that speak of the body has changed.
func checkFields(t *testing.T, was, is Header) {
	t.Helper()
	others := func(h Header) (s []string) {
		for _, f := range h.fields {
			if !ofContent(f) && !f.is("MIME-Version") {
				s = append(s, string(endLine(f.raw)))
			}
		}
		return s
	}
	if a, b := others(was), others(is); !slices.Equal(a, b) {
		t.Fatalf("fields %q became %q", a, b)
	}
	if was.Has("MIME-Version") != is.Has("MIME-Version") && was.Has("MIME-Version") {
		t.Fatal("MIME-Version is gone")
	}
}

// checkParts: as many parts came out as went in, but for the HTML that has plain text beside it, and the texts that the edits tell
// of; and each is as it was, but for what the edits tell.
func checkParts(t *testing.T, was, is *Body, d Decoration, out Rewritten) {
	t.Helper()
	ops := map[string][]BodyOp{}
	leaves := is.leaves
	for _, e := range out.Edits {
		ops[e.Part] = append(ops[e.Part], e.Op)
		switch {
		case e.String() == "unknown" || strings.ContainsFunc(e.String(), func(r rune) bool { return r < ' ' }):
			t.Fatalf("edit %q", e)
		case e.Op == HeaderAdded && len(leaves) > 0:
			checkText(t, is, leaves[0], cleanText(d.Header))
			leaves = leaves[1:]
		case e.Op == FooterAdded && len(leaves) > 0:
			checkText(t, is, leaves[len(leaves)-1], cleanText(d.Footer))
			leaves = leaves[:len(leaves)-1]
		}
	}
	for _, l := range was.leaves {
		done := ops[was.number(l)]
		if slices.Contains(done, HTMLDropped) || slices.Contains(done, EmptyDropped) {
			continue
		}
		if len(leaves) == 0 {
			t.Fatalf("part %q is missing in %q", was.number(l), readAll(t, out.Body.Reader(0)))
		}
		checkPart(t, was, is, l, leaves[0], done)
		leaves = leaves[1:]
	}
	if len(leaves) > 0 {
		t.Fatalf("%d parts more than there should be, after %v, in %q", len(leaves), out.Edits, readAll(t, out.Body.Reader(0)))
	}
	if d.HTML == lists.HTMLText && !was.limited {
		for _, l := range is.leaves {
			if is.parts[l].html() && !is.sealed(l) {
				t.Fatalf("part %q is still HTML", is.number(l))
			}
		}
	}
}

// checkPart compares one leaf before and after.
func checkPart(t *testing.T, was, is *Body, l, k int, done []BodyOp) {
	t.Helper()
	old, now := &was.parts[l], &is.parts[k]
	before := readAll(t, io.LimitReader(was.content.Reader(old.body), old.size()))
	after := readAll(t, io.LimitReader(is.content.Reader(now.body), now.size()))
	has := func(op BodyOp) bool { return slices.Contains(done, op) }
	switch {
	case has(PartRemoved) || has(HTMLToText):
		if now.kind != "text/plain" || now.attached() {
			t.Fatalf("part %q is %s", was.number(l), now.kind)
		}
		for line := range bytes.Lines(after) {
			if now.encoding != "" && (len(line) > 76+len("\r\n") || bytes.HasPrefix(line, []byte("-"))) {
				t.Fatalf("part %q has the line %q", was.number(l), line)
			}
		}
	case now.kind != old.kind || now.encoding != old.encoding || now.charset != old.charset || now.filename != old.filename:
		t.Fatalf("part %q: %+v became %+v", was.number(l), old.bodyInfo, now.bodyInfo)
	case has(HeaderPut) || has(FooterPut):
		if !within(before, after) {
			t.Fatalf("part %q: %q became %q", was.number(l), before, after)
		}
	case !bytes.Equal(before, after) && !(k == 0 && l != 0 && string(after) == string(before)+"\r\n"):
		t.Fatalf("part %q: %q became %q without an edit", was.number(l), before, after)
	}
}

// within tells whether all of a is in b, in order.
func within(a, b []byte) bool {
	for _, c := range b {
		if len(a) > 0 && a[0] == c {
			a = a[1:]
		}
	}
	return len(a) == 0
}

// checkText: a part of ours reads as its text.
func checkText(t *testing.T, b *Body, i int, want string) {
	t.Helper()
	got := strings.ReplaceAll(string(readAll(t, b.inText(i))), "\r\n", "\n")
	if p := &b.parts[i]; p.kind != "text/plain" || got != want {
		t.Fatalf("%s part of ours reads %q, want %q", p.kind, got, want)
	}
}

// FuzzBody: parts in are parts out, whatever comes in and whatever is put around it.
func FuzzBody(f *testing.F) {
	all := samples(f)
	for name, raw := range bodies(f) {
		all[name] = raw
	}
	for _, raw := range all {
		if len(raw) < 8<<10 {
			f.Add(raw, "", "-- \nThe team's list\nhttps://lists.example.org/team", uint16(0), false)
			f.Add(raw, "Réunion", "Grüße\n--b\n--outer--", uint16(2), true)
			f.Add(raw, "Hello", "", uint16(5), true)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte, header, footer string, remove uint16, text bool) {
		if len(header)+len(footer) > 4000 || len(raw) > 32<<10 {
			t.Skip()
		}
		b := checkInspect(t, raw)
		if b == nil {
			t.Skip()
		}
		b.Parts()
		b.HasHTML()
		if _, err := b.Text(1000); err != nil {
			t.Fatal(err)
		}
		d := Decoration{Header: header, Footer: footer}
		for n := range 16 {
			if remove>>n&1 == 1 {
				d.Remove = append(d.Remove, n)
			}
		}
		if text {
			d.HTML = lists.HTMLText
		}
		checkDecorate(t, b, d)
	})
}
