package run

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"superlistd/audit"
	"superlistd/bouncing"
	"superlistd/config"
	"superlistd/daily"
	"superlistd/letters"
	"superlistd/lists"
	"superlistd/moderation"
	"superlistd/moderation/held"
)

// auditor is the audit log of a server, and writes what is no change of the store.
type auditor struct{ *audit.Log }

func newAuditor(cfg config.Config, now func() time.Time, log zerolog.Logger) auditor {
	return auditor{openAudit(cfg, now, func(list lists.Address, err error) {
		log.Error().Stringer("list", list).Err(err).Msg("audit log not written")
	})}
}

func openAudit(cfg config.Config, now func() time.Time, fault func(lists.Address, error)) *audit.Log {
	return audit.Open(cfg.Data, audit.Options{Months: cfg.AuditMonths, Now: now, Fault: fault})
}

// auditStore is the store of listctl: what cannot be written down goes to standard error, and the change stays.
func auditStore(cfg config.Config, store lists.Store, stderr io.Writer) lists.Store {
	return audit.Store(store, openAudit(cfg, time.Now, func(_ lists.Address, err error) { fmt.Fprintln(stderr, err) }))
}

// heldPost writes that a post was held.
func (a auditor) heldPost(f held.Facts) {
	e := audit.Event{What: audit.Held, New: f.Subject, ID: f.ID, Why: f.Reason}
	if !f.Author.IsZero() {
		e.Member = f.Author.String()
	}
	a.Note(f.List, e)
}

// office writes what became of it.
func (a auditor) office(e moderation.Event) {
	out := audit.Event{ID: e.ID, By: e.By, Way: audit.ByModeration}
	action, decided := strings.CutPrefix(e.What, moderation.PostDecided)
	switch {
	case decided:
		out.What, out.New = audit.Decided, action
	case e.What == moderation.PostReleased:
		out.What = audit.Released
	case e.What == moderation.PostExpired:
		out.What = audit.Expired
	default:
		return
	}
	a.Note(e.List, out)
}

// bounced writes that a post came back from a member.
func (a auditor) bounced(list, member lists.Address, said string) {
	a.Note(list, audit.Event{What: audit.Bounced, Member: member.String(), Way: audit.ByBounces, Why: said})
}

// bounces writes what comes of that.
func (a auditor) bounces(e bouncing.Event) {
	what, ok := map[string]audit.What{
		bouncing.ProbeDue: audit.Probed, bouncing.ProbeArrived: audit.Cleared, bouncing.StormBegun: audit.Storm,
	}[e.What]
	if !ok {
		return
	}
	out := audit.Event{What: what, Way: audit.ByBounces, ID: e.Post, Why: e.Why}
	if !e.Member.IsZero() {
		out.Member = e.Member.String()
	}
	a.Note(e.List, out)
}

// failed writes that a post was given up.
func (a auditor) failed(list lists.Address, entry, messageID string, cause error) {
	a.Note(list, audit.Event{What: audit.Failed, Way: audit.ByDelivery, ID: cmp.Or(entry, messageID), Why: cause.Error()})
}

// newDaily returns what writes to owners once a day.
func newDaily(cfg config.Config, b *bureau, clerk *letters.Clerk, store lists.Store, log zerolog.Logger) *daily.Desk {
	return daily.New(daily.Options{
		Data: cfg.Data, Store: store, Audit: b.audit.Log, Letters: clerk,
		Waiting: func(list lists.Address) (n int, err error) {
			all, err := allHeld(openHeld(cfg, b.now), list)
			for _, f := range all {
				if f.Decided == nil && f.Fault == "" {
					n++
				}
			}
			return n, err
		},
		Log: func(e daily.Event) {
			line := log.Info()
			if e.Err != nil {
				line = log.Error().Err(e.Err)
			}
			line.Stringer("list", e.List).Msg(e.What)
		},
	})
}
