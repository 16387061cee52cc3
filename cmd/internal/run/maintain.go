package run

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"superlistd/config"
	"superlistd/lists"
)

// maintain does what a daemon does besides its sessions, once: it looks after held posts, and delivers all of the spool that is
// due. It is for a timer, where Postfix starts superlistd for each session.
func maintain(args []string, _, stderr io.Writer) error {
	var path string
	var most time.Duration
	err := flags(args, func(set *flag.FlagSet) {
		configFlag(&path)(set)
		set.DurationVar(&most, "for", 0, "end after this time")
	})
	if err != nil {
		return err
	}
	if most < 0 {
		return usageError{fmt.Errorf("--for %v is no time", most)}
	}
	cfg, err := config.Load(configPath(path))
	if err != nil {
		return err
	}
	info, err := os.Stat(cfg.Data)
	if err != nil {
		return err // a folder made here would hide the mistake
	}
	if err := becomeOwner(info); err != nil {
		return err
	}
	syscall.Umask(filesMode)
	log, _, err := newLogger(cfg.Log, stderr)
	if err != nil {
		return err
	}
	a, err := newApp(cfg, log)
	if err != nil {
		log.Error().Err(err).Msg("not started")
		return err
	}
	defer a.close()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if most > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, most)
		defer cancel()
	}
	a.sweep(log)
	a.tick(ctx, log)
	a.spooler.Drain(ctx)
	a.sendDigests(ctx, log) // of what was on its way to them, too
	a.spooler.Drain(ctx)
	if _, err := a.store.Lists(context.WithoutCancel(ctx), lists.Address{}, 1); err != nil {
		return err // the log has what could not be done without; who runs us shall know, too
	}
	return nil
}

// becomeOwner makes root the owner of the folder that is worked in, for good: a file of root there would lock
// everybody else out of the spool.
func becomeOwner(folder os.FileInfo) error {
	owner, ok := folder.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 || owner.Uid == 0 {
		return nil
	}
	err := errors.Join(
		syscall.Setgroups([]int{int(owner.Gid)}),
		syscall.Setgid(int(owner.Gid)), // for all threads, unlike those of unix
		syscall.Setuid(int(owner.Uid)),
	)
	if err != nil {
		return fmt.Errorf("%s: become its owner: %w", folder.Name(), err)
	}
	return nil
}
