package enrol

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"superlistd/letters"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/templates"
)

// parts are what one letter tells of several commands, in their order.
type parts []letters.Part

// add adds what is not there already. All that was not understood goes into one help.
func (p *parts) add(more ...letters.Part) {
	for _, m := range more {
		help := slices.IndexFunc(*p, func(o letters.Part) bool {
			return m.Name == templates.Help && o.Name == m.Name && o.Facts.Wrong == m.Facts.Wrong
		})
		switch {
		case slices.ContainsFunc(*p, func(o letters.Part) bool { return reflect.DeepEqual(o, m) }):
		case help < 0:
			*p = append(*p, m)
		case (*p)[help].Facts.Text == "":
			(*p)[help].Facts.Text = m.Facts.Text
		case m.Facts.Text != "":
			(*p)[help].Facts.Text += "\n" + m.Facts.Text
		}
	}
}

// take is a teller.
func (p *parts) take(_ context.Context, l letters.Letter) error {
	p.add(letters.Part{Name: l.Name, Facts: l.Facts})
	return nil
}

// teller is where a letter goes that answers a mail.
type teller func(ctx context.Context, l letters.Letter) error

// unheard is for who has had too many letters already.
func unheard(context.Context, letters.Letter) error { return nil }

// tellerOf is where the letters go that answer a mail: out, or into the one letter that answers all its commands.
func (d *Desk) tellerOf(q inquiry) teller {
	if q.out != nil {
		return q.out.take
	}
	return d.send
}

// mayHear is tellerOf for what is done in any case: nobody is kept because he has had too many letters.
func (d *Desk) mayHear(ctx context.Context, q inquiry, who lists.Address, name string) (teller, error) {
	if q.out != nil { // counted with the others
		return q.out.take, nil
	}
	err := d.allow(ctx, q, who, name)
	if errors.Is(err, ErrTooMany) {
		return unheard, nil
	}
	return d.send, err
}

// addressee is who reads a letter that tells several things, and in which language.
type addressee struct {
	who      lists.Address
	language string
}

// addresseeOf is the member who has an address, as long as he is one.
func (d *Desk) addresseeOf(ctx context.Context, l lists.List, who lists.Address) (to addressee, member bool, err error) {
	to = addressee{who, l.Settings.Language}
	m, member, err := d.opts.Store.Member(ctx, l.Address, who)
	if member {
		to.who = m.Address
		if m.Language != "" {
			to.language = m.Language
		}
	}
	return to, member, err
}

// tellAll sends what is told because of one mail, if it is anything. For who is not proven it is as in answer.
func (d *Desk) tellAll(ctx context.Context, q inquiry, to addressee, all parts) error {
	if len(all) == 0 {
		return nil
	}
	l := letters.Letter{
		List: q.list, To: []string{to.who.String()}, Name: templates.Answers, Language: to.language, Facts: d.facts(q.list, q.mail.Author),
		Parts: all, ReplyTo: q.list.Request(), Answers: message.ID(q.mail.Head),
	}
	if len(all) == 1 {
		l.Name, l.Facts, l.Parts = all[0].Name, all[0].Facts, nil
	}
	l.Facts.Undone = q.report.tell()
	if !q.proven() {
		day := d.opts.Now().UTC().Format(time.DateOnly)
		q.key = digest("answers", q.list.Address.Key(), q.mail.Author.Key(), day, fmt.Sprint(all, l.Facts.Undone))
	}
	if err := d.allow(ctx, q, q.mail.Author, q.key); err != nil {
		return err
	}
	l.Key = letters.Key("enrol", "answers", to.who.Key(), q.key)
	return d.send(ctx, l)
}
