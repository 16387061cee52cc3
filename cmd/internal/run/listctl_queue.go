package run

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"superlistd/config"
	"superlistd/delivery/spool"
)

const queueHelp = `Print the posts whose sender was told 250 and that are not delivered to all members yet: those
that wait, those that somebody works on, and those that failed. Nothing is printed when there are none.

An ID may be cut to any beginning that only one entry has. No daemon needs to run for these
commands; one that runs sees within seconds what they did.

With --json, "queue" prints one array, and "queue show" one object:
  {"id", "list", "state", "accepted", "due", "failed", "members", "delivered", "refused",
   "attempts", "size", "reverse_path", "message_id", "owners", "told", "notice", "error",
   "fault"}
state is "waiting", "working", "failed" or "damaged"; "failed" is when it failed, "fault" why a
damaged one cannot be read, and a "notice" tells owners of another entry that failed. Times
are RFC 3339 in UTC, and empty where there is none. "queue retry" prints {"retried": [ID...]},
"queue delete" {"deleted": [ID...]}.`

func (c *listctl) queueCommand() *cobra.Command {
	queue := c.spoolCommand("queue", "Print the posts that wait for delivery", 0, 0, func(q *spool.Spool, _ []string) error {
		entries, err := q.Entries()
		if err != nil {
			return err
		}
		return c.printQueue(entries, time.Now())
	})
	queue.Long = queueHelp
	queue.ValidArgsFunction = cobra.NoFileCompletions
	plain := queue.Args
	queue.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return fmt.Errorf(`%q is not a command of queue: try "listctl queue --help"`, args[0])
		}
		return plain(cmd, args)
	}
	queue.AddCommand(
		c.spoolCommand("show ID", "Print all that is known of an entry", 1, 1, c.queueShow),
		c.spoolCommand("retry ID...|all", "Make entries due now, failed ones too", 1, -1, c.queueRetry),
		c.queueDeleteCommand(),
	)
	return queue
}

// spoolCommand makes a command that works on the spool. It makes no file there, so that it may be run by root.
func (c *listctl) spoolCommand(use, short string, least, most int, do func(*spool.Spool, []string) error) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, DisableFlagsInUseLine: true, ValidArgsFunction: c.completeEntry}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) < least || most >= 0 && len(args) > most {
			return usage(cmd)
		}
		return nil
	}
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		q, err := c.openSpool()
		if err == nil {
			err = do(q, args)
		}
		if err != nil {
			return refusal{err}
		}
		return nil
	}
	return cmd
}

// openSpool opens the spool without limits: those are for new entries.
func (c *listctl) openSpool() (*spool.Spool, error) {
	cfg, err := config.Load(configPath(c.config))
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(cfg.Data); err != nil {
		return nil, err // an empty queue would be a lie
	}
	return spool.Open(cfg.Data, spool.Options{}), nil
}

func (c *listctl) queueShow(q *spool.Spool, args []string) error {
	entries, err := q.Entries()
	if err != nil {
		return err
	}
	e, err := pickEntry(entries, args[0])
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(jsonOfEntry(e))
	}
	return c.printEntry(e, e.ID[:shortest(entries)], time.Now())
}

func (c *listctl) queueRetry(q *spool.Spool, args []string) error {
	entries, err := q.Entries()
	if err != nil {
		return err
	}
	all := isAll(args)
	chosen := entries
	if !all {
		if chosen, err = pickEntries(entries, args); err != nil {
			return err
		}
	}
	retried := []string{}
	var errs []error
	for _, e := range chosen {
		err := q.Retry(e.ID)
		switch {
		case err == nil:
			retried = append(retried, e.ID)
			err = c.tell("%s to %s is due now\n", e.ID, e.Plan.List)
		case all && errors.Is(err, spool.ErrHeld):
			err = c.tell("%s to %s is being worked on\n", e.ID, e.Plan.List)
		case all && errors.Is(err, spool.ErrGone):
			err = nil // it ended while we looked
		default:
			err = whyNot(e, err)
		}
		errs = append(errs, err)
	}
	if c.json {
		errs = append(errs, c.printJSON(struct {
			Retried []string `json:"retried"`
		}{retried}))
	}
	return errors.Join(errs...)
}

func isAll(args []string) bool { return len(args) == 1 && args[0] == "all" }

// tell prints a line for people.
func (c *listctl) tell(format string, args ...any) error {
	if c.json {
		return nil
	}
	return c.printf(format, args...)
}

// whyNot says what stood in the way of an order for one entry.
func whyNot(e spool.Info, err error) error {
	switch {
	case errors.Is(err, spool.ErrHeld):
		return fmt.Errorf("%s: it is being worked on at this moment: try again when it waits", e.ID)
	case errors.Is(err, spool.ErrGone):
		return fmt.Errorf("%s: it has ended meanwhile", e.ID)
	case errors.Is(err, spool.ErrDamaged):
		return fmt.Errorf("%s: it is damaged, and can only be deleted: %s", e.ID, cmp.Or(e.Fault, err.Error()))
	}
	return fmt.Errorf("%s: %w", e.ID, err)
}

// pickEntry finds the one entry whose id begins so. An entry that failed may have a younger namesake that waits, since
// both are named after the post: then the younger one is meant, as everywhere.
func pickEntry(entries []spool.Info, prefix string) (found spool.Info, err error) {
	prefix = strings.ToLower(prefix)
	n := 0
	for _, e := range entries {
		if prefix == "" || !strings.HasPrefix(e.ID, prefix) {
			continue
		}
		if n == 0 || e.ID != found.ID {
			n++
			found = e
		} else if !e.Failed {
			found = e
		}
	}
	switch {
	case n == 0:
		return found, fmt.Errorf("%q: no such entry in the queue", prefix)
	case n > 1:
		return found, fmt.Errorf("%q: %d entries begin so; give more of the id", prefix, n)
	}
	return found, nil
}

// pickEntries finds all, each once, or says of each bad id what is wrong with it.
func pickEntries(entries []spool.Info, prefixes []string) (chosen []spool.Info, err error) {
	var errs []error
	for _, prefix := range prefixes {
		e, err := pickEntry(entries, prefix)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if !slices.ContainsFunc(chosen, func(other spool.Info) bool { return other.ID == e.ID }) {
			chosen = append(chosen, e)
		}
	}
	return chosen, errors.Join(errs...)
}

// completeEntry offers ids to the shell, with the list behind each.
func (c *listctl) completeEntry(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	q, err := c.openSpool()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	entries, err := q.Entries()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var ids []string
	for _, e := range entries {
		ids = append(ids, e.ID+"\t"+e.Plan.List.String())
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}
