package bouncing

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"superlistd/bounce"
	"superlistd/lists"
	"superlistd/lists/boltstore"
)

// failure is one recipient who did not get a post.
type failure struct {
	who  []lists.Address // the addresses that he may have on the list, the likeliest first
	kind bounce.Kind
	said string
	// hop: our own next hop says so, which nobody can forge.
	hop bool
}

// refusal is one by the next hop.
type refusal struct {
	list             lists.Address
	recipient, reply string
}

// maxRefused bounds what waits for Flush; what is beyond is not counted.
const maxRefused = 10_000

// Take reads a mail to LIST-bounces that Known let in, and counts it. Taking the same mail twice counts once. An error is
// one of content, of the list's store, or of ctx: the mail may come again. ErrForged.
func (d *Desk) Take(ctx context.Context, l lists.List, extension string, content io.Reader) error {
	from, ok := d.origin(l.Address, extension)
	if !ok {
		return ErrForged
	}
	report, err := bounce.Read(content)
	if err != nil {
		return err
	}
	if from.probe != "" {
		return d.minor(l.Address, d.probeBack(ctx, l, from.probe, report))
	}
	return d.count(ctx, l, report.MessageID, failures(from, report))
}

// failures are those whom a report of a post is about. With VERP it is about one, whoever failed behind his address.
func failures(from origin, report bounce.Report) []failure {
	if from.member != "" {
		f := failure{who: members(from.member), kind: report.Kind, said: said(report)}
		if report.Cause == bounce.Unnamed { // it failed, and nobody says how
			f.kind = bounce.Soft
		}
		return []failure{f}
	}
	all := make([]failure, 0, len(report.Recipients))
	for _, r := range report.Recipients {
		f := failure{who: []lists.Address{r.Address}, kind: r.Kind, said: r.Diagnostic}
		if !r.Final.IsZero() {
			f.who = append(f.who, r.Final)
		}
		all = append(all, f)
	}
	return all
}

// said is what a report tells about its worst recipient.
func said(report bounce.Report) string {
	for _, r := range report.Recipients {
		if r.Kind == report.Kind {
			return r.Diagnostic
		}
	}
	return ""
}

// Refused hears that the next hop refused a recipient of a post for good, with its reply. It is counted by the next Flush;
// what is never flushed is lost. It is a delivery.Options.Refused.
func (d *Desk) Refused(list lists.Address, recipient, reply string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.refused) < maxRefused {
		d.refused = append(d.refused, refusal{list, recipient, reply})
	}
}

// Flush counts what Refused has heard of.
func (d *Desk) Flush(ctx context.Context) error {
	d.mu.Lock()
	waiting := d.refused
	d.refused = nil
	d.mu.Unlock()
	byList := map[lists.Address][]failure{}
	for _, r := range waiting {
		who, err := lists.ParseAddress(r.recipient)
		if err != nil {
			continue
		}
		kind, _ := bounce.Reply(r.reply)
		byList[r.list] = append(byList[r.list], failure{who: []lists.Address{who}, kind: kind, said: r.reply, hop: true})
	}
	for list, all := range byList {
		l, err := d.opts.Store.List(ctx, list)
		if err == nil {
			err = d.count(ctx, l, "", all)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		d.fault("refusals of the next hop not counted", list, lists.Address{}, err)
	}
	return nil
}

// hit is a failure of a member.
type hit struct {
	member lists.Address
	halves int
	said   string
	hop    bool
}

// count gives points for a post to those who are members, in one transaction.
func (d *Desk) count(ctx context.Context, l lists.List, id string, failed []failure) error {
	if l.Settings.BounceLimit == 0 {
		return nil
	}
	hits, err := d.hits(ctx, l, failed)
	if err != nil || len(hits) == 0 {
		return err
	}
	now := d.opts.Now()
	p := post{ID: id, At: now, Said: hits[0].said}
	if id == "" {
		id = fmt.Sprint("day ", dayOf(now))
	}
	name := nameOf(id)
	storm := false
	var fresh []hit // who was not seen for this post before
	err = d.queue.update(ctx, l.Address, func(t *boltstore.Table) (err error) {
		p := p.known(t, name)
		fresh = nil
		for _, h := range hits {
			before := p.Count
			if err := p.count(t, l, name, h, now); err != nil {
				return err
			}
			if p.Count > before {
				fresh = append(fresh, h)
			}
		}
		storm, err = p.weigh(t, l, name, now)
		return err
	})
	if err != nil { // who was cut off may still be counted, so what that tells is not looked at
		return d.minor(l.Address, err)
	}
	for _, h := range fresh {
		d.opts.Counted(l.Address, h.member, h.said)
	}
	if storm {
		d.opts.Log(Event{What: StormBegun, List: l.Address, Post: p.ID, Why: p.Said})
	}
	return nil
}

// hits finds the members among those whose mail came back.
func (d *Desk) hits(ctx context.Context, l lists.List, failed []failure) (all []hit, err error) {
	for _, f := range failed {
		if f.kind == bounce.None {
			continue
		}
		for _, who := range f.who {
			m, ok, err := d.opts.Store.Member(ctx, l.Address, who)
			if err != nil {
				return nil, err
			}
			if ok {
				all = append(all, hit{m.Address, halvesOf(f.kind), oneLine(f.said), f.hop})
				break
			}
		}
	}
	return all, nil
}

// Points, in halves.
const (
	hardHalves = 2
	softHalves = 1
)

func halvesOf(k bounce.Kind) int {
	if k == bounce.Hard {
		return hardHalves
	}
	return softHalves
}

// count gives a member his points for a post. Whoever gets no posts has no more to lose.
func (p *post) count(t *boltstore.Table, l lists.List, name string, h hit, now time.Time) error {
	key := h.member.Key()
	r := load(t, key)
	if c := r.Case; c != nil && c.State != suspect && h.hop && h.halves == hardHalves {
		c.Back, r.Said = true, h.said
		return save(t, key, r)
	}
	if r.Case != nil && r.Case.State == stopped {
		return nil
	}
	if r.see(name) {
		p.Count++
	}
	if p.Storm {
		return save(t, key, r)
	}
	r.add(dayOf(now), h.halves, name)
	r.Said = h.said
	if r.Case == nil && r.score(dayOf(now)) >= 2*l.Settings.BounceLimit {
		r.Case = &inquiry{State: suspect, At: now}
	}
	return save(t, key, r)
}

// maxSaid is in octets.
const maxSaid = 300

// oneLine is a diagnostic that takes little room.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxSaid {
		s = strings.ToValidUTF8(s[:maxSaid], "")
	}
	return s
}
