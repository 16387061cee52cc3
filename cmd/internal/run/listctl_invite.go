package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"superlistd/bouncing"
	"superlistd/enrol"
	"superlistd/lists"
)

const inviteHelp = `Ask people by mail whether they want to be members. Whoever answers within seven days is one, whatever the list's
setting subscribe says; nothing happens to others. Nobody has more than one open invitation to a list.
--text-file adds a text of yours to the letter; --file reads the addresses from a file, in any form that "add" reads.
At most 1000 addresses are invited at a time.

Exit status 1 says that somebody could not be invited, with a line on stderr for each.`

// maxText is how much of a text of the owners is read, in octets; letters take less.
const maxText = 64 << 10

// jsonInvited is a promise to scripts, as those of the other commands.
type jsonInvited struct {
	List     string   `json:"list"`
	Invited  []string `json:"invited"`
	Present  []string `json:"present"`
	Waiting  []string `json:"waiting"`
	Declined []string `json:"declined"`
	Banned   []string `json:"banned"`
	Limited  []string `json:"limited"`
	Refused  []string `json:"refused"`
	Own      []string `json:"own"`
}

func (c *listctl) inviteCommand() *cobra.Command {
	var file, textFile string
	cmd := &cobra.Command{
		Use: "invite [--text-file FILE] LIST ADDRESS...|-|--file FILE", Short: "Invite people to be members", Long: inviteHelp,
		DisableFlagsInUseLine: true, ValidArgsFunction: c.completeList,
	}
	cmd.Flags().StringVar(&file, "file", "", "read the addresses from `FILE`")
	cmd.Flags().StringVar(&textFile, "text-file", "", "add the text in `FILE` to the letter")
	given := addressArgs(&cobra.Command{}).Args
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if file != "" && len(args) == 1 {
			return nil
		}
		if file != "" {
			return usage(cmd)
		}
		return given(cmd, args)
	}
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		if err := c.invite(asAccount(context.Background()), args, file, textFile); err != nil {
			return refusal{err}
		}
		return nil
	}
	return cmd
}

func (c *listctl) invite(ctx context.Context, args []string, file, textFile string) error {
	// Before this is somebody else, who may not read them.
	text, members, err := c.readInvitations(args, file, textFile)
	if err != nil {
		return err
	}
	a, cfg, err := c.app()
	if err != nil {
		return err
	}
	defer a.close()
	l, err := findList(ctx, session{config: cfg, store: a.store}, args[0])
	if err != nil {
		return err
	}
	all, err := a.enrol.Invite(ctx, l, members, text)
	return errors.Join(c.printInvited(l.Address, all), err)
}

// readInvitations reads what the letters say, and who gets them.
func (c *listctl) readInvitations(args []string, file, textFile string) (text string, members []lists.Member, err error) {
	list, err := lists.ParseAddress(args[0])
	if err != nil {
		return "", nil, err
	}
	if textFile != "" {
		if text, err = readText(textFile); err != nil {
			return "", nil, err
		}
	}
	from, given := *c, args[1:]
	if file != "" {
		f, err := os.Open(file)
		if err != nil {
			return "", nil, err
		}
		defer f.Close()
		from.stdin, given = f, []string{"-"}
	}
	members, err = from.readMembers(given, list)
	return text, members, err
}

func readText(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxText))
	return string(raw), err
}

// printInvited tells what came of each invitation; what could not be done is the error.
func (c *listctl) printInvited(list lists.Address, all []enrol.Invitation) error {
	by := map[enrol.Answer][]string{}
	var errs []error
	for _, i := range all {
		by[i.Answer] = append(by[i.Answer], i.Address.String())
		if why := notInvited(i.Answer); why != "" {
			errs = append(errs, fmt.Errorf("%s: %s", i.Address, why))
			continue
		}
		if !c.json {
			form := map[enrol.Answer]string{
				enrol.Invited: "%s invited to %s\n", enrol.Present: "%s is already a member of %s\n",
				enrol.Waiting: "%s is already invited to %s, and has not answered yet\n",
			}[i.Answer]
			errs = append(errs, c.printf(form, i.Address, list))
		}
	}
	if c.json {
		none := func(a enrol.Answer) []string { return append([]string{}, by[a]...) }
		errs = append(errs, c.printJSON(jsonInvited{
			list.String(), none(enrol.Invited), none(enrol.Present), none(enrol.Waiting), none(enrol.Declined), none(enrol.Banned),
			none(enrol.Limited), none(enrol.Refused), none(enrol.Own),
		}))
	}
	return errors.Join(errs...)
}

// notInvited tells why somebody could not be invited; "": he could, or need not be.
func notInvited(a enrol.Answer) string {
	switch a {
	case enrol.Declined:
		return "was invited in the last seven days, and does not want it"
	case enrol.Banned:
		return "banned from the list"
	case enrol.Limited:
		return "has had too many mails today"
	case enrol.Refused:
		return "the next hop takes no mail for it"
	case enrol.Own:
		return "an address of the list itself"
	}
	return ""
}

// welcome writes to new members.
func (c *listctl) welcome(ctx context.Context, list string, added []lists.Address) error {
	a, cfg, err := c.app()
	if err != nil {
		return err
	}
	defer a.close()
	l, err := findList(ctx, session{config: cfg, store: a.store}, list)
	if err != nil {
		return err
	}
	var errs []error
	for _, who := range added {
		m, found, err := a.store.Member(ctx, l.Address, who)
		if err == nil && found {
			err = a.enrol.Welcome(ctx, l, m)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s is a member, but was not welcomed: %w", who, err))
		}
	}
	return errors.Join(errs...)
}

// consenting are those whom a change adds, without those who would have to confirm it: an error when they were to be added, a
// line on stderr when the roster comes from elsewhere.
func (c *listctl) consenting(ctx context.Context, s session, list lists.Address, planned lists.Change) ([]lists.Member, error) {
	if len(planned.Add) == 0 {
		return planned.Add, nil
	}
	book, err := openBook(s.config)
	if err != nil {
		return nil, err
	}
	defer book.Close()
	complained, err := bouncing.New(bouncing.Options{Store: s.store, Book: book}).Complainants(ctx, list)
	if err != nil || len(complained) == 0 {
		return planned.Add, err
	}
	var left []error
	kept := make([]lists.Member, 0, len(planned.Add))
	for _, m := range planned.Add {
		member := true
		if complained[m.Address.Key()] {
			if _, member, err = s.store.Member(ctx, list, m.Address); err != nil {
				return nil, err
			}
		}
		if member {
			kept = append(kept, m)
			continue
		}
		left = append(left, fmt.Errorf(`%s: has complained about mail of %s; only its own confirmation makes it a member ("listctl invite")`, m.Address, list))
	}
	err = errors.Join(left...)
	if err != nil && planned.Replace {
		fmt.Fprintln(c.stderr, err)
		return kept, nil
	}
	return kept, err
}
