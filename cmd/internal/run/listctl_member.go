package run

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"superlistd/lists"
)

func (c *listctl) memberCommand() *cobra.Command {
	cmd := c.command("member LIST ADDRESS [KEY=VALUE...]", "Print or change the options of a member", 2, -1, func(ctx context.Context, s session, args []string) error {
		l, err := findList(ctx, s, args[0])
		if err != nil {
			return err
		}
		address, err := lists.ParseAddress(args[1])
		if err != nil {
			return err
		}
		m, ok, err := s.store.Member(ctx, l.Address, address)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%s: %s: %w", l.Address, address, lists.ErrNoMember)
		}
		if len(args) > 2 {
			return c.changeMember(ctx, s, l, m.Address, args[2:])
		}
		if c.json {
			return c.printJSON(memberJSON(m))
		}
		return c.printMember(l, m)
	})
	cmd.Long = "Print the options of a member, found by address or alias, or change them: all that are given,\nor none.\n\n" + optionsHelp()
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) < 2 {
			return usage(cmd)
		}
		return keyValues(cmd, args[2:])
	}
	return cmd
}

func (c *listctl) changeMember(ctx context.Context, s session, l lists.List, member lists.Address, args []string) error {
	var changed []lists.MemberOption
	list := l.Address
	m, err := s.store.UpdateMember(ctx, list, member, func(m *lists.Member) (err error) {
		changed, err = applyOptions(m, args)
		for _, a := range m.Aliases {
			if a.Key() == list.Key() {
				return errors.Join(err, fmt.Errorf("aliases: the list cannot be an alias of its member"))
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(memberJSON(m))
	}
	for _, o := range changed {
		from := ""
		if o.Name == "delivery" {
			from = waitsFor(l, m)
		}
		if err := c.printf("%s: %s: %s = %s%s\n", list, m.Address, o.Name, o.Get(m), from); err != nil {
			return err
		}
	}
	return nil
}

// waitsFor tells that a member has his delivery from the next digest on; "": he has it.
func waitsFor(l lists.List, m lists.Member) string {
	if now := m.DeliveryAt(l.Digests.Number); now != m.Delivery {
		return fmt.Sprintf(", from the next digest on; till then %s", now)
	}
	return ""
}

// applyOptions sets every KEY=VALUE, or returns what is wrong with each bad one.
func applyOptions(m *lists.Member, args []string) (changed []lists.MemberOption, err error) {
	var errs []error
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		option, err := lists.LookupMemberOption(strings.TrimSpace(key))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if err := option.Set(m, value); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", option.Name, err))
			continue
		}
		changed = append(changed, option)
	}
	return changed, errors.Join(errs...)
}

// optionsHelp lists the options for the help of member.
func optionsHelp() string {
	var b strings.Builder
	b.WriteString("Options:\n")
	for _, o := range lists.MemberOptionTable() {
		fmt.Fprintf(&b, "  %-10s %s: %s (default %s)\n", o.Name, o.Help, o.Type, o.Default)
	}
	return strings.TrimRight(b.String(), "\n")
}
