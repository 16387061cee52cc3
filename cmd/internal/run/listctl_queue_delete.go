package run

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"superlistd/delivery/spool"
)

func (c *listctl) queueDeleteCommand() *cobra.Command {
	sure := false
	cmd := c.spoolCommand("delete [--yes] ID...|all", "Remove entries: whoever has no copy gets none", 1, -1, func(q *spool.Spool, args []string) error {
		return c.queueDelete(q, args, sure)
	})
	cmd.Long = "Remove entries: whoever has no copy of the post gets none, and nobody is told. \"all\" removes all that\nnobody works on at this moment; it asks on a terminal, and needs --yes anywhere else."
	cmd.Flags().BoolVar(&sure, "yes", false, "do not ask about all")
	return cmd
}

func (c *listctl) queueDelete(q *spool.Spool, args []string, sure bool) error {
	entries, err := q.Entries()
	if err != nil {
		return err
	}
	chosen := entries
	if !isAll(args) {
		chosen, err = pickEntries(entries, args)
	} else if len(entries) > 0 && !sure {
		err = c.confirm(fmt.Sprintf("This deletes everything in the queue (%d): whoever has no copy gets none. Delete?", len(entries)))
	}
	if err != nil {
		return err
	}
	deleted := []string{}
	var errs []error
	for _, e := range chosen {
		switch err := q.Delete(e.ID); {
		case isAll(args) && errors.Is(err, spool.ErrGone):
			continue // it ended while we looked
		case err != nil:
			errs = append(errs, whyNot(e, err))
			continue
		}
		deleted = append(deleted, e.ID)
		if e.Fault != "" {
			errs = append(errs, c.tell("%s deleted; it was damaged\n", e.ID))
			continue
		}
		errs = append(errs, c.tell("%s deleted: the post to %s goes no further, %s\n", e.ID, e.Plan.List, progressOf(e)))
	}
	if c.json {
		errs = append(errs, c.printJSON(struct {
			Deleted []string `json:"deleted"`
		}{deleted}))
	}
	return errors.Join(errs...)
}

// errUnsure keeps a script from deleting by a slip.
var errUnsure = errors.New("nothing was deleted: --yes means it")

// confirm asks on a terminal. Without one, or with any answer but yes, it gives errUnsure.
func (c *listctl) confirm(question string) error {
	if f, ok := c.stdin.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		return errUnsure
	}
	fmt.Fprint(c.stderr, question+" [y/N] ")
	const most = 100 // octets of an answer
	answer, err := bufio.NewReader(io.LimitReader(c.stdin, most)).ReadString('\n')
	if err != nil && err != io.EOF {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return errUnsure
}
