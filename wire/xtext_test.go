package wire

import (
	"strings"
	"testing"
)

func TestXtext(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "client.example", "client.example"},
		{"empty", "", ""},
		{"plus and equals", "a+b=c", "a+2Bb+3Dc"},
		{"8 bit, as Postfix writes it", "hh+é", "hh+2B+C3+A9"},
		{"octets up to 32 and from 127", "\x00 \x7f\xff", "+00+20+7F+FF"},
		{"what Postfix's word splitter minds", `<x>"\`, "+3Cx+3E+22+5C"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := string(AppendXtext(nil, tt.in)); got != tt.want {
				t.Errorf("AppendXtext(%q) = %q, want %q", tt.in, got, tt.want)
			}
			if got, ok := DecodeXtext(tt.want); got != tt.in || !ok {
				t.Errorf("DecodeXtext(%q) = %q, %v, want %q", tt.want, got, ok, tt.in)
			}
		})
	}
}

func TestDecodeXtext(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in, want string
		ok       bool
	}{
		{"a+2bb+2B", "a+b+", true},
		{"+c3+A9", "é", true},
		{"é=x", "é=x", true}, // should have been encoded
		{"+", "", false},
		{"a+2", "", false},
		{"a+2g", "", false},
		{"a+g2", "", false},
		{"a++2B", "", false},
	} {
		if got, ok := DecodeXtext(tt.in); got != tt.want || ok != tt.ok {
			t.Errorf("DecodeXtext(%q) = %q, %v, want %q, %v", tt.in, got, ok, tt.want, tt.ok)
		}
	}
}

func FuzzXtext(f *testing.F) {
	for _, s := range []string{"", "a+b=c", "\x00\xff é", "+2B", "[UNAVAILABLE]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		enc := string(AppendXtext([]byte("x"), in))[1:]
		if got, ok := DecodeXtext(enc); got != in || !ok {
			t.Fatalf("%q became %q, then %q, %v", in, enc, got, ok)
		}
		for i := range len(enc) {
			if c := enc[i]; c <= ' ' || c >= 0x7f || c == '=' || strings.IndexByte(`"\<>`, c) >= 0 {
				t.Fatalf("%q holds %q", enc, c)
			}
		}
		if dec, ok := DecodeXtext(in); ok && len(dec) > len(in) {
			t.Fatalf("%q grew to %q", in, dec)
		}
	})
}
