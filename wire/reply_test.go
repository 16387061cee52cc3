package wire

import (
	"bufio"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func TestReadReply(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in string
		want     Reply
		err      error
	}{
		{"one line", "250 2.0.0 Ok: queued as 4FX\r\n", Reply{250, []string{"2.0.0 Ok: queued as 4FX"}}, nil},
		{"several", "250-mx.example.org\r\n250-SIZE 1\r\n250 DSN\r\n", Reply{250, []string{"mx.example.org", "SIZE 1", "DSN"}}, nil},
		{"code only", "354\r\n", Reply{354, []string{""}}, nil},
		{"no text", "250-\r\n250 \r\n", Reply{250, []string{"", ""}}, nil},
		{"bare LF", "220 hi\n", Reply{220, []string{"hi"}}, nil},
		{"controls and broken UTF-8", "550 a\x00b\tc\x1b[31m\xff\r\r\n", Reply{550, []string{"a?b?c?[31m??"}}, nil},
		{"UTF-8 stays", "550 5.1.1 <jürgen@müller.example>\r\n", Reply{550, []string{"5.1.1 <jürgen@müller.example>"}}, nil},
		{"C1 controls do not", "550 a\u0085b\r\n", Reply{550, []string{"a??b"}}, nil},
		{"a long line is cut", "250 " + strings.Repeat("x", 9000) + "\r\n", Reply{250, []string{strings.Repeat("x", 2044)}}, nil},
		{"differing codes", "250-a\r\n251 b\r\n", Reply{}, ErrReply},
		{"no code", "hello\r\n", Reply{}, ErrReply},
		{"empty line", "\r\n", Reply{}, ErrReply},
		{"1xx", "150 x\r\n", Reply{}, ErrReply},
		{"letter after the code", "250x\r\n", Reply{}, ErrReply},
		{"128 lines", strings.Repeat("250-a\r\n", 127) + "250 a\r\n", Reply{250, slice("a", 128)}, nil},
		{"129 lines", strings.Repeat("250-a\r\n", 128) + "250 a\r\n", Reply{}, ErrReply},
		{"end of input", "", Reply{}, io.EOF},
		{"end in a line", "250 a", Reply{}, io.ErrUnexpectedEOF},
		{"end between lines", "250-a\r\n", Reply{}, io.ErrUnexpectedEOF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, size := range []int{16, 4096} {
				got, err := ReadReply(bufio.NewReaderSize(iotest.HalfReader(strings.NewReader(tt.in)), size))
				if !reflect.DeepEqual(got, tt.want) || !errors.Is(err, tt.err) {
					t.Errorf("ReadReply = %+v, %v, want %+v, %v", got, err, tt.want, tt.err)
				}
			}
		})
	}
}

func slice(s string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = s
	}
	return all
}

func TestLongReplyLineLeavesTheReaderInStep(t *testing.T) {
	t.Parallel()
	r := bufio.NewReader(strings.NewReader("250-" + strings.Repeat("x", 5000) + "\r\n250 ok\r\n"))
	for _, want := range []struct {
		more bool
		text string
	}{{true, strings.Repeat("x", 2044)}, {false, "ok"}} {
		code, more, text, err := ReadReplyLine(r)
		if code != 250 || more != want.more || string(text) != want.text || err != nil {
			t.Errorf("ReadReplyLine = %d, %v, %q, %v", code, more, text, err)
		}
	}
}

func TestGarbageIsOneLine(t *testing.T) {
	t.Parallel()
	r := bufio.NewReader(strings.NewReader("garbage\r\n250 ok\r\n"))
	if _, _, _, err := ReadReplyLine(r); !errors.Is(err, ErrReply) {
		t.Errorf("error %v, want ErrReply", err)
	}
	if code, _, _, err := ReadReplyLine(r); code != 250 || err != nil {
		t.Errorf("after garbage: %d, %v", code, err)
	}
}

func TestReplyAppend(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 600)
	for _, tt := range []struct {
		name string
		in   Reply
		want string
	}{
		{"one line", Reply{250, []string{"2.1.0 Ok"}}, "250 2.1.0 Ok\r\n"},
		{"several", Reply{250, []string{"a", "", "b"}}, "250-a\r\n250-\r\n250 b\r\n"},
		{"none", Reply{354, nil}, "354 \r\n"},
		{"no line breaks out", Reply{250, []string{"a\r\n550 b\n", "\x00\x7f"}}, "250-a??550 b?\r\n250 ??\r\n"},
		{"512 octets", Reply{550, []string{long}}, "550 " + long[:506] + "\r\n"},
		{"cut between characters", Reply{550, []string{long[:505] + "éé"}}, "550 " + long[:505] + "\r\n"},
		{"a code of three digits in any case", Reply{0, []string{"?"}}, "451 ?\r\n"},
		{"too big a code", Reply{2500, []string{"?"}}, "451 ?\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := string(tt.in.Append([]byte("x"))); got != "x"+tt.want {
				t.Errorf("Append = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestReplyClass(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in                             Reply
		enhanced                       string
		positive, temporary, permanent bool
		text                           string
	}{
		{Reply{250, []string{"2.1.5 Ok"}}, "2.1.5", true, false, false, "250 2.1.5 Ok"},
		{Reply{452, []string{"4.5.3 Error: too many recipients"}}, "4.5.3", false, true, false, "452 4.5.3 Error: too many recipients"},
		{Reply{550, []string{"5.1.1", "b\n"}}, "5.1.1", false, false, true, "550 5.1.1 / b?"},
		{Reply{354, []string{"End data with <CR><LF>.<CR><LF>"}}, "", false, false, false, "354 End data with <CR><LF>.<CR><LF>"},
		{Reply{550, []string{"5.7.1234 x"}}, "", false, false, true, "550 5.7.1234 x"},
		{Reply{550, []string{"3.1.1 x"}}, "", false, false, true, "550 3.1.1 x"},
		{Reply{550, []string{"5.1. x"}}, "", false, false, true, "550 5.1. x"},
		{Reply{550, []string{"5.1.1.1 x"}}, "", false, false, true, "550 5.1.1.1 x"},
		{Reply{}, "", false, false, false, "0"},
	} {
		r := tt.in
		if r.Enhanced() != tt.enhanced || r.Positive() != tt.positive || r.Temporary() != tt.temporary || r.Permanent() != tt.permanent || r.String() != tt.text {
			t.Errorf("%+v: %q %v %v %v %q", r, r.Enhanced(), r.Positive(), r.Temporary(), r.Permanent(), r.String())
		}
	}
}

// FuzzReply: whatever text a reply is made of, it is one reply on the wire, and
// what was read from the wire is written as it was read.
func FuzzReply(f *testing.F) {
	f.Add(250, "2.0.0 Ok", "", byte(0))
	f.Add(550, "5.1.1 a\r\n250 b", "é\xff\x00", byte(1))
	f.Add(0, strings.Repeat("é", 400), "x\n", byte(9))
	f.Fuzz(func(t *testing.T, code int, first, last string, more byte) {
		in := Reply{code, append(slice(first, int(more%100)), last)}
		raw := in.Append(nil)
		for line := range strings.SplitAfterSeq(strings.TrimSuffix(string(raw), "\n"), "\n") {
			if len(line) > 512 || !utf8.ValidString(line) {
				t.Fatalf("line of %d octets: %q", len(line), line)
			}
		}
		r := bufio.NewReaderSize(strings.NewReader(string(raw)+"221 next"), 16)
		got, err := ReadReply(r)
		if err != nil || len(got.Lines) != len(in.Lines) || code >= 200 && code <= 599 && got.Code != code {
			t.Fatalf("%+v was read as %+v, %v", in, got, err)
		}
		if rest, _ := io.ReadAll(r); string(rest) != "221 next" {
			t.Fatalf("%+v: rest %q", in, rest)
		}
		if again := got.Append(nil); string(again) != string(raw) {
			t.Fatalf("%q was written as %q", raw, again)
		}
		if s := in.String(); hasControl(s) {
			t.Fatalf("String() = %q", s)
		}
		checkAnyReply(t, first)
	})
}

// checkAnyReply: text from a stranger's server is printable once it is read.
func checkAnyReply(t *testing.T, in string) {
	t.Helper()
	got, err := ReadReply(bufio.NewReader(strings.NewReader(in)))
	if err != nil {
		return
	}
	for _, line := range got.Lines {
		if hasControl(line) || !utf8.ValidString(line) || len(line) > maxReplyLine {
			t.Fatalf("%q was read as %q", in, line)
		}
	}
}
