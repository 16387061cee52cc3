package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"superlistd/lists"
	"superlistd/message"
	"superlistd/posting"
	"superlistd/proxy"
	"superlistd/wire"
)

const judgeLong = `judge tells what would become of a post, and why, and what its sender would see. Nothing is sent, kept or counted.

The post is a file as a mail program saves it; "-" is standard input. Whether its author is who he says he is
depends on who hands it in: --client and --helo say that, as the first Postfix of yours would see it. Without
--client SPF has nothing to look at. --mail-from is the sender's address in the dialogue, "" for none; without it
it is taken from Return-Path, or else from From.

With --json, one object, with those of its keys that apply:
  {"list", "verdict", "reason", "reply", "author", "member", "identity", "results", "removed"}`

const dressLong = `dress writes the copy that members of the list would get, byte by byte, to standard output. Nothing is sent, kept
or counted. It dresses a post that the list would refuse, too. Dates and numbers of sessions in it are those of now, and
a DKIM signature is made anew by each run.`

// dialogue is what the command line says of how a post came.
type dialogue struct {
	client, helo, from string
	fromGiven          bool
	trusted            bool
}

func (c *listctl) judgeCommand() *cobra.Command {
	var d dialogue
	cmd := c.command("judge LIST FILE|-", "Tell what would become of a post", 2, 2, func(ctx context.Context, s session, args []string) error {
		p, j, err := c.judge(ctx, s, d, args, nil)
		if err != nil {
			return err
		}
		defer p.close()
		if c.json {
			return c.printJSON(judgementJSON(p, j))
		}
		return c.printJudgement(p, j)
	})
	c.postFlags(cmd, &d, judgeLong)
	return cmd
}

func (c *listctl) dressCommand() *cobra.Command {
	var d dialogue
	cmd := c.command("dress LIST FILE|-", "Write the copy of a post that members would get", 2, 2, func(ctx context.Context, s session, args []string) error {
		p, j, err := c.judge(ctx, s, d, args, letIn)
		if err != nil {
			return err
		}
		defer p.close()
		copied, err := p.desk.Dress(ctx, p.Post, j)
		if err != nil {
			return err
		}
		if _, err := c.stdout.Write(copied.Head); err != nil {
			return err
		}
		_, err = io.Copy(c.stdout, copied.Content.Reader(copied.BodyOffset))
		return err
	})
	c.postFlags(cmd, &d, dressLong)
	return cmd
}

func (c *listctl) postFlags(cmd *cobra.Command, d *dialogue, long string) {
	cmd.Long = long
	cmd.Flags().StringVar(&d.client, "client", "", "`IP` address of the client that hands the post in")
	cmd.Flags().StringVar(&d.helo, "helo", "", "`NAME` that it says in EHLO")
	cmd.Flags().StringVar(&d.from, "mail-from", "", "`ADDRESS` of MAIL FROM")
	cmd.Flags().BoolVar(&d.trusted, "trusted", false, "as by a door with trust = \"submission\"")
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		d.fromGiven = cmd.Flags().Changed("mail-from")
		if _, err := netip.ParseAddr(d.client); d.client != "" && err != nil {
			return fmt.Errorf("--client: %q is not an IP address", d.client)
		}
		return nil
	}
}

// trial is a post under judgement.
type trial struct {
	*posting.Post
	desk  *posting.Desk
	spool *message.Spool
}

func (t *trial) close() { t.spool.Close() }

// letIn takes away what a list has against an author, so that what it does to posts can be seen with any.
func letIn(s *lists.Settings) {
	s.Post, s.Identity = lists.PostAnyone, lists.IdentityClaimed
}

// judge reads the post and has its list judge it, by the same code as the road. change, if given, is made to the list's settings before.
func (c *listctl) judge(ctx context.Context, s session, d dialogue, args []string, change func(*lists.Settings)) (*trial, posting.Judgement, error) {
	l, err := findList(ctx, s, args[0])
	if err != nil {
		return nil, posting.Judgement{}, err
	}
	if change != nil {
		change(&l.Settings)
	}
	b, err := newBureau(s.config, s.store, time.Now, zerolog.Nop())
	if err != nil {
		return nil, posting.Judgement{}, err
	}
	spool, err := c.readPost(s, args[1])
	if err != nil {
		return nil, posting.Judgement{}, err
	}
	t := &trial{desk: b.desk, spool: spool}
	if t.Post, err = posting.Read(spool, posting.Envelope{
		ReversePath: d.from, Client: wire.ClientInfo{Name: wire.Unavailable, Addr: d.client, Helo: d.helo},
		Trusted: d.trusted, EightBit: true, Proto: "ESMTP", Session: "listctl", At: time.Now(),
	}); err != nil {
		t.close()
		return nil, posting.Judgement{}, fmt.Errorf("%s: %w", args[1], err)
	}
	if !d.fromGiven {
		t.ReversePath = sender(t.Post)
	}
	j, err := t.desk.Judge(ctx, t.Post, l)
	if err != nil {
		t.close()
		return nil, j, err
	}
	return t, j, nil
}

// readPost stores a file with the line ends that it would have in the dialogue.
func (c *listctl) readPost(s session, name string) (_ *message.Spool, err error) {
	in := c.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	spool := message.NewSpool(s.config.Data, int(s.config.Limits.Memory), s.config.Limits.MessageSize)
	defer func() {
		if err != nil {
			spool.Close()
		}
	}()
	var cleaner wire.Cleaner
	buf, clean := make([]byte, 32<<10), []byte(nil)
	for {
		n, err := in.Read(buf)
		if clean = cleaner.Append(clean[:0], buf[:n]); len(clean) > 0 {
			if _, err := spool.Write(clean); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	_, err = spool.Write(cleaner.Finish(nil))
	return spool, err
}

// sender is who a saved mail came from.
func sender(p *posting.Post) string {
	for _, v := range p.Head.Values("Return-Path") {
		return strings.Trim(v, "<>")
	}
	return p.Author().String()
}

// replyOf is what the sender sees; "" when that is up to the next hop.
func replyOf(j posting.Judgement) string {
	if j.Action == lists.Accept {
		return ""
	}
	return proxy.ReplyOf(j.Verdict).String()
}

func (c *listctl) printJudgement(t *trial, j posting.Judgement) error {
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(c.stdout, "%-9s %s\n", name, printableLine(value))
		}
	}
	line("verdict", string(j.Action))
	if j.Reason != nil {
		line("reason", j.Reason.Error())
	}
	line("reply", cmp.Or(replyOf(j), "that of the next hop, when it has taken the copies"))
	author := t.Author().String()
	if m := j.Author.Address; !m.IsZero() && m.Key() != t.Author().Key() {
		author += " (an alias of " + m.String() + ")"
	} else if m.IsZero() && author != "" {
		author += " (no member)"
	}
	line("author", author)
	line("identity", j.Proof.String())
	line("results", t.desk.Results(t.Post))
	if n := len(j.Remove); n > 0 {
		line("removed", fmt.Sprintf("%d of its parts", n))
	}
	if j.Trouble != nil {
		line("trouble", j.Trouble.Error())
	}
	return nil
}

func judgementJSON(t *trial, j posting.Judgement) any {
	var reason string
	if j.Reason != nil {
		reason = j.Reason.Error()
	}
	return struct {
		List     string `json:"list"`
		Verdict  string `json:"verdict"`
		Reason   string `json:"reason,omitempty"`
		Reply    string `json:"reply,omitempty"`
		Author   string `json:"author,omitempty"`
		Member   string `json:"member,omitempty"`
		Identity string `json:"identity"`
		Results  string `json:"results,omitempty"`
		Removed  int    `json:"removed"`
	}{
		j.List.Address.String(), string(j.Action), reason, replyOf(j), t.Author().String(), j.Author.Address.String(),
		j.Proof.String(), t.desk.Results(t.Post), len(j.Remove),
	}
}
