package lists

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Delivery is how a member wants the posts.
type Delivery string

const (
	// DeliveryMail is each post as it comes; the default.
	DeliveryMail Delivery = ""
	// DeliveryDigest is many posts in one mail, as parts of it (RFC 2046 section 5.1.5).
	DeliveryDigest Delivery = "digest"
	// DeliveryPlain is many posts in one mail, as one text (RFC 1153).
	DeliveryPlain Delivery = "plain"
	// DeliveryNone is none: he stays a member, may post, and gets no copies.
	DeliveryNone Delivery = "nomail"
)

// String is the word that the option delivery has for it.
func (d Delivery) String() string {
	if d == DeliveryMail {
		return "mail"
	}
	return string(d)
}

// Suspension is a stretch of days, first and last included, on which a member gets no
// posts. Days are those of UTC, written as their midnight. The zero value is none.
type Suspension struct{ From, Until time.Time }

// IsZero reports whether there is none.
func (s Suspension) IsZero() bool { return s.From.IsZero() && s.Until.IsZero() }

// Covers reports whether now is on one of the days.
func (s Suspension) Covers(now time.Time) bool {
	return !s.IsZero() && !now.Before(s.From) && now.Before(s.Until.Add(day))
}

// String is the form that ParseSuspension reads: "2026-12-01..2026-12-15", or "none".
func (s Suspension) String() string {
	if s.IsZero() {
		return never
	}
	return s.From.UTC().Format(time.DateOnly) + between + s.Until.UTC().Format(time.DateOnly)
}

// ParseSuspension reads "2026-12-01..2026-12-15" or "none"; anything else, and days in the wrong order, is
// ErrSetting, wrapped.
func ParseSuspension(text string) (Suspension, error) {
	if text == never {
		return Suspension{}, nil
	}
	first, last, _ := strings.Cut(text, between)
	from, err := time.Parse(time.DateOnly, strings.TrimSpace(first))
	until, bad := time.Parse(time.DateOnly, strings.TrimSpace(last))
	if err != nil || bad != nil {
		return Suspension{}, fmt.Errorf(`%s: %w: first and last day, such as 2026-12-01..2026-12-15, or "none"`, shorten(text), ErrSetting)
	}
	s := Suspension{From: from, Until: until}
	if err := s.check(); err != nil {
		return Suspension{}, err
	}
	return s, nil
}

func (s Suspension) check() error {
	switch {
	case s.IsZero():
		return nil
	case badYear(s.From), badYear(s.Until):
		return fmt.Errorf("%w: suspended without a first or a last day from 1970 to 9999", ErrSetting)
	case s.Until.Before(s.From):
		return fmt.Errorf("%s: %w: the last day is before the first", s, ErrSetting)
	}
	return nil
}

// Disabled is why a member gets no posts since his address has sent too many back, and
// since when (kept in UTC, to the second). The zero value is: he is not disabled.
type Disabled struct {
	Why   string
	Since time.Time
}

// maxWhy is in octets: a line for people.
const maxWhy = 200

// Disable makes a Disabled that every store keeps, whatever a stranger's server has
// put into the reason: one line, of at most 200 octets.
func Disable(why string, since time.Time) Disabled {
	why = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(why, "?"), func(r rune) bool {
		return unicode.IsSpace(r) || checkText(string(r)) != nil
	}), " ")
	if len(why) > maxWhy {
		why = strings.TrimSpace(strings.ToValidUTF8(why[:maxWhy], ""))
	}
	if why == "" {
		why = "no reason given"
	}
	return Disabled{Why: why, Since: since.UTC().Truncate(time.Second)}
}

// IsZero reports whether the member is not disabled.
func (d Disabled) IsZero() bool { return d.Why == "" && d.Since.IsZero() }

// String is the time and the reason, "2026-12-01T10:00:00Z no such mailbox", or "none".
func (d Disabled) String() string {
	if d.IsZero() {
		return never
	}
	return d.Since.UTC().Format(time.RFC3339) + " " + d.Why
}

func parseDisabled(text string) (Disabled, error) {
	if text == never {
		return Disabled{}, nil
	}
	when, why, _ := strings.Cut(text, " ")
	since, err := time.Parse(time.RFC3339, when)
	if err != nil {
		return Disabled{}, fmt.Errorf(`%s: %w: time and reason, such as "2026-12-01T10:00:00Z no such mailbox", or "none"`, shorten(text), ErrSetting)
	}
	d := Disabled{Why: strings.TrimSpace(why), Since: since.UTC().Truncate(time.Second)}
	if err := d.check(); err != nil {
		return Disabled{}, err
	}
	return d, nil
}

func (d Disabled) check() error {
	switch {
	case d.IsZero():
		return nil
	case badYear(d.Since), d.Why == "":
		return fmt.Errorf("%w: disabled without a reason or a time from 1970 to 9999", ErrSetting)
	case len(d.Why) > maxWhy:
		return fmt.Errorf("%w: a reason of %d octets; at most %d", ErrSetting, len(d.Why), maxWhy)
	}
	if err := checkText(d.Why); err != nil {
		return fmt.Errorf("reason: %w: %w", ErrSetting, err)
	}
	return nil
}

// Gets reports whether the member gets what is dealt out now for a Selection.
func (m Member) Gets(s Selection, now time.Time) bool {
	return m.DeliveryAt(s.Issue) == s.Delivery && m.Disabled.IsZero() && !m.Suspended.Covers(now)
}

// checkReceiving looks at the fields that Gets looks at.
func (m Member) checkReceiving() error {
	if err := m.checkDelivery(); err != nil {
		return err
	}
	if err := m.Suspended.check(); err != nil {
		return err
	}
	return m.Disabled.check()
}

const (
	day     = 24 * time.Hour
	never   = "none"
	between = ".."
)

// midnight is the beginning of a day of UTC.
func midnight(t time.Time) time.Time { return t.UTC().Truncate(day) }

// badYear: a time that is not given has the year 1, and four digits cannot write every other.
func badYear(t time.Time) bool { return t.UTC().Year() < 1970 || t.UTC().Year() > 9999 }

func delivery() kind[Delivery] {
	known := deliveries()
	words := make([]string, len(known))
	for i, d := range known {
		words[i] = d.String()
	}
	typ := orList(words)
	return kind[Delivery]{
		typ: typ, format: Delivery.String,
		parse: func(s string) (Delivery, error) {
			for _, d := range known {
				if s == d.String() {
					return d, nil
				}
			}
			return "", fmt.Errorf("%s: %w: %s", shorten(s), ErrSetting, typ)
		},
	}
}

func suspension() kind[Suspension] {
	return kind[Suspension]{typ: `FIRST..LAST, days of UTC, or "none"`, format: Suspension.String, parse: ParseSuspension}
}

func disabled() kind[Disabled] {
	return kind[Disabled]{typ: `time and reason, or "none"`, format: Disabled.String, parse: parseDisabled}
}
