package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
)

// wantContent is the slow model of DotReader, a definition instead of a machine:
// the end of data is the first ".CRLF" at the start or after a CRLF; a dot there
// is taken off elsewhere; then every line end that is no CRLF is put right.
func wantContent(in string) (content, rest string, ended bool) {
	opens := func(i int) bool { return i == 0 || i >= 2 && in[i-2:i] == "\r\n" }
	end := len(in)
	for i := range len(in) {
		if opens(i) && strings.HasPrefix(in[i:], EndOfData) {
			end, rest, ended = i, in[i+len(EndOfData):], true
			break
		}
	}
	var b strings.Builder
	for i := range end {
		if in[i] != '.' || !opens(i) {
			b.WriteByte(in[i])
		}
	}
	return wantCanonical(b.String()), rest, ended
}

func wantCanonical(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch {
		case s[i] == '\n' && (i == 0 || s[i-1] != '\r'):
			b.WriteString("\r\n")
		case s[i] == '\r' && (i+1 == len(s) || s[i+1] != '\n'):
			b.WriteByte(' ')
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

var bareEnd = regexp.MustCompile(`\r[^\n]|\r$|[^\r]\n|^\n`)

// checkStuffed holds the law for all that leaves DotWriter.
func checkStuffed(t *testing.T, wire string) {
	t.Helper()
	if loc := bareEnd.FindStringIndex(wire); loc != nil {
		t.Errorf("bare CR or LF at %d in %q", loc[0], wire)
	}
	if wire != "" && !strings.HasSuffix(wire, "\r\n") {
		t.Errorf("last line has no end: %q", wire)
	}
	for line := range strings.SplitSeq(wire, "\r\n") {
		if strings.HasPrefix(line, ".") && !strings.HasPrefix(line, "..") {
			t.Errorf("unstuffed line %q in %q", line, wire)
		}
	}
}

func FuzzEndOfData(f *testing.F) {
	for _, s := range []string{".\r\n", "a\r\n.\r\nQUIT\r\n", "a\r\r\n.\r\n", "\n.\n\r.\r\r\n..\r\n.\r\n", "a\n.\r\n.\r\n", "x\r\n.\r\r\n.\r\nMAIL"} {
		f.Add([]byte(s), byte(1))
	}
	f.Add(append(bytes.Repeat([]byte("0123456789\r\n"), 200), ".\r\n"...), byte(200))
	f.Fuzz(func(t *testing.T, in []byte, step byte) {
		want, rest, ended := wantContent(string(in))
		var src io.Reader = bytes.NewReader(in)
		if step == 0 {
			src = iotest.OneByteReader(src)
		}
		r := bufio.NewReaderSize(src, 16+int(step))
		var got, wire bytes.Buffer
		_, err := NewDotReader(r).WriteTo(&got)
		if !ended {
			if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.HasPrefix(want, got.String()) {
				t.Fatalf("cut short: %q, %v, want a prefix of %q", got.Bytes(), err, want)
			}
			return
		}
		if got.String() != want || err != nil {
			t.Fatalf("content %q, %v, want %q", got.Bytes(), err, want)
		}
		if after, _ := io.ReadAll(r); string(after) != rest {
			t.Fatalf("rest %q, want %q", after, rest)
		}
		w := NewDotWriter(&wire)
		for part := in[:len(in)-len(rest)]; len(part) > 0; { // raw: the writer alone must make it safe, too
			n := min(len(part), 1+int(step))
			if _, err := w.Write(part[:n]); err != nil {
				t.Fatal(err)
			}
			part = part[n:]
		}
		if err := w.Finish(); err != nil {
			t.Fatal(err)
		}
		checkStuffed(t, wire.String())
		checkRoundTrip(t, got.String())
	})
}

// checkRoundTrip: what DotWriter makes of canonical content, DotReader undoes.
func checkRoundTrip(t *testing.T, content string) {
	t.Helper()
	var wire bytes.Buffer
	w := NewDotWriter(&wire)
	if _, err := io.WriteString(w, content); err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	wire.WriteString(EndOfData + "QUIT")
	r := bufio.NewReaderSize(&wire, 16)
	back, err := io.ReadAll(NewDotReader(r))
	if want := content; strings.TrimSuffix(string(back), "\r\n") != strings.TrimSuffix(want, "\r\n") || err != nil {
		t.Fatalf("round trip %q, %v, want %q", back, err, want)
	}
	if after, _ := io.ReadAll(r); string(after) != "QUIT" {
		t.Fatalf("after the round trip %q", after)
	}
}
