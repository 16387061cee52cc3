package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"superlistd/lists"
)

// page is how many lists or members are read at a time.
const page = 1000

func (c *listctl) createCommand() *cobra.Command {
	cmd := c.command("create LIST [KEY=VALUE...]", "Create a list", 1, -1, func(ctx context.Context, s session, args []string) error {
		address, err := lists.ParseAddress(args[0])
		if err != nil {
			return err
		}
		l := lists.List{Address: address, Created: time.Now().UTC().Truncate(time.Second), Settings: lists.DefaultSettings()}
		if _, err := applySettings(&l.Settings, args[1:]); err != nil {
			return err
		}
		directory, err := lists.NewDirectory(s.store, s.config.Domains, s.config.Delimiter)
		if err != nil {
			return err
		}
		if err := directory.Create(ctx, l); err != nil {
			return err
		}
		if c.json {
			return c.printJSON(jsonList(l))
		}
		return c.printf("%s created\n", address)
	})
	cmd.Long = "Create a list without members. Its name must be in one of the domains of the settings file,\nand must not look like a service address of another list.\n\n" + settingsHelp()
	return settingsArgs(cmd, 1)
}

func (c *listctl) deleteCommand() *cobra.Command {
	cmd := c.command("delete LIST", "Delete a list and its members", 1, 1, func(ctx context.Context, s session, args []string) error {
		l, err := findList(ctx, s, args[0])
		if err != nil {
			return err
		}
		if err := s.store.Delete(ctx, l.Address); err != nil {
			return err
		}
		if c.json {
			return c.printJSON(jsonList(l))
		}
		return c.printf("%s deleted, with its %s\n", l.Address, count(l.Members, "member"))
	})
	cmd.Long = "Delete a list and its members. It does not ask: \"listctl members LIST\" prints what could be\ngiven to \"listctl add LIST -\" again."
	return cmd
}

func (c *listctl) listsCommand() *cobra.Command {
	return c.command("lists", "Print the lists, one a line", 0, 0, func(ctx context.Context, s session, _ []string) error {
		var after lists.Address
		for {
			found, err := s.store.Lists(ctx, after, page)
			if err != nil || len(found) == 0 {
				return err
			}
			for _, l := range found {
				if c.json {
					err = c.printJSON(jsonList(l))
				} else {
					err = c.printf("%s\n", l.Address)
				}
				if err != nil {
					return err
				}
			}
			after = found[len(found)-1].Address
		}
	})
}

func (c *listctl) showCommand() *cobra.Command {
	return c.command("show LIST", "Print the settings of a list", 1, 1, func(ctx context.Context, s session, args []string) error {
		l, err := findList(ctx, s, args[0])
		if err != nil {
			return err
		}
		if c.json {
			return c.printJSON(jsonList(l))
		}
		single, err := countSelected(ctx, s.store, l, lists.DeliveryMail)
		digests := 0
		for _, d := range []lists.Delivery{lists.DeliveryDigest, lists.DeliveryPlain} {
			if err == nil && l.Digests.Members > 0 {
				n := 0
				n, err = countSelected(ctx, s.store, l, d)
				digests += n
			}
		}
		if err != nil {
			return err
		}
		// The members were counted before: a change in between makes it a little wrong, never negative.
		return c.printList(l, digests, max(0, l.Members-single-digests))
	})
}

// countSelected counts the members of a list who get posts in a way now.
func countSelected(ctx context.Context, s lists.Store, l lists.List, d lists.Delivery) (n int, err error) {
	r := lists.Recipients{Select: lists.Selection{Delivery: d, Issue: l.Digests.Number}}
	for ; !r.Done(); r.Reset() {
		if err := s.Recipients(ctx, l.Address, &r, page); err != nil {
			return 0, err
		}
		n += r.Len()
	}
	return n, nil
}

func (c *listctl) setCommand() *cobra.Command {
	cmd := c.command("set LIST KEY=VALUE...", "Change settings of a list", 2, -1, func(ctx context.Context, s session, args []string) error {
		address, err := lists.ParseAddress(args[0])
		if err != nil {
			return err
		}
		var changed []lists.Setting
		l, err := s.store.Update(ctx, address, func(settings *lists.Settings) (err error) {
			changed, err = applySettings(settings, args[1:])
			return err
		})
		if err != nil {
			return err
		}
		if c.json {
			return c.printJSON(jsonList(l))
		}
		for _, setting := range changed {
			if err := c.printf("%s: %s = %s\n", address, setting.Name, setting.Get(l.Settings)); err != nil {
				return err
			}
		}
		return nil
	})
	cmd.Long = "Change settings of a list: all that are given, or none.\n\n" + settingsHelp()
	return settingsArgs(cmd, 2)
}

func findList(ctx context.Context, s session, name string) (lists.List, error) {
	address, err := lists.ParseAddress(name)
	if err != nil {
		return lists.List{}, err
	}
	return s.store.List(ctx, address)
}

// settingsArgs makes it wrong usage when an argument after LIST is no KEY=VALUE.
func settingsArgs(cmd *cobra.Command, least int) *cobra.Command {
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) < least {
			return usage(cmd)
		}
		return keyValues(cmd, args[1:])
	}
	return cmd
}

func keyValues(cmd *cobra.Command, args []string) error {
	for _, arg := range args {
		if !strings.Contains(arg, "=") {
			return fmt.Errorf("%q is not KEY=VALUE: %w", arg, usage(cmd))
		}
	}
	return nil
}

// applySettings sets every KEY=VALUE, or returns what is wrong with each bad one.
func applySettings(s *lists.Settings, args []string) (changed []lists.Setting, err error) {
	var errs []error
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		setting, err := lists.LookupSetting(strings.TrimSpace(key))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if value, err = fileValue(setting, value); err == nil {
			err = setting.Set(s, value)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", setting.Name, err))
			continue
		}
		changed = append(changed, setting)
	}
	return changed, errors.Join(errs...)
}

// maxValueFile is more than any setting may hold.
const maxValueFile = 1 << 20

// fileValue reads the file of "@FILE"; any other value is itself. Where values may begin with "@", a file has a slash
// in its path.
func fileValue(setting lists.Setting, value string) (string, error) {
	path, ok := strings.CutPrefix(value, "@")
	if !ok || setting.AtSign && !strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "./") && !strings.HasPrefix(path, "../") {
		return value, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxValueFile+1))
	switch {
	case err != nil:
		return "", err
	case len(text) > maxValueFile:
		return "", fmt.Errorf("%s: longer than %s", path, lists.FormatSize(maxValueFile))
	case setting.Multiline:
		return lists.EscapeBlock(string(text)), nil
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

// settingsHelp lists the settings for the help of create and set.
func settingsHelp() string {
	var b strings.Builder
	b.WriteString("A value \"@FILE\" is read from a file (for bans and allow: \"@./FILE\").\n\nSettings (more in docs/settings.md):\n")
	for _, s := range lists.SettingTable() {
		fmt.Fprintf(&b, "  %-20s %s: %s", s.Name, s.Help, s.Type)
		if s.Default != "" {
			fmt.Fprintf(&b, " (default %s)", s.Default)
		}
		b.WriteByte('\n')
	}
	return strings.TrimRight(b.String(), "\n")
}
