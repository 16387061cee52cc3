package run

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"superlistd/config"
	"superlistd/lists"
	"superlistd/lists/boltstore"
	"superlistd/moderation/held"
)

// Exit statuses of listctl.
const (
	exitDone    = 0
	exitRefused = 1 // refused or failed; one line on stderr for each reason
	exitUsage   = 2 // the command line itself is wrong
)

const listctlHelp = `listctl manages the lists of superlistd and their members. A change holds for the
next message: nothing needs to be restarted or told.

An ADDRESS may carry a name: "Ann Lee <ann@example.org>". In place of addresses, "-"
reads them from standard input, one a line; "#" starts a comment. Tables with a header
line (CSV) and dumps of Sympa are read as well: docs/migrate.md. However many there
are, they are one transaction: all of them, or none and a line on stderr for each that
is bad. Adding a member who is there, or removing one who is not, is no error. Above
1000 changes, the answer is one line of numbers.

Exit status: 0 done, 1 refused or failed, 2 wrong usage.

With --json, standard output is one object:
  create, show, set   {"list", "created", "members", "utf8_members", "settings"}
  delete              the same, as the list was
  add, remove, sync   {"list", "added", "present", "renamed", "removed", "absent"}
  invite              {"list", "invited", "present", "waiting", "declined", "banned", "limited", "refused", "own"}
  member              {"address", "name", "since", "options"}
or, for lists and members, one such object a line:
  lists               as show
  members             as member
Times are RFC 3339 in UTC; settings and options are objects of strings, as "set" and
"member" take them; those of a change and of "invite" are arrays of addresses, always there and
always whole (those of "renamed" are in "present" too). Keys may be added in later
versions, never renamed.`

// listctl is one run of the program.
type listctl struct {
	stdin  io.Reader
	stdout *bufio.Writer
	stderr io.Writer
	config string // flag --config
	json   bool   // flag --json

	founding bool // the command may be the first one of an installation
}

// Listctl is the program listctl: args are those after its name; it returns the exit status.
func Listctl(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	c := &listctl{stdin: stdin, stdout: bufio.NewWriter(stdout), stderr: stderr}
	root := c.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(c.stdout)
	root.SetErr(stderr)
	err := root.Execute()
	if flushed := c.stdout.Flush(); err == nil && flushed != nil {
		err = refusal{fmt.Errorf("standard output: %w", flushed)}
	}
	if err == nil {
		return exitDone
	}
	fmt.Fprintln(stderr, err)
	if errors.As(err, new(refusal)) {
		return exitRefused
	}
	return exitUsage
}

// refusal marks the errors of the work itself; all others come from reading the command line.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

func (c *listctl) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "listctl COMMAND",
		Short: "Manage the lists of superlistd",
		Long:  listctlHelp,

		DisableFlagsInUseLine: true,
		SilenceUsage:          true,
		SilenceErrors:         true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New(`no command: try "listctl help"`)
			}
			return fmt.Errorf(`%q is not a command: try "listctl help"`, args[0])
		},
		RunE: func(*cobra.Command, []string) error { return nil }, // Args never lets it come here
	}
	root.PersistentFlags().StringVar(&c.config, "config", "", "settings `FILE` (default $SUPERLISTD_CONFIG, then /etc/superlistd/superlistd.toml)")
	root.PersistentFlags().BoolVar(&c.json, "json", false, "answer in JSON")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%s: %w: try %q", cmd.CommandPath(), err, cmd.CommandPath()+" --help")
	})
	root.AddCommand(c.createCommand(), c.deleteCommand(), c.listsCommand(), c.showCommand(), c.setCommand(),
		c.addCommand(), c.inviteCommand(), c.removeCommand(), c.syncCommand(), c.membersCommand(), c.memberCommand(), c.queueCommand(), c.dkimCommand(),
		c.judgeCommand(), c.dressCommand(), c.bounceReadCommand(), c.bouncesCommand(), c.logCommand(), c.digestCommand(), c.heldCommand(),
		c.decideCommand(held.Approve, "Send held posts to the members"), c.decideCommand(held.Reject, "Send held posts back"),
		c.decideCommand(held.Discard, "Drop held posts"))
	return root
}

// job is what a command does once the store is open.
type job func(ctx context.Context, s session, args []string) error

// session is the opened store and what the settings file says of it.
type session struct {
	config config.Config
	store  lists.Store
}

// command makes one command. It needs at least least arguments, and at most most unless that is negative.
func (c *listctl) command(use, short string, least, most int, do job) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, DisableFlagsInUseLine: true}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) < least || most >= 0 && len(args) > most {
			return usage(cmd)
		}
		return nil
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c.founding = cmd.Name() == "create"
		s, err := c.open()
		if err != nil {
			return refusal{err}
		}
		if err := do(asAccount(context.Background()), s, args); err != nil {
			return refusal{errors.Join(err, s.store.Close())}
		}
		if err := s.store.Close(); err != nil {
			return refusal{err}
		}
		return nil
	}
	cmd.ValidArgsFunction = c.completeList
	return cmd
}

func usage(cmd *cobra.Command) error {
	return fmt.Errorf("usage: %s", cmd.UseLine())
}

func (c *listctl) open() (session, error) {
	cfg, err := config.Load(configPath(c.config))
	if err != nil {
		return session{}, err
	}
	if c.founding {
		// The first list of an installation makes the folder; for any other command a folder that is not there is
		// a mistake. What is wrong with a path, Open tells better than Mkdir.
		_ = os.Mkdir(cfg.Data, 0o750)
	}
	store, err := boltstore.Open(storePath(cfg), boltstore.Options{})
	if err != nil {
		return session{}, err
	}
	return session{config: cfg, store: auditStore(cfg, store, c.stderr)}, nil
}

// completeList offers the names of lists to the shell, for the first argument.
func (c *listctl) completeList(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	s, err := c.open()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	defer s.store.Close()
	const most = 1000 // nobody picks from more
	found, err := s.store.Lists(context.Background(), lists.Address{}, most)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []string
	for _, l := range found {
		names = append(names, l.Address.String())
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
