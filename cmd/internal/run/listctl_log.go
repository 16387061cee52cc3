package run

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"superlistd/audit"
	"superlistd/lists"
)

const logHelp = `Print what was done to a list and its members, in the order in which it was written down: what, when (in local time), by
which way, and by whom. That of a list which was deleted is there too. How long it is kept is audit_months in the settings file.

--since takes a day ("2026-11-01"), a time ("2026-11-01T15:00", "2026-11-01T15:00:00Z"), or how long ago ("36h", "7d").

With --json, one object a line, with those of its keys that apply:
  {"at", "list", "what", "member", "option", "old", "new", "by", "way", "id", "why"}`

func (c *listctl) logCommand() *cobra.Command {
	var member, since string
	cmd := c.command("log [--member ADDRESS] [--since TIME] LIST", "Print what was done to a list and its members", 1, 1,
		func(ctx context.Context, s session, args []string) error {
			list, err := lists.ParseAddress(args[0])
			if err != nil {
				return err
			}
			var f logFilter
			if member != "" {
				if f.member, err = lists.ParseAddress(member); err != nil {
					return fmt.Errorf("--member: %w", err)
				}
			}
			if f.since, err = readSince(since, time.Now()); err != nil {
				return err
			}
			return c.printLog(ctx, s, list, f)
		})
	cmd.Long = logHelp
	cmd.Flags().StringVar(&member, "member", "", "only about this `ADDRESS`")
	cmd.Flags().StringVar(&since, "since", "", "only what is not older than this `TIME`")
	return cmd
}

// logFilter chooses events.
type logFilter struct {
	member lists.Address // zero: of all
	since  time.Time
}

// about reports whether an event is about the member: as the log has his address, or otherwise written.
func (f logFilter) about(e audit.Event) bool {
	if f.member.IsZero() || e.Member == f.member.String() {
		return true
	}
	a, err := lists.ParseAddress(e.Member)
	return err == nil && a.Key() == f.member.Key()
}

// readSince reads a day or a time, here if nothing else is said, or how long ago.
func readSince(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05", time.RFC3339} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, nil
		}
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return now.AddDate(0, 0, -int(n)), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, fmt.Errorf("--since: %q is no time (try \"2026-11-01\" or \"7d\")", s)
}

func (c *listctl) printLog(ctx context.Context, s session, list lists.Address, f logFilter) error {
	log := openAudit(s.config, time.Now, nil)
	err := log.Read(list, f.since, func(e audit.Event) error {
		if !f.about(e) {
			return ctx.Err()
		}
		if c.json {
			return c.printJSON(e)
		}
		return c.printf("%s\n", logLine(e))
	})
	if err != nil {
		return err
	}
	if known, err := log.End(list); err != nil || len(known) > 0 {
		return err
	}
	_, err = s.store.List(ctx, list)
	if errors.Is(err, lists.ErrNoList) {
		return fmt.Errorf("%w, and nothing is known of one", err)
	}
	return err
}

// logLine is an event for people: "2026-11-21 11:34:45  joined    ann@example.org  (listctl, root)".
func logLine(e audit.Event) string {
	words := []string{fmt.Sprintf("%s  %-9s", e.At.Local().Format(time.DateTime), e.What)}
	if e.Member != "" {
		words = append(words, e.Member)
	}
	if e.ID != "" {
		words = append(words, e.ID)
	}
	switch {
	case e.Option != "":
		words = append(words, fmt.Sprintf("%s: %s -> %s", e.Option, orNothing(e.Old), orNothing(e.New)))
	case e.What == audit.Deleted:
		words = append(words, "members: "+e.Old)
	case e.New != "":
		words = append(words, e.New)
	case e.Old != "":
		words = append(words, e.Old)
	}
	var by []string
	for _, w := range []string{string(e.Way), e.By} {
		if w != "" {
			by = append(by, w)
		}
	}
	if len(by) > 0 {
		words = append(words, "("+strings.Join(by, ", ")+")")
	}
	line := strings.Join(words, "  ")
	if e.Why != "" {
		line += ": " + e.Why
	}
	return printableLine(line)
}

func orNothing(s string) string {
	if s == "" {
		return `""`
	}
	return s
}

// asAccount is for what whoever runs listctl changes.
func asAccount(ctx context.Context) context.Context {
	return audit.With(ctx, audit.Actor{By: accountName(), Way: audit.ByListctl})
}
