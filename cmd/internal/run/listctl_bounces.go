package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"superlistd/bouncing"
	"superlistd/lists"
)

const bouncesHelp = `Print who has points because mail to him came back: of all lists, of one list, or of one address on all lists or on one.
Nothing is printed when there are none, but for an address a line on stderr. --reset forgets that, for an address or for all members of a list, and lets
posts go again to those whose delivery was stopped.

STATE is "suspect" (has bounce_limit points, and is about to be probed), "probed" (a probe is on its way) or "stopped" (gets
no posts, and is told so).

With --json, one object a line:
  {"list", "member", "score", "last", "state", "since", "notices", "said"}
"last" is the day of the last bounce that counts, "said" what came back last.`

// jsonStanding is a promise to scripts, as those of the other commands.
type jsonStanding struct {
	List    string  `json:"list"`
	Member  string  `json:"member"`
	Score   float64 `json:"score"`
	Last    string  `json:"last"`
	State   string  `json:"state"`
	Since   string  `json:"since"`
	Notices int     `json:"notices"`
	Said    string  `json:"said"`
}

func (c *listctl) bouncesCommand() *cobra.Command {
	var reset bool
	cmd := c.command("bounces [--reset] [LIST] [ADDRESS]", "Print from whom mail comes back", 0, 2, func(ctx context.Context, s session, args []string) error {
		book, err := openBook(s.config)
		if err != nil {
			return err
		}
		desk := bouncing.New(bouncing.Options{Store: s.store, Book: book})
		which, err := s.whose(ctx, args)
		if err != nil {
			return err
		}
		all, err := which.standings(ctx, desk)
		if err != nil {
			return err
		}
		if !reset {
			if len(all) == 0 {
				c.sayNone(which)
			}
			return c.printStandings(all)
		}
		return c.resetBounces(ctx, s, desk, which, all)
	})
	cmd.Long = bouncesHelp
	cmd.Flags().BoolVar(&reset, "reset", false, "forget it, and let posts go to the member again")
	narrow := cmd.Args
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if reset && len(args) == 0 {
			return errors.New("--reset needs a list or an address")
		}
		return narrow(cmd, args)
	}
	return cmd
}

// selection is whose bounces a command is about.
type selection struct {
	lists  []lists.Address
	member lists.Address // zero: all
	lone   bool          // it was given without a list, and might be meant as one
}

type standing struct {
	list lists.Address
	bouncing.Standing
}

// whose reads [LIST] [ADDRESS]: one argument is a list if there is one of this name.
func (s session) whose(ctx context.Context, args []string) (w selection, err error) {
	if len(args) > 0 {
		l, err := findList(ctx, s, args[0])
		switch {
		case err == nil:
			w.lists, args = []lists.Address{l.Address}, args[1:]
		case len(args) > 1 || !errors.Is(err, lists.ErrNoList):
			return w, err
		}
	}
	if len(args) > 0 {
		if w.member, err = lists.ParseAddress(args[0]); err != nil {
			return w, err
		}
	}
	if w.lists == nil {
		w.lone = slices.Contains(s.config.Domains, w.member.Domain)
		w.lists, err = s.allLists(ctx)
	}
	return w, err
}

func (s session) allLists(ctx context.Context) (names []lists.Address, err error) {
	const page = 1000
	for after := (lists.Address{}); ; {
		some, err := s.store.Lists(ctx, after, page)
		if err != nil {
			return nil, err
		}
		for _, l := range some {
			names, after = append(names, l.Address), l.Address
		}
		if len(some) < page {
			return names, nil
		}
	}
}

func (w selection) standings(ctx context.Context, desk *bouncing.Desk) (all []standing, err error) {
	for _, list := range w.lists {
		some, err := desk.Standings(ctx, list)
		if err != nil {
			return nil, err
		}
		for _, one := range some {
			if w.member.IsZero() || one.Member.Key() == w.member.Key() {
				all = append(all, standing{list, one})
			}
		}
	}
	return all, nil
}

// resetBounces resets those who have points, and an address on each list that has it, since it may be disabled without any.
func (c *listctl) resetBounces(ctx context.Context, s session, desk *bouncing.Desk, w selection, all []standing) error {
	if !w.member.IsZero() {
		all = nil
		for _, list := range w.lists {
			all = append(all, standing{list, bouncing.Standing{Member: w.member}})
		}
	}
	any := false
	for _, one := range all {
		changed, err := desk.Reset(ctx, one.list, one.Member)
		if err == nil && changed {
			any, err = true, c.tell("%s: %s: bounces forgotten\n", one.list, one.Member)
		}
		if err != nil {
			return err
		}
	}
	if !any {
		c.sayNone(w)
	}
	return nil
}

// sayNone tells of an address without points: it may be mistyped, or mean a list.
func (c *listctl) sayNone(w selection) {
	switch {
	case w.member.IsZero():
	case w.lone:
		fmt.Fprintf(c.stderr, "%s: no bounces, and no list of that name\n", w.member)
	default:
		fmt.Fprintf(c.stderr, "%s: no bounces\n", w.member)
	}
}

func (c *listctl) printStandings(all []standing) error {
	if c.json {
		for _, s := range all {
			if err := c.printJSON(jsonStanding{
				s.list.String(), s.Member.String(), s.Score, jsonTime(s.Last), s.State, jsonTime(s.Since), s.Notices, s.Said,
			}); err != nil {
				return err
			}
		}
		return nil
	}
	if len(all) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "LIST\tMEMBER\tSCORE\tLAST\tSTATE\tSAID")
	for _, s := range all {
		last := "-"
		if !s.Last.IsZero() {
			last = s.Last.Format(time.DateOnly)
		}
		state := s.State
		if state == "" {
			state = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%g\t%s\t%s\t%s\n", s.list, s.Member, s.Score, last, state, printableLine(s.Said))
	}
	return w.Flush()
}
