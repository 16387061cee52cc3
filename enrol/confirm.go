package enrol

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"superlistd/letters"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/templates"
)

// ask writes to whom a request is about: only when he answers, it is done. For a request that is open already nothing is written
// again on the same day, unless it is proven that he asks for it.
func (d *Desk) ask(ctx context.Context, q inquiry, r request, name templates.Name) error {
	old, found, err := d.load(d.idOf(r))
	if err != nil {
		return err
	}
	var again []string // what makes the letter another one
	switch day := int(d.opts.Now().Sub(old.At) / (24 * time.Hour)); {
	case found && old.Mail == q.key && (old.done || old.sent): // its sender lost our reply
		q.report.tell() // it was
		return nil
	case !found || old.done || !old.same(r) || !old.confirmed && !old.sent: // the first time, as far as the reader can tell
	case old.confirmed: // and could not be carried out
		return d.goOn(ctx, q.list, old, d.tellerOf(q))
	case q.proven():
		again = []string{q.key}
	case day > 0:
		again = []string{fmt.Sprint("day ", day)}
	default:
		d.log("request is open already", q.list, r.Who, nil)
		return nil
	}
	r.Counted = q.counted(old, found)
	if err := d.allow(ctx, q, r.Who, r.Counted); err != nil {
		return err
	}
	if r, err = d.open(ctx, r); err != nil {
		return err
	}
	m := d.confirmation(ctx, q, r, name)
	m.Key = once(name, r, again...)
	if err := d.send(ctx, m); err != nil {
		return err
	}
	d.log("confirmation sent", q.list, r.Who, nil)
	return d.set(r, markSent)
}

// confirmation is the letter by which somebody confirms a request.
func (d *Desk) confirmation(ctx context.Context, q inquiry, r request, name templates.Name) letters.Letter {
	var m lists.Member
	if r.Action == changing { // when he cannot be found, only what he asked for is told
		m, _, _ = d.opts.Store.Member(ctx, q.list.Address, r.Who)
	}
	if apply(&m, r.Options) != nil {
		m = lists.Member{}
	}
	m.Address = r.Who
	facts := d.options(q.list, m)
	if r.Action == ordering {
		facts.Orders, facts.Text, facts.Owns = r.listed(), q.left, len(r.Orders) > 0 || looks(r)
	}
	facts.Undone = q.report.tell()
	answer := d.keyed(r, confirmLetter)
	facts.Answer, facts.Token, facts.Days = answer.String(), d.extension(r, confirmLetter), int(confirmFor.Hours()/24)
	l := d.toMember(ctx, q.list, name, r, facts)
	l.ReplyTo = answer
	if q.mail.Author.Key() == r.Who.Key() {
		l.Answers = message.ID(q.mail.Head)
	}
	return l
}

// Confirm takes a mail to LIST-confirm with an extension that is Known: who a request is about confirms it by it, or an owner
// decides. It does not matter from where it comes: whoever has the address was written to. Programs are not listened to.
// ErrToken; with other errors the mail may come again, and nothing is done or written twice.
func (d *Desk) Confirm(ctx context.Context, l lists.List, extension string, m Mail) error {
	r, letter, err := d.lookup(l.Address, extension)
	if err != nil {
		return err
	}
	if d.former(l, r) {
		return ErrToken
	}
	if m.Automatic || letters.Unattended(m.Head) {
		d.log("automatic answer ignored", l, r.Who, nil)
		return nil
	}
	text, err := letters.Text(m.Head, m.Body)
	if err != nil {
		return fmt.Errorf("answer about a request to %s: %w", l.Address, err)
	}
	q := inquiry{list: l, mail: m, key: mailKey(l, m)}
	if letter == approveLetter {
		return d.decide(ctx, q, r, text)
	}
	if !r.confirmed && !r.done && refuses(text) {
		d.log("request withdrawn", l, r.Who, nil)
		return d.finish(ctx, r)
	}
	return d.confirmed(ctx, l, r, d.send)
}

// former tells a request to an earlier list of the same name, whose owners may have been others. A list that is of the future was made when
// the clock was wrong.
func (d *Desk) former(l lists.List, r request) bool {
	return r.At.Before(l.Created.Truncate(time.Second)) && !l.Created.After(d.opts.Now())
}

// confirmByCommand is for who writes the token to LIST-request. What he confirms is told in letters of its own, as when he answers.
func (d *Desk) confirmByCommand(ctx context.Context, q inquiry, extension string) error {
	r, letter, err := d.lookup(q.list.Address, extension)
	if err != nil && !errors.Is(err, ErrToken) {
		return err
	}
	if err != nil || letter != confirmLetter || d.former(q.list, r) {
		return d.run(ctx, q, command{verb: verbHelp, unknown: "confirm " + extension})
	}
	return d.confirmed(ctx, q.list, r, d.send)
}

// refuses tells an answer of somebody who does not want what he is asked to confirm: he will not be made to by it.
func refuses(text string) bool {
	// Some mailers do not quote what is answered: what we ask, and with which words, is not looked at.
	const most = 2
	n := 0
	for _, line := range letters.Lines(text) {
		if letters.Ends(line) || n == most {
			break
		}
		if strings.TrimSpace(line) == "" || letters.Quoted(line) {
			continue
		}
		n++
		for _, w := range strings.Fields(strings.ReplaceAll(line, "’", "'")) {
			switch letters.Bare(w) {
			case "no", "not", "never", "don't", "didn't", "stop", "cancel", "spam", "non", "pas", "jamais", "annuler",
				"nein", "nicht", "nie", "kein", "keine", "keinen", "abbrechen":
				return true
			}
		}
	}
	return false
}

// decide takes the answer of an owner about somebody who wants to be a member. The first one counts.
func (d *Desk) decide(ctx context.Context, q inquiry, r request, text string) error {
	l, by := q.list, q.mail.Author
	if q.mail.Proof == lists.Contradicted { // whoever has the address may decide, but not in the name of another owner
		by = lists.Address{}
	}
	said, ok := letters.ReadDecision(letters.Subject(q.mail.Head), text)
	if !ok && r.decided == nil {
		return d.notUnderstood(ctx, q, r, text)
	}
	if r.decided == nil {
		_, err := d.files.write(r.mark(markDecided), decision{said.Action, said.Ban, by, said.Text, d.opts.Now().UTC()})
		if err != nil {
			return fmt.Errorf("request %s: %w", r.id, err)
		}
		if r, _, err = d.load(r.id); err != nil {
			return err
		}
	}
	if r.decided == nil {
		return ErrToken // somebody's new request came between
	}
	if err := d.goOn(ctx, l, r, d.send); err != nil {
		return err
	}
	if by.IsZero() {
		return nil
	}
	facts := d.aboutRequest(l, r)
	facts.Decision, facts.Ban, facts.By, facts.At = string(r.decided.Action), r.decided.Ban, r.decided.By.String(), r.decided.At
	facts.Text = r.decided.Text
	own := r.decided.By.Key() == by.Key()
	facts.Already = !own || ok && said.Action != r.decided.Action
	facts.Yours = facts.Already && own
	if more, err := d.room(ctx, q); !more {
		return err
	}
	return d.send(ctx, d.reply(ctx, q, by, templates.Settled, facts))
}

// room tells whether whoever has answered about a request gets another letter: a program that answers each of ours ends here.
func (d *Desk) room(ctx context.Context, q inquiry) (more bool, err error) {
	err = d.allow(ctx, q, q.mail.Author, q.key)
	if errors.Is(err, ErrTooMany) {
		d.log("answer not answered", q.list, q.mail.Author, err)
		return false, nil
	}
	return err == nil, err
}

// notUnderstood asks an owner again, with what he wrote.
func (d *Desk) notUnderstood(ctx context.Context, q inquiry, r request, text string) error {
	by := q.mail.Author
	d.opts.Log(Event{What: "answer not understood", List: q.list.Address, Who: r.Who, By: by})
	if by.IsZero() || q.mail.Proof == lists.Contradicted {
		return nil
	}
	if more, err := d.room(ctx, q); !more {
		return err
	}
	own := letters.Lines(text)
	if end := slices.IndexFunc(own, func(line string) bool { return letters.Ends(line) || letters.Quoted(line) }); end >= 0 {
		own = own[:end]
	}
	m := d.question(q.list, r)
	m.Facts.Text = letters.Shorten(strings.TrimSpace(letters.Subject(q.mail.Head) + "\n" + strings.Join(own[:min(len(own), maxCommands)], "\n")))
	m.To, m.Answers, m.Key = []string{by.String()}, message.ID(q.mail.Head), once(m.Name, r, q.key)
	return d.send(ctx, m)
}
