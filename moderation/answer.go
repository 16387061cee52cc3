package moderation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"superlistd/letters"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/moderation/held"
	"superlistd/templates"
)

// Answer takes a mail to LIST-confirm with an extension that is Known: it reads what a moderator wants done with a held post,
// does it, and tells him. The body is what follows the header; from is the author of the mail, zero if there is none or more
// than one, and is told nothing then. Whoever has the address may decide: moderators pass a notice on. Programs are not
// listened to. On nil the decision is noted; that it could not be carried out yet is no error. ErrToken; else the mail may come again.
func (o *Office) Answer(ctx context.Context, l lists.List, extension string, h message.Header, body io.Reader, from lists.Address) error {
	f, err := o.lookup(l.Address, extension)
	if err != nil {
		return err
	}
	if letters.Unattended(h) {
		o.opts.Log(Event{What: "automatic answer ignored", List: l.Address, ID: f.ID, By: from.String()})
		return nil
	}
	text, err := letters.Text(h, body)
	if err != nil {
		return fmt.Errorf("answer about held post %s: %w", f.ID, err)
	}
	subject := letters.Subject(h)
	said, ok := letters.ReadDecision(subject, text)
	if !ok {
		o.opts.Log(Event{What: "answer not understood", List: l.Address, ID: f.ID, By: from.String()})
		facts := o.facts(l, f)
		facts.Text = subject + "\n" + strings.Join(own(text), "\n")
		o.reply(ctx, l, h, from, templates.BadCommand, facts)
		return nil
	}
	asked := held.Decision{Action: held.Action(said.Action), Ban: said.Ban, By: from.String(), Text: said.Text}
	f, err = o.decide(ctx, f.ID, asked)
	switch {
	case err == nil, errors.Is(err, held.ErrDecided):
	case errors.Is(err, ErrPending):
		o.log("decision not carried out yet", l.Address, f.ID, err)
	case errors.Is(err, held.ErrGone):
		return ErrToken
	default:
		return err
	}
	facts := o.facts(l, f)
	d := f.Decided
	facts.Decision, facts.Ban, facts.By, facts.At = string(d.Action), d.Ban, d.By, d.At
	if facts.Untold = d.Action == held.Reject && !proven(f); !facts.Untold {
		facts.Text = d.Text
	}
	// Who sends the same answer twice has decided himself.
	own := strings.EqualFold(d.By, asked.By)
	facts.Already = errors.Is(err, held.ErrDecided) && (!own || d.Action != asked.Action)
	facts.Yours = facts.Already && own
	o.reply(ctx, l, h, from, templates.Decided, facts)
	return nil
}

// own is the start of what was written and not understood.
func own(text string) []string {
	const most = 10
	var all []string
	for _, line := range letters.Lines(text) {
		if letters.Ends(line) || letters.Quoted(line) || len(all) == most {
			break
		}
		all = append(all, letters.Shorten(line))
	}
	return all
}

// reply tells whoever answered what became of it. A mail that fails is not worth an answer that is done twice.
func (o *Office) reply(ctx context.Context, l lists.List, h message.Header, to lists.Address, name templates.Name, facts templates.Facts) {
	if to.IsZero() {
		return
	}
	answer := o.answerAddress(l.Address, facts.ID)
	facts.Answer = answer.String()
	id := message.ID(h)
	m := letters.Letter{
		List: l, To: []string{to.String()}, Name: name, Language: o.opts.Letters.Language(ctx, l, to), Facts: facts, Answers: id,
		Key: keyOf(string(name), facts.ID, to.Key(), cmp.Or(id, o.opts.Now().String())),
	}
	if name == templates.BadCommand {
		// A program that does not say that it is one answers this too, mostly with the same words.
		m.ReplyTo, m.Key = answer, keyOf(string(name), facts.ID, to.Key(), facts.Text, o.opts.Now().UTC().Format(time.DateOnly))
	}
	o.log("answer not sent", l.Address, facts.ID, o.opts.Letters.Send(ctx, m))
}
