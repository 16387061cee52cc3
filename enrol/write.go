package enrol

import (
	"context"
	"errors"
	"fmt"
	"time"

	"superlistd/delivery"
	"superlistd/letters"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/templates"
)

// facts are those of a letter about somebody.
func (d *Desk) facts(l lists.List, who lists.Address) templates.Facts {
	return templates.Facts{
		Member: who.String(), Description: l.Settings.Description, Policy: string(l.Settings.Subscribe),
	}
}

// reply is what a letter of the desk usually is: the answer to a mail, whose answer goes to LIST-request.
func (d *Desk) reply(ctx context.Context, q inquiry, to lists.Address, name templates.Name, facts templates.Facts) letters.Letter {
	return letters.Letter{
		List: q.list, To: []string{to.String()}, Name: name, Language: d.opts.Letters.Language(ctx, q.list, to), Facts: facts,
		ReplyTo: q.list.Request(), Answers: message.ID(q.mail.Head), Key: letters.Key("enrol", string(name), to.Key(), q.key),
	}
}

// answer writes to whoever sent a mail, if he may still be written to. Who is not proven hears the same once a day, as somebody else who is
// asked to confirm: so the replies to a stranger do not tell him who is a member. Nor does he get words into a letter to others.
func (d *Desk) answer(ctx context.Context, q inquiry, name templates.Name, facts templates.Facts) error {
	if q.out != nil {
		if !q.proven() {
			facts.Text = ""
		}
		q.out.add(letters.Part{Name: name, Facts: facts})
		return nil
	}
	if !q.proven() {
		day := d.opts.Now().UTC().Format(time.DateOnly)
		q.key = digest("answer", string(name), q.list.Address.Key(), q.mail.Author.Key(), day, facts.Text, fmt.Sprint(facts.Undone))
		facts.Text = ""
	}
	if err := d.allow(ctx, q, q.mail.Author, q.key); err != nil {
		return err
	}
	return d.send(ctx, d.reply(ctx, q, q.mail.Author, name, facts))
}

// send hands a letter over. That the next hop refuses all its readers is the end of it.
func (d *Desk) send(ctx context.Context, l letters.Letter) error {
	err := d.opts.Letters.Send(ctx, l)
	if errors.Is(err, delivery.ErrAllRefused) {
		d.log("letter refused by the next hop", l.List, lists.Address{}, err)
		return nil
	}
	return err
}

// toOwners is a letter to the owners of a list, about a request.
func (d *Desk) toOwners(l lists.List, name templates.Name, r request, facts templates.Facts) letters.Letter {
	return letters.Letter{
		List: l, To: letters.Mailboxes(l.Settings.Owners), Name: name, Language: l.Settings.Language, Facts: facts,
		ReplyTo: l.Owner(), Key: once(name, r),
	}
}

// toMember is a letter about a request to whom it is about.
func (d *Desk) toMember(ctx context.Context, l lists.List, name templates.Name, r request, facts templates.Facts) letters.Letter {
	return letters.Letter{
		List: l, To: []string{r.Who.String()}, Name: name, Language: d.opts.Letters.Language(ctx, l, r.Who), Facts: facts,
		ReplyTo: l.Request(), Key: once(name, r),
	}
}

// once is the key of a letter about a request.
func once(name templates.Name, r request, more ...string) delivery.Key {
	return letters.Key("enrol", append([]string{string(name), r.id, r.Nonce}, more...)...)
}
