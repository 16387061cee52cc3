package run

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"superlistd/config"
	"superlistd/lists"
	"superlistd/lists/boltstore"
	"superlistd/moderation/held"
)

// jsonHeld is a held post; as with the other JSON forms, keys are never renamed or left out.
type jsonHeld struct {
	ID          string `json:"id"`
	List        string `json:"list"`
	At          string `json:"at"`
	From        string `json:"from"`
	FromName    string `json:"from_name"`
	Subject     string `json:"subject"`
	MessageID   string `json:"message_id"`
	Reason      string `json:"reason"`
	Text        string `json:"text"`
	Identity    string `json:"identity"`
	Results     string `json:"results"`
	Size        int64  `json:"size"`
	Client      string `json:"client"`
	Helo        string `json:"helo"`
	ReversePath string `json:"reverse_path"`
	Noticed     bool   `json:"noticed"`
	Decided     string `json:"decided"`
	By          string `json:"by"`
	Fault       string `json:"fault"`
}

func jsonOfHeld(f held.Facts) jsonHeld {
	j := jsonHeld{
		ID: f.ID, List: f.List.String(), At: jsonTime(f.At), From: f.Author.String(), FromName: f.AuthorName, Subject: f.Subject,
		MessageID: f.MessageID, Reason: f.Reason, Text: f.Text, Identity: f.Proof, Results: f.Results, Size: f.Size,
		Client: f.Envelope.Client.Addr, Helo: f.Envelope.Client.Helo, ReversePath: f.Envelope.ReversePath,
		Noticed: f.Noticed, Fault: f.Fault,
	}
	if f.Decided != nil {
		j.Decided, j.By = string(f.Decided.Action), f.Decided.By
	}
	return j
}

// printHeld prints a table, or an object a line.
func (c *listctl) printHeld(cfg config.Config, s *held.Store, args []string) error {
	var list lists.Address
	if len(args) > 0 {
		var err error
		if list, err = lists.ParseAddress(args[0]); err != nil {
			return err
		}
	}
	all, err := allHeld(s, list)
	if err == nil && len(all) == 0 && !list.IsZero() { // it may be mistyped
		var store *boltstore.Store
		if store, err = boltstore.Open(storePath(cfg), boltstore.Options{ReadOnly: true}); err == nil {
			_, err = store.List(context.Background(), list)
		}
	}
	if err != nil {
		return err
	}
	slices.SortStableFunc(all, func(a, b held.Facts) int { return a.At.Compare(b.At) })
	if c.json {
		for _, f := range all {
			if err := c.printJSON(jsonOfHeld(f)); err != nil {
				return err
			}
		}
		return nil
	}
	if len(all) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tLIST\tHELD\tFROM\tIDENTITY\tREASON\tSUBJECT")
	for _, f := range all {
		if f.Fault != "" {
			fmt.Fprintf(w, "%s\t\t\t\t\tdamaged\t%s\n", f.ID, printableLine(f.Fault))
			continue
		}
		reason := f.Reason
		if f.Decided != nil {
			reason = string(f.Decided.Action) + " by " + f.Decided.By + ", not carried out yet"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.ID, f.List, f.At.Local().Format("2006-01-02 15:04"), f.Author, f.Proof,
			printableLine(reason), printableLine(clipped(f.Subject, 60)))
	}
	return w.Flush()
}

// printHeldPost prints all facts, a line each.
func (c *listctl) printHeldPost(f held.Facts) error {
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, printableLine(value))
		}
	}
	line("id", f.ID)
	line("fault", f.Fault)
	line("list", f.List.String())
	if !f.At.IsZero() {
		line("held", f.At.Local().Format(time.RFC3339))
	}
	line("from", f.Author.String())
	line("name", f.AuthorName)
	line("subject", f.Subject)
	line("message-id", f.MessageID)
	line("size", lists.FormatSize(f.Size))
	line("reason", f.Reason)
	line("text", f.Text)
	line("identity", f.Proof)
	line("results", f.Results)
	line("client", f.Envelope.Client.Name+" ["+f.Envelope.Client.Addr+"]")
	line("helo", f.Envelope.Client.Helo)
	line("sender", f.Envelope.ReversePath)
	if f.Noticed {
		line("notice", "sent to the moderators")
	}
	if d := f.Decided; d != nil {
		line("decided", fmt.Sprintf("%s by %s at %s", d.Action, d.By, d.At.Local().Format(time.RFC3339)))
	}
	return w.Flush()
}

// clipped cuts a text to so many characters.
func clipped(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most-3]) + "..."
}

// printableLine keeps a stranger's text from playing with the terminal.
func printableLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
