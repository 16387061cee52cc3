package run

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"superlistd/lists"
)

// A table is where a file of separated values has what we read: Google Groups and spreadsheets write such files.
type table struct {
	skip           int // lines before the header line
	comma          rune
	address        int
	name, delivery int // -1: not there
}

// findTable reports whether a text begins with a header line, which has a column for addresses and no address in it.
// One line of a title may stand before.
func findTable(begin string) (table, bool) {
	for skip := range 2 {
		line, rest, _ := strings.Cut(begin, "\n")
		if t, ok := headerLine(line); ok {
			t.skip = skip
			return t, true
		}
		if strings.ContainsAny(line, "@#") {
			return table{}, false
		}
		begin = rest
	}
	return table{}, false
}

func headerLine(line string) (table, bool) {
	if strings.Contains(line, "@") {
		return table{}, false
	}
	for _, comma := range ",;\t" {
		r := csv.NewReader(strings.NewReader(line))
		r.Comma = comma
		columns, err := r.Read()
		if err != nil {
			continue
		}
		for i, c := range columns {
			c = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(c)), " [required]")
			columns[i] = strings.NewReplacer("_", " ", "-", "").Replace(c)
		}
		find := func(names ...string) int {
			for _, name := range names {
				if i := slices.Index(columns, name); i >= 0 {
					return i
				}
			}
			return -1
		}
		t := table{
			comma: comma, address: find("email address", "member email", "email", "mail", "address"),
			name:     find("nickname", "display name", "full name", "real name", "name", "gecos"),
			delivery: find("email preference", "delivery settings", "reception"),
		}
		if t.address >= 0 {
			return t, true
		}
	}
	return table{}, false
}

// readTable reads one member a row.
func (in *members) readTable(b *bufio.Reader, t table) {
	for range t.skip {
		_, _ = b.ReadSlice('\n') // it was in the buffer already
	}
	r := csv.NewReader(b)
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = t.comma, -1, true
	if _, err := r.Read(); err != nil {
		in.fail(t.skip+1, err) // it was in the buffer, and could be read
		return
	}
	for line := t.skip + 1; ; {
		row, err := r.Read()
		if fault, ok := errors.AsType[*csv.ParseError](err); ok {
			in.errs = append(in.errs, fmt.Errorf("line %d: %w; nothing behind it was read", t.skip+fault.Line, fault.Err))
			return
		}
		switch {
		case err == io.EOF:
			return
		case err != nil:
			in.fail(line+1, err)
			return
		}
		line, _ = r.FieldPos(0)
		line += t.skip
		m, err := t.member(row)
		in.take(fmt.Sprintf("line %d: ", line), m, err)
	}
}

func (t table) member(row []string) (lists.Member, error) {
	field := func(i int) string {
		if i < 0 || i >= len(row) {
			return ""
		}
		return strings.TrimSpace(row[i])
	}
	if field(t.address) == "" {
		return lists.Member{}, errNoAddress
	}
	a, err := lists.ParseAddress(field(t.address))
	if err != nil {
		return lists.Member{}, err
	}
	m, err := named(a, field(t.name))
	m.Delivery = deliveryOf(field(t.delivery))
	return m, err
}

var errNoAddress = errors.New("there is no address")

// deliveryOf reads how a member got his mail elsewhere. What has no counterpart is mail.
func deliveryOf(word string) lists.Delivery {
	switch strings.ReplaceAll(strings.ToLower(word), "_", " ") {
	case "nomail", "no mail", "no email", "none", "disabled":
		return lists.DeliveryNone
	case "digest", "mime", "mime digests", "summary", "summary digests", "abridged", "daily":
		return lists.DeliveryDigest
	case "plain", "digestplain", "plaintext digests":
		return lists.DeliveryPlain
	}
	return lists.DeliveryMail
}

// isDump reports whether a text is a dump of Sympa's members: paragraphs of lines "key value".
func isDump(begin string) bool {
	for line := range strings.Lines(begin) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch key {
		case "bounce", "bounce_address", "bounce_score", "custom_attribute", "date", "email", "gecos", "included", "number_messages",
			"reception", "subscribed", "suspend", "update_date", "visibility":
			return !strings.HasSuffix(value, ">")
		}
		return false
	}
	return false
}

// readDump reads one member a paragraph.
func (in *members) readDump(r io.Reader) {
	fields := map[string]string{}
	begun := 0 // line of the paragraph
	end := func() {
		if begun > 0 {
			m, err := dumped(fields)
			in.take(fmt.Sprintf("line %d: ", begun), m, err)
		}
		clear(fields)
		begun = 0
	}
	in.eachLine(r, func(n int, line string) {
		line = strings.TrimSpace(line)
		if line == "" {
			end()
			return
		}
		if begun == 0 {
			begun = n
		}
		switch key, value, _ := strings.Cut(line, " "); key {
		case "email", "gecos", "reception":
			fields[key] = strings.TrimSpace(value)
		}
	})
	end()
}

func dumped(fields map[string]string) (lists.Member, error) {
	if fields["email"] == "" {
		return lists.Member{}, errNoAddress
	}
	a, err := lists.ParseAddress(fields["email"])
	if err != nil {
		return lists.Member{}, err
	}
	m, err := named(a, fields["gecos"])
	m.Delivery = deliveryOf(fields["reception"])
	return m, err
}
