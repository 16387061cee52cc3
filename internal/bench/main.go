// Command bench measures superlistd end to end, on this host, against Postfix's own test
// programs: smtp-source sends, smtp-sink receives, and between them is nothing (direct), a TCP
// proxy that only copies octets (raw), or superlistd. Where a post is expanded, raw is a pipelined
// client that sends the same recipients in the same transactions, and Debian's mlmmj takes part if
// it is there. All of them take turns in each round, so that what else the machine does falls on
// all alike: compare the ratios, not the figures.
//
// It fails when something does not work, and never for being slow: the last column says which
// figure was reached and which was missed. docs/performance.md explains both.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
)

// settings are what the flags say.
type settings struct {
	pick    *regexp.Regexp
	rounds  int
	quick   bool
	profile string
	command string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run is the benchmark, or one of the parts of it that are processes of their own.
func run(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case rawCommand:
			return serveRaw(ctx, args[1:])
		case serveCommand:
			return serveProfiled(ctx, args[1:])
		case quickCommand:
			return serveQuick(ctx, args[1:])
		}
	}
	s, err := parse(args)
	if err != nil {
		return err
	}
	return measure(ctx, s)
}

func parse(args []string) (settings, error) {
	var s settings
	var pick string
	set := flag.NewFlagSet("bench", flag.ExitOnError)
	set.StringVar(&pick, "case", ".", "measure the cases that match this `regexp`")
	set.IntVar(&s.rounds, "rounds", 5, "`number` of rounds; the median counts")
	set.BoolVar(&s.quick, "quick", false, "a tenth of the messages and two rounds: does it work at all?")
	set.StringVar(&s.profile, "profile", "", "write a CPU profile of superlistd to this `file`, and of those that a case starts for itself to file.NAME")
	set.StringVar(&s.command, "superlistd", "", "measure this `program`, not one built from here (to compare two versions)")
	set.Parse(args)
	var err error
	if s.pick, err = regexp.Compile(pick); err != nil {
		return s, fmt.Errorf("-case: %w", err)
	}
	if s.rounds < 1 {
		return s, fmt.Errorf("-rounds: %d is less than one", s.rounds)
	}
	if s.quick {
		s.rounds = min(s.rounds, 2)
	}
	return s, nil
}

// measure runs the cases and prints a line for each as it ends.
func measure(ctx context.Context, s settings) error {
	r, err := newRig(ctx, s)
	if err != nil {
		return err
	}
	defer r.close()
	out := newReport(os.Stdout)
	out.machine(s)
	for _, c := range cases() {
		if !s.pick.MatchString(c.name) {
			continue
		}
		res, err := c.run(ctx, r)
		if err != nil {
			return fmt.Errorf("%s: %w%s", c.name, err, r.lastWords())
		}
		out.add(c, res)
	}
	out.summary()
	return nil
}
