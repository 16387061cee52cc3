package lists

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Digests is how far a list is with its digests. Each post belongs to the issue that its list was gathering when the post came.
type Digests struct {
	// Number counts the issues since the list was made, from 0; it is that of the issue
	// which is being gathered, and only grows.
	Number int
	// Volume and Issue are what the last digest is called; 0: there was none.
	Volume, Issue int
	// Sent is when the last digest was sent, kept in UTC, to the second; zero: never.
	Sent time.Time
	// Members is how many take digests at Number, or will; kept like UTF8Members.
	Members int
	// Switch is the highest issue from which a member has wanted another delivery: above
	// Number, somebody waits for it.
	Switch int
}

// PresentIssue stands for the issue that a list gathers now.
const PresentIssue = -1

// Selection says for whom a post, or a digest, is: the members who had this delivery at
// the time of one issue. The zero value is who got single mails before there was any digest.
type Selection struct {
	Delivery Delivery
	Issue    int
}

// Switch is a delivery that a member has had, until the issue which is named.
type Switch struct {
	Delivery Delivery
	Until    int
}

// maxSwitches is how many a member has, beside Before: a post of that many issues ago has long arrived.
const maxSwitches = 8

// DeliveryAt is how the member gets the posts of an issue, however late it is asked.
func (m Member) DeliveryAt(issue int) Delivery {
	if m.From == 0 || issue >= m.From {
		return m.Delivery
	}
	for _, s := range m.Earlier {
		if issue < s.Until {
			return s.Delivery
		}
	}
	return m.Before
}

// switched is a member who has wanted another delivery than old has, while an issue is
// gathered: what the members of old got of the issue, he gets to its end. Only to and from
// DeliveryNone it is at once.
func (m Member) switched(old Member, issue int) Member {
	m.Before, m.From, m.Earlier = old.Before, old.From, cloneSlice(old.Earlier)
	if m.Delivery == old.Delivery {
		return m
	}
	now := old.DeliveryAt(issue)
	pending := m.From > issue
	switch {
	case now == DeliveryNone || m.Delivery == DeliveryNone:
		m.Before, m.From, m.Earlier = DeliveryMail, 0, nil
	case pending && m.Delivery != now:
		// It is another one that he waits for.
	case pending && len(m.Earlier) > 0:
		last := len(m.Earlier) - 1
		m.Before, m.From, m.Earlier = m.Earlier[last].Delivery, m.Earlier[last].Until, cloneSlice(m.Earlier[:last])
	case pending:
		m.Before, m.From = DeliveryMail, 0
	default:
		if m.From > 0 {
			m.Earlier = append(m.Earlier, Switch{m.Before, m.From})
			m.Earlier = cloneSlice(m.Earlier[max(0, len(m.Earlier)-maxSwitches):])
		}
		m.Before, m.From = now, issue+1
	}
	return m
}

// takesDigest reports whether the member gets a digest of an issue, or of one that follows.
func (m Member) takesDigest(issue int) bool {
	return m.Delivery.digest() || m.From > issue && m.DeliveryAt(issue).digest()
}

func (d Delivery) digest() bool { return d == DeliveryDigest || d == DeliveryPlain }

func (m Member) checkDelivery() error {
	if !slices.Contains(deliveries(), m.Delivery) {
		return fmt.Errorf("%w: delivery %s", ErrSetting, shorten(string(m.Delivery)))
	}
	if m.From == 0 {
		if m.Before != DeliveryMail || len(m.Earlier) > 0 {
			return fmt.Errorf("%w: another delivery before issue 0", ErrSetting)
		}
		return nil
	}
	until := 0
	for _, s := range append(cloneSlice(m.Earlier), Switch{m.Before, m.From}) {
		if s.Until <= until || s.Until == math.MaxInt || s.Delivery == DeliveryNone || !slices.Contains(deliveries(), s.Delivery) {
			return fmt.Errorf("%w: delivery %s until issue %d", ErrSetting, shorten(string(s.Delivery)), s.Until)
		}
		until = s.Until
	}
	if m.Delivery == DeliveryNone || len(m.Earlier) > maxSwitches {
		return fmt.Errorf("%w: delivery %s with %d before it", ErrSetting, m.Delivery, len(m.Earlier)+1)
	}
	return nil
}

// deliveries are all that there are.
func deliveries() []Delivery {
	return []Delivery{DeliveryMail, DeliveryDigest, DeliveryPlain, DeliveryNone}
}

// Replace counts one member instead of another, either of which may be nobody: the zero
// Member. For engines.
func (d *Digests) Replace(old, m Member) {
	if old.takesDigest(d.Number) {
		d.Members--
	}
	if m.takesDigest(d.Number) {
		d.Members++
	}
	if m.From > d.Number {
		d.Switch = max(d.Switch, m.From)
	}
}

// Recount counts all members anew, and only who waits for another delivery counts for Switch. For engines.
func (d *Digests) Recount(members func(yield func(Member) bool)) {
	d.Members, d.Switch = 0, 0
	for m := range members {
		d.Replace(Member{}, m)
	}
}

// EditDigests lets change edit a copy and returns it as stores keep it, or an error: of
// change, or ErrSetting when an issue comes after a later one. Members and Switch stay as they are. When recount is
// true, somebody who waited has another delivery now, and the engine has to Recount.
func EditDigests(d Digests, change func(*Digests) error) (edited Digests, recount bool, err error) {
	edited = d
	if err := change(&edited); err != nil {
		return Digests{}, false, err
	}
	edited.Members, edited.Switch = d.Members, d.Switch
	edited.Sent = edited.Sent.UTC().Truncate(time.Second)
	switch {
	case edited.Number < d.Number || edited.Number == math.MaxInt:
		return Digests{}, false, fmt.Errorf("%w: issue %d after issue %d", ErrSetting, edited.Number, d.Number)
	case edited.Volume < 0 || edited.Issue < 0 || !edited.Sent.IsZero() && badYear(edited.Sent):
		return Digests{}, false, fmt.Errorf("%w: volume %d, issue %d, sent %s", ErrSetting, edited.Volume, edited.Issue, edited.Sent)
	}
	return edited, d.Switch > d.Number && edited.Number > d.Number, nil
}
