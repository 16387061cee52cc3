package run

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"superlistd/digest"
	"superlistd/lists"
)

const digestHelp = `Print what waits for the next digest of a list: how many posts, of which size, since when, and what the digest will be
called. --send closes the issue now, and sends it to the members with delivery=digest or plain. Nothing is sent when nothing waits.

With --json, one object: {"list", "posts", "size", "oldest", "volume", "issue", "closed", "sent"}. "closed" are posts of earlier issues
that the next hop has not taken yet; "sent" is how many were sent now.`

// jsonDigest is a promise to scripts, as those of the other commands.
type jsonDigest struct {
	List   string `json:"list"`
	Posts  int    `json:"posts"`
	Size   int64  `json:"size"`
	Oldest string `json:"oldest"`
	Volume int    `json:"volume"`
	Issue  int    `json:"issue"`
	Closed int    `json:"closed"`
	Sent   int    `json:"sent"`
}

func (c *listctl) digestCommand() *cobra.Command {
	var send bool
	show := c.command("digest [--send] LIST", "Print what waits for the next digest, or send it", 1, 1, func(ctx context.Context, s session, args []string) error {
		list, err := lists.ParseAddress(args[0])
		if err != nil {
			return err
		}
		return c.printDigest(ctx, digest.New(digest.Options{Data: s.config.Data, Store: s.store}), list, 0)
	})
	show.Long = digestHelp
	show.Flags().BoolVar(&send, "send", false, "send it now")
	look := show.RunE
	show.RunE = func(cmd *cobra.Command, args []string) error {
		if !send {
			return look(cmd, args)
		}
		if err := c.sendDigest(asAccount(context.Background()), args[0]); err != nil {
			return refusal{err}
		}
		return nil
	}
	return show
}

// sendDigest works as the owner of the data, since it makes files there, and hands mail over.
func (c *listctl) sendDigest(ctx context.Context, name string) error {
	list, err := lists.ParseAddress(name)
	if err != nil {
		return err
	}
	a, _, err := c.app()
	if err != nil {
		return err
	}
	defer a.close()
	sent, err := a.digests.Send(ctx, list)
	if err != nil {
		return err
	}
	return c.printDigest(ctx, a.digests, list, sent)
}

func (c *listctl) printDigest(ctx context.Context, d *digest.Desk, list lists.Address, sent int) error {
	w, err := d.Waiting(ctx, list)
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(jsonDigest{
			List: list.String(), Posts: w.Posts, Size: w.Size, Oldest: jsonTime(w.Oldest), Volume: w.Next.Volume, Issue: w.Next.Issue, Closed: w.Closed, Sent: sent,
		})
	}
	if sent > 0 {
		return c.printf("%s: a digest with %s was sent\n", list, posts(sent))
	}
	if w.Closed > 0 {
		if err := c.printf("%s: %s of earlier digests could not be sent yet\n", list, posts(w.Closed)); err != nil {
			return err
		}
	}
	if w.Posts == 0 {
		return c.printf("%s: nothing waits for the next digest (volume %d, issue %d)\n", list, w.Next.Volume, w.Next.Issue)
	}
	return c.printf("%s: %s (%d octets) for the next digest (volume %d, issue %d), since %s\n",
		list, posts(w.Posts), w.Size, w.Next.Volume, w.Next.Issue, w.Oldest.Local().Format("2006-01-02 15:04"))
}

func posts(n int) string {
	if n == 1 {
		return "1 post"
	}
	return fmt.Sprintf("%d posts", n)
}
