package moderation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"

	"superlistd/delivery"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/templates"
	"superlistd/wire"
)

// letter is a mail of ours.
type letter struct {
	list  lists.List
	to    []string // mailboxes
	name  templates.Name
	lang  string
	facts templates.Facts

	replyTo  lists.Address
	answers  string // Message-ID of the mail that it answers, without angle brackets
	attached []attachment
	key      delivery.Key
}

// send composes a mail and hands it over. On nil it is the next hop's or the spool's.
func (o *Office) send(ctx context.Context, l letter) error {
	route, err := o.compose(l)
	if err == nil {
		_, err = o.opts.Deliver(ctx, delivery.Job{
			Client: wire.ClientInfo{Source: "LOCAL"}, Routes: []delivery.Route{route}, Gone: stays,
		})
	}
	if err != nil {
		return fmt.Errorf("%s to %s: %w", l.name, strings.Join(l.to, ", "), err)
	}
	return nil
}

// stays is for mail whose sender cannot hang up.
func stays() bool { return false }

// Tell sends one of the texts to somebody, from the owners of a list: to an author about his post, say, whose Message-ID is
// facts.MessageID. The same words in what are the same mail, and not sent twice.
func (o *Office) Tell(ctx context.Context, l lists.List, to lists.Address, name templates.Name, facts templates.Facts, what ...string) error {
	return o.send(ctx, letter{
		list: l, to: []string{to.String()}, name: name, lang: o.language(ctx, l, to), facts: facts, answers: facts.MessageID,
		key: keyOf(append([]string{string(name), l.Address.Key(), to.Key()}, what...)...),
	})
}

// language is that of a member, or the list's.
func (o *Office) language(ctx context.Context, l lists.List, who lists.Address) string {
	if m, found, err := o.opts.Store.Member(ctx, l.Address, who); err == nil && found && m.Language != "" {
		return m.Language
	}
	return l.Settings.Language
}

// compose makes the route of a mail. It has the null reverse-path: nobody answers to what nobody wrote.
func (o *Office) compose(l letter) (delivery.Route, error) {
	text, err := o.opts.Texts.Text(l.name, l.lang, l.list.Address, l.facts)
	if text.Body == "" {
		return delivery.Route{}, errors.Join(errors.New("there is no text for it"), err)
	}
	o.log("text of our own used", l.list.Address, l.facts.ID, err)
	id := fmt.Sprintf("%s.%s@%s", l.name, l.key.ID(), o.opts.Hostname)
	raw, err := message.Note{
		From: l.list.Owner().String(), To: o.visible(l), Subject: text.Subject, Text: text.Body, MessageID: id, Date: o.opts.Now(),
	}.Bytes()
	if err != nil {
		return delivery.Route{}, err
	}
	head := message.ParseHeader(raw)
	body := content{message.Octets(raw[head.Len():])}
	// RFC 3834 section 5: no program shall answer this, and section 3.1.7 tells the two kinds apart.
	automatic := "auto-generated"
	if answers := word(l.answers); answers != "" {
		automatic = "auto-replied"
		head.Append("In-Reply-To", "<"+answers+">")
		head.Append("References", "<"+answers+">")
	}
	head.Append("Auto-Submitted", automatic)
	head.Append("Precedence", "bulk")
	if !l.replyTo.IsZero() {
		head.Append("Reply-To", l.replyTo.String())
	}
	r := delivery.Route{
		List: l.list.Address, Body: body, MessageID: "<" + id + ">", Key: l.key, Audience: delivery.Audience{Fixed: l.to},
	}
	if len(l.attached) > 0 {
		r.Body = attach(&head, body, l.attached)
		for _, a := range l.attached {
			r.EightBit, r.UTF8 = r.EightBit || a.eightBit, r.UTF8 || a.utf8
		}
	}
	r.Head = head.Bytes()
	if o.opts.Sign != nil {
		r.Head = append(o.opts.Sign(l.list.Address.Domain, r.Head, r.Body), r.Head...)
	}
	r.UTF8 = r.UTF8 || !ascii(r.Head)
	for _, to := range l.to {
		r.AnyUTF8 = r.AnyUTF8 || !ascii([]byte(to))
	}
	return r, nil
}

// maxVisible is how many readers a To field names.
const maxVisible = 20

// visible is the To field: those readers whom a header can name, or the owners' address.
func (o *Office) visible(l letter) string {
	var all []string
	for _, to := range l.to {
		if !strings.Contains(to, "@") { // postmaster, who has a domain on the wire only when he wants (RFC 5321 section 4.1.1.3)
			to += "@" + o.opts.Hostname
		}
		if _, err := mail.ParseAddressList(to); err == nil {
			all = append(all, to)
		}
	}
	if len(all) == 0 || len(all) > maxVisible {
		return l.list.Owner().String()
	}
	return strings.Join(all, ", ")
}

// word is a Message-ID that can stand between angle brackets, or "".
func word(id string) string {
	id = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(id), "<"), ">")
	const most = 250
	if len(id) > most || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '<' || r == '>' }) {
		return ""
	}
	return id
}

func ascii(b []byte) bool {
	return !bytes.ContainsFunc(b, func(r rune) bool { return r >= 0x80 })
}

// readers are mailboxes of people, or the site's postmaster when there are none (RFC 2142 section 6).
func readers(people []lists.Address) []string {
	if len(people) == 0 {
		return []string{"postmaster"}
	}
	all := make([]string, len(people))
	for i, p := range people {
		all[i] = p.String()
	}
	return all
}
