package spool

import (
	"bytes"
	"errors"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// What Append writes is one line, and read back it is the same.
func FuzzServed(f *testing.F) {
	f.Add("", "ann@x.test", "m", "z", "bob@x.test", true)
	f.Add("a\"b\n", "\xff\x00", "-", " - ", "", true)
	f.Add("a", "b", "", "", "", false)
	f.Fuzz(func(t *testing.T, a, b, c, d, but string, some bool) {
		in := Served{Ranges: []Range{{a, b}, {c, d}}}
		if some {
			in.But = []string{but, a}
		}
		text := in.Append(nil)
		if bytes.ContainsAny(text, "\r\n\x00") {
			t.Fatalf("%q is no line", text)
		}
		if got, err := ParseServed(string(text)); err != nil || !reflect.DeepEqual(got, in) {
			t.Fatalf("%q is read as %+v, %v", text, got, err)
		}
	})
}

// What ParseServed takes, whoever wrote it, is the same after Append.
func FuzzParseServed(f *testing.F) {
	f.Add(` "a" "b" - "c"`)
	f.Add(`"a" "b"-`)
	f.Add("`a` 'b'")
	f.Add(`- "a" "b"`)
	f.Add(`"a" "b" - - "c"`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseServed(text)
		if err != nil {
			return
		}
		again, err := ParseServed(string(s.Append(nil)))
		if err != nil || !slices.Equal(again.Ranges, s.Ranges) || !slices.Equal(again.But, s.But) {
			t.Fatalf("%q is %+v, and then %+v, %v", text, s, again, err)
		}
	})
}

// memory is a File in memory.
type memory struct{ text []byte }

func (m *memory) Write(p []byte) (int, error) {
	m.text = append(m.text, p...)
	return len(p), nil
}

func (m *memory) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(m.text).ReadAt(p, off)
}
func (m *memory) Close() error               { return nil }
func (m *memory) Stat() (fs.FileInfo, error) { return nil, errors.ErrUnsupported }
func (m *memory) Sync() error                { return nil }
func (m *memory) Reserve(int64) error        { return nil }
func (m *memory) Lock() (bool, error)        { return true, nil }

func readJournal(t *testing.T, m *memory) *journal {
	t.Helper()
	j := &journal{file: m, now: time.Now}
	if err := j.read(0, int64(len(m.text))); err != nil {
		t.Fatal(err)
	}
	return j
}

// A journal of whatever: it says the same each time it is read, and a line that is added is read, whatever stands before it.
func FuzzJournal(f *testing.F) {
	add := func(lines ...string) {
		var text []byte
		for _, l := range lines {
			text = AppendLine(text, []byte(l))
		}
		f.Add(text)
		f.Add(text[:len(text)-3])
	}
	add(`P 3 1  "" "b@x.test" - "a@x.test"`, "T no answer", "O", "R 1790000000", `P 1 0 "c" "d"`)
	add("P 1 0", "P 0 0 -", `P 2 0 "z" "a"`, "T", "R -1", "X")
	f.Add([]byte("\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m := &memory{slices.Clone(text)}
		before := readJournal(t, m)
		state := before.State()
		if again := readJournal(t, m).State(); !reflect.DeepEqual(again, state) {
			t.Fatalf("first %+v, then %+v", state, again)
		}
		if state.Accepted < 0 || state.Refused < 0 || state.Since.Year() > 9999 {
			t.Fatalf("impossible: %+v", state)
		}
		if err := errors.Join(before.Note(Served{Ranges: []Range{{"k1", "k2"}}}, 2, 1), before.Tried("why")); err != nil {
			t.Fatal(err)
		}
		after := readJournal(t, m).State()
		if after.Accepted != state.Accepted+2 || after.Refused != state.Refused+1 || after.Attempts != state.Attempts+1 || after.Error != "why" {
			t.Fatalf("%+v after a note and an attempt more is %+v", state, after)
		}
		if !slices.ContainsFunc(after.Served, func(n Served) bool { return covers(n, "k2") }) {
			t.Fatalf("the note is not read: %+v", after)
		}
		if now := before.State(); !reflect.DeepEqual(after, now) {
			t.Fatalf("in memory %+v, read %+v", now, after)
		}
	})
}

// A file of whatever is damaged, or an entry within the file that is the same when it is written again.
func FuzzPlan(f *testing.F) {
	p := Plan{ID: strings.Repeat("0", 32), Head: 3, Body: 4, Accepted: time.Unix(1790000000, 0), Audience: Audience{Fixed: []string{"a@x.test"}}}
	front, err := p.encode()
	if err != nil {
		f.Fatal(err)
	}
	_, text, _ := bytes.Cut(front[len(magic):], []byte(" "))
	f.Add(append(front, "abcdefg"...), false)
	f.Add([]byte(magic), false)
	f.Add([]byte{}, false)
	f.Add(bytes.TrimSpace(text), true)
	f.Add([]byte(`{"Head":1,"Body":9223372036854775807}`), true)
	f.Add([]byte(`{"Head":-1,"Body":1}`), true)
	f.Fuzz(func(t *testing.T, text []byte, dressed bool) {
		if dressed { // past the checksum
			text = append(AppendLine([]byte(magic[:len(magic)-1]), text), "abcdefg"...)
		}
		size := int64(len(text))
		p, at, err := readPlan(&memory{text}, size)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Fatal(err)
			}
			return
		}
		if p.Head < 0 || p.Body < 0 || at < int64(len(magic)) || p.Head > size || p.Body > size || at+p.Head+p.Body > size {
			t.Fatalf("it lies outside of its %d octets: at %d, %d and %d", size, at, p.Head, p.Body)
		}
		front, err := p.encode()
		if err != nil {
			return // a time that cannot be written
		}
		front = append(front, make([]byte, p.Head+p.Body)...)
		again, _, err := readPlan(&memory{front}, int64(len(front)))
		if err != nil || !again.Accepted.Equal(p.Accepted) {
			t.Fatalf("%+v, %v", again, err)
		}
		if again.Accepted = p.Accepted; !reflect.DeepEqual(again, p) && len(p.Audience.Fixed)+len(p.Had) > 0 {
			a, _ := again.encode()
			b, _ := p.encode()
			if !bytes.Equal(a, b) { // an empty list is none
				t.Fatalf("%+v is %+v when it is written again", p, again)
			}
		}
	})
}

// A plan that comes in one piece or in many, and one of some size, are the same.
func TestLargePlan(t *testing.T) {
	t.Parallel()
	p := Plan{ID: strings.Repeat("0", 32)}
	for len(p.Audience.Fixed) < 100_000 {
		p.Audience.Fixed = append(p.Audience.Fixed, strings.Repeat("m", 30)+"@x.test")
	}
	front, err := p.encode()
	if err != nil {
		t.Fatal(err)
	}
	got, at, err := readPlan(&memory{front}, int64(len(front)))
	if err != nil || at != int64(len(front)) || !reflect.DeepEqual(got, p) {
		t.Errorf("at %d of %d, %v", at, len(front), err)
	}
	p.Audience.Fixed = slices.Repeat([]string{strings.Repeat("x", 1<<20)}, maxPlan>>20+1)
	if _, err := p.encode(); err == nil {
		t.Error("a plan of any size is taken")
	}
	if _, _, err := readPlan(endless{}, 1<<40); !errors.Is(err, ErrDamaged) {
		t.Errorf("a front without an end: %v", err)
	}
}

// endless is a terabyte of a plan.
type endless struct{}

func (endless) ReadAt(p []byte, _ int64) (int, error) {
	clear(p)
	copy(p, magic)
	return len(p), nil
}
