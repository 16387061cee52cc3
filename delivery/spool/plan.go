package spool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
	"unicode/utf8"

	"superlistd/lists"
	"superlistd/wire"
)

// Plan is what an entry is to become: one dressed copy of a post, and who gets it.
type Plan struct {
	ID          string // 32 hexadecimal digits
	List        lists.Address
	ReversePath lists.Address
	MessageID   string `json:",omitempty"` // of the post, for people
	Client      wire.ClientInfo
	EightBit    bool
	UTF8        bool
	AnyUTF8     bool
	XVERP       string `json:",omitempty"`
	Personal    string `json:",omitempty"` // the kind of personal copies; empty: all copies are the same
	Note        string `json:",omitempty"` // for who makes them
	Gather      string `json:",omitempty"` // the kind of gathering; empty: the post is sent

	Audience Audience
	Had      []Served `json:",omitempty"` // who had it before it came here
	Owners   []string `json:",omitempty"` // mailboxes that are told when it fails
	Language string   `json:",omitempty"` // in which they are told
	Notice   bool     `json:",omitempty"` // it tells of another entry that failed, so that nobody is told of this one

	Accepted time.Time // when 250 was said
	Head     int64     // octets of the header
	Body     int64     // octets of the body
}

// Audience is delivery.Audience as it is written.
type Audience struct {
	List    lists.Address
	Members int
	Select  lists.Selection `json:",omitzero"`
	Not     []lists.Address `json:",omitempty"`
	NotAt   []int           `json:",omitempty"`
	Except  []string        `json:",omitempty"`
	Fixed   []string        `json:",omitempty"`
}

// magic is the first line; another version of the format has another one.
const magic = "superlistd spool entry 1\n"

// maxPlan bounds the plan: far more than a transaction of a million recipients outside of the lists.
const (
	maxPlan  = 64 << 20
	maxFront = maxPlan + 64 // with the first line and the checksum
)

// ErrDamaged says that a file in the spool is no entry, or not whole.
var ErrDamaged = errors.New("damaged spool entry")

// errForeign says that there is no file.
var errForeign = fmt.Errorf("%w: it is no file", ErrDamaged)

// encode returns what stands before the header.
func (p *Plan) encode() ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	text, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	if len(text) > maxPlan {
		return nil, fmt.Errorf("plan of %d octets", len(text))
	}
	return AppendLine([]byte(magic[:len(magic)-1]), text), nil
}

// check refuses an address or key that JSON would change in silence, and more of them than fit.
func (p *Plan) check() error {
	words := append(slices.Concat(p.Audience.Except, p.Audience.Fixed, p.Owners), p.Note)
	for _, a := range append([]lists.Address{p.List, p.ReversePath, p.Audience.List}, p.Audience.Not...) {
		words = append(words, a.Local, a.Domain)
	}
	for _, had := range p.Had {
		words = append(words, had.But...)
		for _, r := range had.Ranges {
			words = append(words, r.After, r.UpTo)
		}
	}
	total := 0
	for _, w := range words {
		if total += len(w); total > maxPlan {
			return fmt.Errorf("plan of more than %d octets", maxPlan)
		}
		if !utf8.ValidString(w) {
			return fmt.Errorf("%q is not UTF-8", w)
		}
	}
	return nil
}

// readPlan reads the front of an entry, and returns where the header begins.
func readPlan(f io.ReaderAt, size int64) (p Plan, at int64, err error) {
	front := make([]byte, min(size, 64<<10))
	for {
		if _, err := f.ReadAt(front, 0); err != nil && size > 0 {
			return p, 0, err
		}
		if !bytes.HasPrefix(front, []byte(magic)) {
			return p, 0, fmt.Errorf("%w: its first line is not that of an entry", ErrDamaged)
		}
		end := bytes.IndexByte(front[len(magic):], '\n')
		if end >= 0 {
			at = int64(len(magic) + end + 1)
			break
		}
		if int64(len(front)) == min(size, maxFront) {
			return p, 0, fmt.Errorf("%w: its plan has no end", ErrDamaged)
		}
		front = make([]byte, min(size, maxFront, 16*int64(len(front))))
	}
	text, ok := ParseLine(string(front[len(magic) : at-1]))
	if !ok {
		return p, 0, fmt.Errorf("%w: its plan has the wrong checksum", ErrDamaged)
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return p, 0, fmt.Errorf("%w: its plan: %w", ErrDamaged, err)
	}
	if p.Head < 0 || p.Body < 0 || p.Head > size-at || p.Body > size-at-p.Head {
		return p, 0, fmt.Errorf("%w: it is cut off", ErrDamaged)
	}
	return p, at, nil
}
