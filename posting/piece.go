package posting

import (
	"fmt"

	"superlistd/message"
)

// Piece makes the copy of a post that goes into a digest: what readers of one need of the header, and the body as the list lets it pass,
// without the list's own words above and below, which the digest has once.
func (d *Desk) Piece(p *Post, j Judgement) (Copy, error) {
	j.List.Settings.Header, j.List.Settings.Footer = "", ""
	c, head, err := d.body(p, j)
	if err != nil {
		return Copy{}, err
	}
	var utf8 bool
	c.Head, utf8 = message.DigestHead(head, j.List, Trace(p.Envelope, d.opts.Hostname, j.List.Address), d.dressing(p, j, c))
	c.UTF8 = c.UTF8 || utf8
	return c, nil
}

// body makes the body of the copies; the header is that of the post with what the body needs.
func (d *Desk) body(p *Post, j Judgement) (Copy, message.Header, error) {
	c := Copy{Content: p.Content, BodyOffset: p.BodyOffset, EightBit: p.EightBit, UTF8: p.UTF8}
	if !decorates(j) {
		return c, p.Head, nil
	}
	r, err := d.decorate(p, j)
	if err != nil {
		return Copy{}, message.Header{}, fmt.Errorf("dress for %s: %w", j.List.Address, err)
	}
	c.Content, c.BodyOffset, c.EightBit = r.Body, r.BodyOffset, c.EightBit || r.EightBit
	return c, r.Header, nil
}

// dressing is what Dress is told of a post with the body of c.
func (d *Desk) dressing(p *Post, j Judgement, c Copy) message.Dressing {
	return message.Dressing{
		Author: p.Author(), AuthorName: j.Author.Name, EightBit: c.EightBit,
		Results: d.Results(p), Key: d.opts.Key, Unsubscribe: d.opts.Unsubscribe(j.List.Address),
	}
}
