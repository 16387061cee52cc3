package run

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"superlistd/bounce"
)

const bounceReadHelp = `Tell what the bounce reader makes of mails: for each FILE, one line of JSON. "-" is standard
input. A file holds one mail, as it came. Neither settings nor lists are needed.

  {"file", "kind", "recipients": [{"address", "status", "diagnostic"}]}

kind is "hard" (the address takes no mail any more), "soft" (not now: mailbox full, no connection) or
"none": no bounce, or one that counts against nobody. recipients are those who did not get the
message and for whom kind holds. With "none" they are those who still wait for it, or whose system
refused it for its content, size or sender; for mail that is no report at all there are none. An
address that was forwarded to another one is there twice, as the sender wrote it and as it failed.
Addresses are spelled as the mail spells them, decoded.

The exit status is 1 if a file cannot be read; the others are still read.`

// The JSON forms are a promise to scripts, as those of the other commands.
type (
	jsonBounce struct {
		File       string          `json:"file"`
		Kind       string          `json:"kind"`
		Recipients []jsonRecipient `json:"recipients"`
	}
	jsonRecipient struct {
		Address    string `json:"address"`
		Status     string `json:"status"`
		Diagnostic string `json:"diagnostic"`
	}
)

func (c *listctl) bounceReadCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "bounce-read FILE...", Short: "Tell what the bounce reader makes of a mail", Long: bounceReadHelp, DisableFlagsInUseLine: true}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usage(cmd)
		}
		return nil
	}
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		var faults []error
		for _, name := range args {
			if err := c.bounceRead(name); err != nil {
				faults = append(faults, err)
			}
		}
		if len(faults) > 0 {
			return refusal{errors.Join(faults...)}
		}
		return nil
	}
	return cmd
}

// bounceRead reads one file and prints its line.
func (c *listctl) bounceRead(name string) error {
	in := c.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	rep, err := readBounce(in)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	rep.File = name
	return c.printJSON(rep)
}

// readBounce reads a mail for its line. Whoever has another kind than the whole is not told of, lest he be taken for it.
func readBounce(in io.Reader) (jsonBounce, error) {
	rep, err := bounce.Read(in)
	if err != nil {
		return jsonBounce{}, err
	}
	out := jsonBounce{Kind: rep.Kind.String(), Recipients: []jsonRecipient{}}
	for _, r := range rep.Recipients {
		if r.Kind == bounce.None && rep.Kind != bounce.None {
			continue
		}
		out.Recipients = append(out.Recipients, jsonRecipient{rep.Spell(r.Address), r.Status, r.Diagnostic})
		if !r.Final.IsZero() {
			out.Recipients = append(out.Recipients, jsonRecipient{rep.Spell(r.Final), r.Status, r.Diagnostic})
		}
	}
	return out, nil
}
