package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"superlistd/config"
	"superlistd/lists"
	"superlistd/moderation"
	"superlistd/moderation/held"
)

const heldHelp = `Print the posts that wait for a moderator, of one list or of all, the oldest first. Nothing is printed when there are
none. "held show" prints all that is known of one, with --content the post itself, as it came, and nothing else.

An ID may be cut to any beginning that only one post has.

With --json, "held" prints one object a line, and "held show" one object:
  {"id", "list", "at", "from", "from_name", "subject", "message_id", "reason", "text", "identity", "results", "size",
   "client", "helo", "reverse_path", "noticed", "decided", "by", "fault"}
"decided" is a decision that is not carried out yet. approve, reject and discard print the object of each post, decided.`

const decideHelp = `The first decision about a post counts, whether it comes by mail or from here. approve sends the post to the
members; reject tells the author, if it is proven that he wrote it; discard tells nobody. --ban puts the author on the list's
bans as well. What the next hop does not take at once, the daemon or "superlistd maintain" goes on with.`

func (c *listctl) heldCommand() *cobra.Command {
	cmd := c.heldStoreCommand("held [LIST]", "Print the posts that wait for a moderator", 0, 1, c.printHeld)
	cmd.Long = heldHelp
	cmd.ValidArgsFunction = c.completeList
	var content bool
	show := c.heldStoreCommand("show [--content] ID", "Print all that is known of a held post", 1, 1, func(cfg config.Config, s *held.Store, args []string) error {
		return c.showHeld(s, args[0], content)
	})
	show.Flags().BoolVar(&content, "content", false, "print the post as it came, and nothing else")
	cmd.AddCommand(show)
	return cmd
}

// heldStoreCommand makes a command that reads the folder of held posts.
func (c *listctl) heldStoreCommand(use, short string, least, most int, do func(config.Config, *held.Store, []string) error) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, DisableFlagsInUseLine: true, ValidArgsFunction: cobra.NoFileCompletions}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return usage(cmd)
		}
		return nil
	}
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		cfg, err := config.Load(configPath(c.config))
		if err == nil {
			err = do(cfg, openHeld(cfg, time.Now), args)
		}
		if err != nil {
			return refusal{err}
		}
		return nil
	}
	return cmd
}

// allHeld returns all posts that are not done, of one list or of all.
func allHeld(s *held.Store, list lists.Address) ([]held.Facts, error) {
	const page = 500
	var all []held.Facts
	for after := ""; ; {
		some, err := s.List(list, after, page)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if len(some) < page {
			return all, nil
		}
		after = some[len(some)-1].ID
	}
}

// pickHeld finds the post of which an id is the beginning.
func pickHeld(s *held.Store, prefix string) (found held.Facts, err error) {
	prefix = strings.ToLower(prefix)
	if held.Valid(prefix) {
		return s.Get(prefix)
	}
	all, err := allHeld(s, lists.Address{})
	if err != nil {
		return found, err
	}
	n := 0
	for _, f := range all {
		if prefix != "" && strings.HasPrefix(f.ID, prefix) {
			found = f
			n++
		}
	}
	switch {
	case n == 0:
		return found, fmt.Errorf("%q: %w", prefix, held.ErrGone)
	case n > 1:
		return found, fmt.Errorf("%q: %d held posts begin so; give more of the id", prefix, n)
	}
	return found, nil
}

func (c *listctl) showHeld(s *held.Store, prefix string, content bool) error {
	f, err := pickHeld(s, prefix)
	if err != nil {
		return err
	}
	if !content {
		if c.json {
			return c.printJSON(jsonOfHeld(f))
		}
		return c.printHeldPost(f)
	}
	p, err := s.Open(f.ID)
	if err != nil {
		return err
	}
	defer p.Close()
	_, err = io.Copy(c.stdout, p.Reader(0))
	return err
}

// decideCommand makes approve, reject or discard.
func (c *listctl) decideCommand(action held.Action, short string) *cobra.Command {
	var d held.Decision
	var text string
	use := string(action) + " [--ban] ID..."
	if action == held.Reject {
		use = string(action) + " [--ban] [--text TEXT|-] ID..."
	}
	cmd := &cobra.Command{Use: use, Short: short, Long: decideHelp, DisableFlagsInUseLine: true, ValidArgsFunction: cobra.NoFileCompletions}
	if action != held.Approve {
		cmd.Flags().BoolVar(&d.Ban, "ban", false, "the author may not post any more")
	} else {
		cmd.Use = string(action) + " ID..."
	}
	if action == held.Reject {
		cmd.Flags().StringVar(&text, "text", "", "`TEXT` for the author; \"-\" reads it from standard input")
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) < 1 {
			return usage(cmd)
		}
		return nil
	}
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		d.Action, d.Text, d.By = action, text, account()
		if text == "-" {
			const most = 64 << 10
			raw, err := io.ReadAll(io.LimitReader(c.stdin, most))
			if err != nil {
				return refusal{fmt.Errorf("standard input: %w", err)}
			}
			d.Text = string(raw)
		}
		if err := c.decide(d, args); err != nil {
			return refusal{err}
		}
		return nil
	}
	return cmd
}

// account names who runs listctl, for the moderators and the log.
func account() string { return accountName() + " (listctl)" }

func accountName() string {
	name := os.Getenv("SUDO_USER")
	if name == "" {
		name = fmt.Sprint(os.Getuid())
		if u, err := user.Current(); err == nil {
			name = u.Username
		}
	}
	return name
}

// app opens what hands mail over. It works as the owner of the data from now on, since files are made there.
func (c *listctl) app() (*app, config.Config, error) {
	cfg, err := config.Load(configPath(c.config))
	if err != nil {
		return nil, cfg, err
	}
	info, err := os.Stat(cfg.Data)
	if err != nil {
		return nil, cfg, err
	}
	if err := becomeOwner(info); err != nil {
		return nil, cfg, err
	}
	syscall.Umask(filesMode)
	a, err := newApp(cfg, zerolog.Nop())
	return a, cfg, err
}

func (c *listctl) decide(d held.Decision, args []string) error {
	a, cfg, err := c.app()
	if err != nil {
		return err
	}
	defer a.close()
	s := openHeld(cfg, time.Now)
	var errs []error
	for _, arg := range args {
		f, err := pickHeld(s, arg)
		if err == nil {
			err = a.office.Decide(context.Background(), f.ID, d)
		}
		if err == nil || errors.Is(err, moderation.ErrPending) {
			err = c.printDecided(s, f.ID, err)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// printDecided tells of a decision; pending is why it is not carried out yet, or nil.
func (c *listctl) printDecided(s *held.Store, id string, pending error) error {
	f, err := s.Get(id)
	switch {
	case err != nil:
		return err
	case c.json:
		return c.printJSON(jsonOfHeld(f))
	case pending != nil:
		return c.printf("%s to %s: %s is noted; it could not be carried out yet (%v)\n", f.ID, f.List, f.Decided.Action, pending)
	}
	return c.printf("%s to %s: %s\n", f.ID, f.List, done(f))
}

// done tells what was decided, and what of the decision was not possible: owners and who was forged are not banned, and nobody
// is written to who may not be the author.
func done(f held.Facts) string {
	d := f.Decided
	text := map[held.Action]string{held.Approve: "approved", held.Reject: "rejected", held.Discard: "discarded"}[d.Action]
	if d.Action == held.Reject && f.Proof != lists.Proven.String() {
		text += "; its author is not told, since it is not proven that he wrote it"
	}
	if d.Ban {
		text += ", and its author banned"
	}
	return text
}
