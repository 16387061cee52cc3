package wire

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

func TestDotWriter(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"empty content stays empty", "", ""},
		{"a dot on the first line", ".", "..\r\n"},
		{"every line that begins with a dot", ".a\r\n..\r\n.\r\nb.c", "..a\r\n...\r\n..\r\nb.c\r\n"},
		{"unfinished last line", "a", "a\r\n"},
		{"bare LF before a dot", "a\n.\nb\n", "a\r\n..\r\nb\r\n"},
		{"bare CR before a dot", "a\r.\r\n", "a .\r\n"},
		{"CR at the end", "a\r", "a \r\n"},
		{"smuggling", "hello\r\n.\r\r\nMAIL", "hello\r\n.. \r\nMAIL\r\n"},
		{"CR CR LF", "a\r\r\n.", "a \r\n..\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for i := range len(tt.in) + 1 {
				var b bytes.Buffer
				w := NewDotWriter(&b)
				for _, part := range []string{tt.in[:i], tt.in[i:]} {
					if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
						t.Errorf("Write(%q) = %d, %v", part, n, err)
					}
				}
				if err := w.Finish(); err != nil || b.String() != tt.want {
					t.Errorf("split at %d: %q, %v, want %q", i, b.String(), err, tt.want)
				}
			}
		})
	}
}

func TestDotWriterErrorIsFinal(t *testing.T) {
	t.Parallel()
	const in = ".a\nb\r\n.\rc"
	for n := range 13 {
		w := NewDotWriter(&shortWriter{n})
		_, err := w.Write([]byte(in))
		if err2 := w.Finish(); !errors.Is(err2, errFull) {
			t.Errorf("Finish after %d octets: %v (Write: %v)", n, err2, err)
		}
		if k, err := w.Write([]byte("x")); k != 0 || !errors.Is(err, errFull) {
			t.Errorf("Write after the error = %d, %v", k, err)
		}
	}
}

func TestCleaner(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"", "\r", "\n", "\r\n", "a\nb\rc\r\nd\r\r\n.\r\n.\n", "\r\r\r", ".\r\n.", "\n\n\r\n\r"} {
		for i := range len(in) + 1 {
			var c Cleaner
			got := c.Finish(c.Append(c.Append(nil, []byte(in[:i])), []byte(in[i:])))
			checkContent(t, fmt.Sprintf("%q at %d", in, i), string(got), nil, wantCanonical(in))
		}
	}
}
