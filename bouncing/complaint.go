package bouncing

import (
	"cmp"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"superlistd/bounce"
	"superlistd/lists"
	"superlistd/lists/boltstore"
	"superlistd/message"
)

// Complainant is who sent a complaint.
type Complainant struct {
	// Author is who From names, zero if that is not one address; Proven: it is proven that he wrote it.
	Author lists.Address
	Proven bool
}

// How long, and how often.
const (
	// complaintMemory is how long an address of which a complaint came joins by its own confirmation only.
	complaintMemory = 2 * 365 * day
	// mostTrusted is how many members of a list are removed in a day by complaints that show no secret of the member: the
	// keys in reverse-paths are known to all members of the list, and anybody can prove that he is somebody.
	mostTrusted = 5
	// mostDoubted is how many other complaints the owners of a list hear of in a day.
	mostDoubted = 3
)

// Complains tells from the header whether a mail may be a complaint (RFC 5965): then Complaint should read it.
func Complains(head message.Header) bool {
	m := message.Parse(head.Bytes())
	kind := strings.ToLower(m.Param("report-type"))
	return m.Type == "multipart/report" && (kind == "" || kind == "feedback-report")
}

// Complaint reads a mail to LIST-bounces or LIST-owner of any list. When it is a complaint about a mail of ours, and shows whose
// copy that was, the member is removed, and the owners of his list hear of it. Any other mail does nothing. The same mail may
// come twice. An error is one of content, of the list's store, or of ctx; after it the mail may come again.
func (d *Desk) Complaint(ctx context.Context, from Complainant, content io.Reader) error {
	report, err := bounce.Read(content)
	if err != nil || report.Cause != bounce.Complaint {
		return err
	}
	why := report.Feedback.Type
	if !from.Author.IsZero() {
		why += ", from " + from.Author.String()
	}
	s, err := d.subject(ctx, report.Feedback)
	switch {
	case err != nil:
		return err
	case !objects(report.Feedback.Type), s.who.IsZero():
		d.opts.Log(Event{What: "complaint passed over", List: s.list.Address, Member: s.who, Why: oneLine(why)})
		return nil
	}
	trusted, err := d.trusts(ctx, s, from)
	if err != nil {
		return err
	}
	now := d.opts.Now()
	p := grievance{At: now, Member: s.who.String(), By: from.Author.String(), Type: report.Feedback.Type, Remove: s.secret}
	taken := false
	err = d.opts.Book.Update(ctx, s.list.Address, func(t *boltstore.Table) (err error) {
		taken, err = p.enter(t, s, trusted, now)
		return err
	})
	switch {
	case damaged(err): // what he wants is done, and the book is not needed for it
		d.fault("complaint not noted", s.list.Address, s.who, err)
		if !s.secret {
			return nil
		}
		return d.carryOut(ctx, s.list, p, now)
	case err != nil || !taken:
		return err
	}
	d.opts.Log(Event{What: "complaint taken", List: s.list.Address, Member: s.who, Why: oneLine(why)})
	d.fault("complaint not dealt with", s.list.Address, s.who, d.settle(ctx, s.list, s.who.Key(), now))
	return ctx.Err()
}

// objects tells a type of feedback by which somebody says that he does not want the mail (RFC 5965 section 7.3). "not-spam"
// says the contrary; the others are about how the mail was made.
func objects(kind string) bool {
	switch kind {
	case "abuse", "fraud", "other", "opt-out":
		return true
	}
	return false
}

// subject is whose copy somebody complains about; who is zero: nobody knows.
type subject struct {
	list   lists.List
	who    lists.Address
	member bool // he still is one
	// secret: the complaint holds what only he was sent. By the same link he could leave without any complaint.
	secret bool
}

// subject finds a member by what only we can have written: his own link, or a reverse-path with his address and a key.
func (d *Desk) subject(ctx context.Context, f bounce.Feedback) (s subject, err error) {
	for _, link := range f.Links {
		list, who, ok := d.opts.Link(link)
		if !ok {
			continue
		}
		s, err := d.known(ctx, list, []lists.Address{who})
		if err != nil || !s.list.Address.IsZero() {
			s.who, s.secret = cmp.Or(s.who, who), true
			return s, err
		}
	}
	for _, path := range f.Paths {
		list, verp := d.returned(path)
		if verp == "" {
			continue
		}
		if s, err := d.known(ctx, list, members(verp)); err != nil || !s.who.IsZero() {
			return s, err
		}
	}
	return subject{}, nil
}

// known looks for the first of some addresses that is a member. The subject's list is zero when there is none of this name.
func (d *Desk) known(ctx context.Context, list lists.Address, who []lists.Address) (s subject, err error) {
	l, err := d.opts.Store.List(ctx, list)
	if errors.Is(err, lists.ErrNoList) {
		return s, nil
	}
	for _, a := range who {
		if err != nil {
			return s, err
		}
		m, found, e := d.opts.Store.Member(ctx, l.Address, a)
		if err = e; found && m.Address.Key() == a.Key() { // it may be somebody's alias now, who has not complained
			return subject{list: l, who: m.Address, member: true}, err
		}
	}
	s.list = l
	return s, err
}

// returned reads a reverse-path of ours: its list, and its "user=domain", "" for any other address. A list may be called so
// that its own name looks like such a path; only the right end has the right key.
func (d *Desk) returned(path lists.Address) (list lists.Address, verp string) {
	service := "-" + string(lists.ServiceBounces) + d.opts.Delimiter
	for at := 0; ; {
		i := strings.Index(strings.ToLower(path.Local[at:]), service)
		if i < 0 {
			return list, ""
		}
		at += i + len(service)
		list = lists.Address{Local: path.Local[:at-len(service)], Domain: path.Domain}
		if o, ok := d.origin(list, path.Local[at:]); ok && o.member != "" {
			return list, o.member
		}
	}
}

// trusts tells whether a complaint without a secret is believed: who sent it is proven, and no member himself, who would know the
// list's key and could name anybody.
func (d *Desk) trusts(ctx context.Context, s subject, from Complainant) (bool, error) {
	if s.secret || !from.Proven || from.Author.IsZero() {
		return s.secret, nil
	}
	_, found, err := d.opts.Store.Member(ctx, s.list.Address, from.Author)
	return err == nil && !found, err
}

// Complained tells whether somebody complained from an address, in the last two years, about mail of a list: then he joins by
// his own confirmation only. Of a damaged book, which a line in the log tells of, nobody knows.
func (d *Desk) Complained(ctx context.Context, list, address lists.Address) (yes bool, err error) {
	err = d.opts.Book.View(ctx, list, func(t *boltstore.Table) error {
		at, noted := complained(t, address.Key())
		yes = noted && d.opts.Now().Sub(at).Abs() < complaintMemory
		return nil
	})
	if damaged(err) {
		d.fault("complaints not looked up", list, address, err)
		return false, nil
	}
	return yes, err
}

// Forgive forgets that there was a complaint: the owner of the address has said himself that he wants to join. It is to be
// called before he is added.
func (d *Desk) Forgive(ctx context.Context, list, address lists.Address) error {
	err := d.opts.Book.Update(ctx, list, func(t *boltstore.Table) error { return t.Delete(prefixComplaint + address.Key()) })
	if damaged(err) {
		d.fault("complaint not forgotten", list, address, err)
		return nil
	}
	return err
}

func complained(t *boltstore.Table, member string) (at time.Time, noted bool) {
	raw := t.Get(prefixComplaint + member)
	return at, raw != nil && at.UnmarshalText(raw) == nil
}
