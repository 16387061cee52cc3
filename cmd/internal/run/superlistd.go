// Package run is the two programs as functions, so that tests can run them: it reads flags and
// settings, wires the rooms together, and handles signals. It decides nothing about mail.
package run

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

const superlistdHelp = `superlistd is a mailing list server that lives inside Postfix's SMTP dialogue.

usage: superlistd COMMAND [--config FILE]

  serve            answer at the doors that the settings name, until SIGTERM;
                   SIGHUP opens a log file anew
  spawn [--lmtp]   answer one session on standard input (for spawn(8) in master.cf);
                   --trust submission for the filter of an smtpd that checks its users' From
  maintain         deliver what is due in the spool, look after digests, held posts and
                   bounces, and end (for a timer, beside spawn);
                   --for 50s ends it after that time at the latest
  check            say what is wrong with the settings, the store, Postfix and the next hop;
                   --postfix DIR is Postfix's config_directory, else $MAIL_CONFIG, else /etc/postfix
  demo [--keep]    show a post on its way, with nothing but this program
  version          print the version

The settings are in --config FILE, else $SUPERLISTD_CONFIG, else
/etc/superlistd/superlistd.toml. spawn looks at no environment.
Exit status: 0 done, 1 failed, 2 wrong usage.
`

// Superlistd is the program superlistd: args are those after its name; it returns the exit status.
func Superlistd(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "spawn" {
		return spawn(args[1:]) // before anything else: its standard streams are the client's
	}
	if len(args) == 0 {
		fmt.Fprint(stderr, superlistdHelp)
		return exitUsage
	}
	commands := map[string]func([]string, io.Writer, io.Writer) error{
		"serve": serve, "maintain": maintain, "check": check, "demo": demo, "version": version, checkStoreCommand: checkStore,
	}
	command, ok := commands[args[0]]
	switch {
	case args[0] == "help" || args[0] == "--help" || args[0] == "-h":
		fmt.Fprint(stdout, superlistdHelp)
		return exitDone
	case !ok:
		fmt.Fprintf(stderr, "superlistd: no command %q (try superlistd --help)\n", args[0])
		return exitUsage
	}
	err := command(args[1:], stdout, stderr)
	var usage usageError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, superlistdHelp)
		return exitDone
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "superlistd %s: %v\n", args[0], err)
		return exitUsage
	}
	if !errors.Is(err, errTold) {
		fmt.Fprintln(stderr, err)
	}
	return exitRefused
}

// errTold is an error whose cause was printed already.
var errTold = errors.New("told")

// usageError is a command line that cannot be read.
type usageError struct{ error }

// flags reads a command's flags; the commands take no other arguments.
func flags(args []string, define func(*flag.FlagSet)) error {
	set := flag.NewFlagSet("superlistd", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	define(set)
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return usageError{err}
	}
	if set.NArg() > 0 {
		return usageError{fmt.Errorf("unexpected argument %q", set.Arg(0))}
	}
	return nil
}

func configFlag(path *string) func(*flag.FlagSet) {
	return func(set *flag.FlagSet) { set.StringVar(path, "config", "", "settings file") }
}

func version(args []string, stdout, _ io.Writer) error {
	if err := flags(args, func(*flag.FlagSet) {}); err != nil {
		return err
	}
	v := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		v = info.Main.Version
	}
	_, err := fmt.Fprintf(stdout, "superlistd %s, %s %s/%s\n", v, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
