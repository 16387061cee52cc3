package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"superlistd/enrol"
	"superlistd/lists"
)

func (c *listctl) addCommand() *cobra.Command {
	welcome := false
	cmd := addressArgs(c.command("add [--welcome] LIST ADDRESS...|-", "Add members", 2, -1, func(ctx context.Context, s session, args []string) error {
		outcome, err := c.change(ctx, s, args, func(given []lists.Member) (lists.Change, error) {
			if welcome && len(given) > enrol.MaxInvited {
				return lists.Change{}, fmt.Errorf("%d addresses; with --welcome at most %d at a time", len(given), enrol.MaxInvited)
			}
			return lists.Change{Add: given}, nil
		})
		if err != nil || !welcome || len(outcome.Added) == 0 {
			return err
		}
		return c.welcome(ctx, args[0], outcome.Added)
	}))
	cmd.Long = "Add members. An address that has complained about mail of the list is refused: \"listctl invite\" asks whoever reads\nits mail. With --welcome, each member who is new gets the list's welcome by mail; then at most 1000 are\nadded at a time."
	cmd.Flags().BoolVar(&welcome, "welcome", false, "write to each member who is new")
	return cmd
}

func (c *listctl) removeCommand() *cobra.Command {
	return addressArgs(c.command("remove LIST ADDRESS...|-", "Remove members", 2, -1, func(ctx context.Context, s session, args []string) error {
		_, err := c.change(ctx, s, args, func(given []lists.Member) (lists.Change, error) {
			remove := make([]lists.Address, len(given))
			for i, m := range given {
				remove[i] = m.Address
			}
			return lists.Change{Remove: remove}, nil
		})
		return err
	}))
}

func (c *listctl) syncCommand() *cobra.Command {
	empty := false
	cmd := addressArgs(c.command("sync [--allow-empty] LIST ADDRESS...|-", "Make the members exactly these", 2, -1, func(ctx context.Context, s session, args []string) error {
		_, err := c.change(ctx, s, args, func(given []lists.Member) (lists.Change, error) {
			if len(given) == 0 && !empty {
				return lists.Change{}, errNobody
			}
			return lists.Change{Add: given, Replace: true}, nil
		})
		return err
	}))
	cmd.Long = "Make the members exactly these: adds who is missing and removes who is not given. Who stays\nkeeps the day of joining, and the name unless a new one is given. Without any address it\nchanges nothing and fails, since an empty input is mostly the failure of what should write it. An address that has\ncomplained about mail of the list is left out, with a line on stderr: see \"listctl invite\"."
	cmd.Flags().BoolVar(&empty, "allow-empty", false, "remove all members when no address is given")
	return cmd
}

// addressArgs makes it wrong usage when "-" stands among addresses.
func addressArgs(cmd *cobra.Command) *cobra.Command {
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) < 2 {
			return usage(cmd)
		}
		for _, arg := range args[1:] {
			if arg == "-" && len(args) > 2 {
				return fmt.Errorf("\"-\" cannot be mixed with addresses: %w", usage(cmd))
			}
		}
		return nil
	}
	return cmd
}

// errNobody keeps a broken pipeline from emptying a list.
var errNobody = errors.New("no addresses were given: that would remove every member (--allow-empty means it)")

// unchanged tells, beside what is wrong with some, that the others were left alone as well.
func unchanged(err error, given []string) error {
	if len(given) == 1 && given[0] != "-" {
		return err
	}
	return fmt.Errorf("%w\nno member was changed", err)
}

// change reads the addresses, carries out the change that plan makes of them, and tells what came of it.
func (c *listctl) change(
	ctx context.Context, s session, args []string, plan func([]lists.Member) (lists.Change, error),
) (outcome lists.Outcome, err error) {
	l, err := findList(ctx, s, args[0]) // first: the best reason not to read a million lines
	if err != nil {
		return outcome, err
	}
	given, err := c.readMembers(args[1:], l.Address)
	if err != nil {
		return outcome, unchanged(err, args[1:])
	}
	now := time.Now().UTC().Truncate(time.Second)
	for i := range given {
		given[i].Since = now
	}
	planned, err := plan(given)
	if err != nil {
		return outcome, fmt.Errorf("%s: %w", l.Address, err)
	}
	if planned.Add, err = c.consenting(ctx, s, l.Address, planned); err != nil {
		return outcome, unchanged(err, args[1:])
	}
	bar := newProgress(c.stderr)
	planned.Progress = bar.show
	outcome, err = s.store.Change(ctx, l.Address, planned)
	bar.clear()
	if err != nil {
		return outcome, err
	}
	return outcome, c.printOutcome(l.Address, planned, outcome)
}

func (c *listctl) membersCommand() *cobra.Command {
	cmd := c.command("members LIST", "Print the members, one a line", 1, 1, func(ctx context.Context, s session, args []string) error {
		address, err := lists.ParseAddress(args[0])
		if err != nil {
			return err
		}
		var after lists.Address
		for {
			found, err := s.store.Members(ctx, address, after, page)
			if err != nil || len(found) == 0 {
				return err
			}
			for _, m := range found {
				if c.json {
					err = c.printJSON(memberJSON(m))
				} else {
					err = c.printf("%s\n", memberLine(m, time.Now()))
				}
				if err != nil {
					return err
				}
			}
			after = found[len(found)-1].Address
		}
	})
	cmd.Long = "Print the members, one a line, in the form that \"listctl add LIST -\" reads. Who gets digests, or no\nposts now, has a comment that says so. Options are not in that form: with --json they are printed."
	return cmd
}
