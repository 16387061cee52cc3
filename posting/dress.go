package posting

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"superlistd/identity"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/templates"
)

// Copy is what the members of a list get.
type Copy struct {
	// Head is the header with its empty line, signed if there is a key. Of a wrapped post it goes on with the header
	// inside; see message.Dressed.
	Head []byte
	// Body begins at BodyOffset of Content.
	Content    message.Content
	BodyOffset int64
	// EightBit and UTF8 are what the copy needs of the next hop.
	EightBit, UTF8 bool
	// Edits tell what was changed in the header.
	Edits []message.Edit
	// Note is what AppendOwn must know of a copy that is personal.
	Note string
}

// Dress makes the copy of a post for the list that judged it. Errors are of reading the content and of signing.
func (d *Desk) Dress(ctx context.Context, p *Post, j Judgement) (Copy, error) {
	return d.dress(ctx, p, j, false)
}

// DressPersonal makes what the personal copies of a post have in common; AppendOwn adds what each member's has of its own.
func (d *Desk) DressPersonal(ctx context.Context, p *Post, j Judgement) (Copy, error) {
	return d.dress(ctx, p, j, true)
}

func (d *Desk) dress(ctx context.Context, p *Post, j Judgement, personal bool) (Copy, error) {
	l := j.List
	c, head, err := d.body(p, j)
	if err != nil {
		return Copy{}, err
	}
	dressing := d.dressing(p, j, c)
	dressing.Rewrite, dressing.Personal = d.rewrites(ctx, p, l), personal
	dressed := message.Dress(head, l, Trace(p.Envelope, d.opts.Hostname, l.Address), dressing)
	c.Head, c.Edits = dressed.Head, dressed.Edits
	c.UTF8 = c.UTF8 || dressed.UTF8
	if personal {
		hash, err := hashBody(c.Head, dressed.Outer, c.Content, c.BodyOffset)
		if err != nil {
			return Copy{}, fmt.Errorf("dress for %s: %w", l.Address, err)
		}
		c.Note = note(dressed.Outer, hash)
		return c, nil
	}
	fields, err := d.signatures(l.Address.Domain, c.Head, dressed.Outer, c.Content, c.BodyOffset)
	if err != nil {
		return Copy{}, fmt.Errorf("dress for %s: %w", l.Address, err)
	}
	c.Head = append(fields, c.Head...)
	return c, nil
}

// decorates tells whether anything of the body may change.
func decorates(j Judgement) bool {
	s := j.List.Settings
	return s.Header != "" || s.Footer != "" || s.HTML == lists.HTMLText || len(j.Remove) > 0
}

func (d *Desk) decorate(p *Post, j Judgement) (message.Rewritten, error) {
	body, err := p.inspected()
	if err != nil {
		return message.Rewritten{}, err
	}
	s := j.List.Settings
	return body.Decorate(message.Decoration{
		Header: s.Header, Footer: s.Footer, Remove: j.Remove, HTML: s.HTML,
		Removed: func(part lists.PartFact) string { return d.removed(j.List, part) },
	})
}

// removed is the note in the place of a part. A site's own text that cannot be used gives way to the built-in one.
func (d *Desk) removed(l lists.List, part lists.PartFact) string {
	facts := templates.Facts{PartType: part.Type, PartName: part.Filename, Size: part.Size}
	text, err := d.opts.Texts.Text(templates.Removed, l.Settings.Language, l.Address, facts)
	if err != nil {
		d.opts.Report(err)
	}
	return text.Body
}

// rewrites tells whether the policy of the author's domain makes receivers refuse his posts when they come from us. A domain whose
// policy could not be learned gets the benefit of the doubt the other way: a From that was rewritten without need
// harms nobody, and one that was not costs the post at every receiver.
func (d *Desk) rewrites(ctx context.Context, p *Post, l lists.List) bool {
	if l.Settings.From != lists.FromDMARC || d.opts.Identity == nil || p.Author().IsZero() {
		return false
	}
	switch d.opts.Identity.Policy(ctx, p.Author().Domain) {
	case identity.PolicyNone:
		return false
	}
	return true
}

// signatures are the DKIM-Signature fields (RFC 6376) of a domain for a mail, nothing if there is no key for it. outer is where the
// header ends in head; what follows belongs to the body. One call serves all members.
func (d *Desk) signatures(domain string, head []byte, outer int, body message.Content, offset int64) ([]byte, error) {
	signer := d.signer(domain)
	if signer == nil {
		return nil, nil
	}
	hash, err := hashBody(head, outer, body, offset)
	if err != nil {
		return nil, err
	}
	return signer.Sign(head[:outer], hash)
}

// Note is what AppendOwn must know of a mail of ours whose copies are personal.
func (d *Desk) Note(head []byte, body message.Content) (string, error) {
	hash, err := hashBody(head, len(head), body, 0)
	return note(len(head), hash), err
}

// hashBody hashes what is body to signatures.
func hashBody(head []byte, outer int, body message.Content, offset int64) (identity.BodyHash, error) {
	return identity.HashBody(io.MultiReader(bytes.NewReader(head[outer:]), body.Reader(offset)))
}

// SignNote returns the signatures for a mail of ours, to be put on top of its header; nothing if there is no key for the domain.
func (d *Desk) SignNote(domain string, head []byte, body message.Content) ([]byte, error) {
	return d.signatures(domain, head, len(head), body, 0)
}
