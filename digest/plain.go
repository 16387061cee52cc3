package digest

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"superlistd/message"
	"superlistd/templates"
)

// The lines by which programs take a digest apart (RFC 1153).
var (
	endOfPreamble = strings.Repeat("-", 70)
	endOfPost     = strings.Repeat("-", 30)
)

// plain compiles the issue as one text, as RFC 1153 has it.
func (i *issue) plain() ([]compiled, error) {
	entries, err := i.load()
	if err != nil {
		return nil, err
	}
	parts := i.split(entries, func(e *entry) int64 { return e.text })
	var all []compiled
	for n, some := range parts {
		c, err := i.plainPart(n+1, len(parts), some)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

func (i *issue) plainPart(part, parts int, entries []*entry) (compiled, error) {
	subject, intro, err := i.words(part, parts, entries)
	if err != nil {
		return compiled{}, err
	}
	text := message.NewSpool(i.d.opts.Data, memory, 0)
	defer text.Close()
	var c counter
	out := bufio.NewWriterSize(io.MultiWriter(text, &c), 32<<10)
	if err := i.writePlain(out, intro, entries); err != nil {
		return compiled{}, err
	}
	if err := out.Flush(); err != nil {
		return compiled{}, err
	}
	made := compiled{ids: idsOf(entries), body: i.spool()}
	if c.plain() {
		made.head = i.head(subject, "text/plain; charset=us-ascii", "7bit")
		lines := &crlf{w: bufio.NewWriterSize(made.body, 32<<10)}
		if _, err = io.Copy(lines, text.Reader(0)); err == nil {
			err = lines.w.Flush()
		}
	} else {
		made.head = i.head(subject, "text/plain; charset=utf-8", "quoted-printable")
		_, err = io.Copy(made.body, message.Quoting(text.Reader(0)))
	}
	return made, err
}

// writePlain writes the whole text, with "\n" at line ends.
func (i *issue) writePlain(out *bufio.Writer, intro string, entries []*entry) error {
	lines := newLines(out, 0)
	io.WriteString(lines, intro) // errors stay with out
	lines.flush()
	out.WriteString("\n" + endOfPreamble + "\n\n")
	for _, e := range entries {
		p, err := i.s.open(i.n, e.id)
		if err != nil {
			return err
		}
		h, err := message.ReadHeader(p)
		if err == nil || err == message.ErrHeader {
			err = i.write(out, p, h, i.mostText())
		}
		p.close()
		if err != nil {
			return err
		}
		out.WriteString("\n" + endOfPost + "\n\n")
	}
	if i.l.Settings.Footer != "" {
		lines := newLines(out, 0)
		io.WriteString(lines, i.l.Settings.Footer)
		lines.flush()
		out.WriteString("\n" + endOfPost + "\n\n")
	}
	last := fmt.Sprintf("End of %s Digest, Vol %d, Issue %d", message.ListName(i.l), i.b.Volume, i.b.Issue)
	_, err := out.WriteString(last + "\n" + strings.Repeat("*", utf8.RuneCountInString(last)) + "\n")
	return err
}

// fields are those that RFC 1153 keeps, in its order.
func fields() []string {
	return []string{"Date", "From", "To", "Cc", "Subject", "Message-ID", "Keywords"}
}

// write writes a post as text with "\n" at line ends, which w is given in small pieces: what readers want of its header, what there is of
// text in it, and the names of its files. Of the text no more than limit octets are written, unless that is 0.
func (i *issue) write(w io.Writer, p *piece, h message.Header, limit int64) error {
	out := bufio.NewWriterSize(w, 16<<10)
	empty := true
	for _, name := range fields() {
		if all := message.Texts(h, name); len(all) > 0 {
			empty = false
			out.WriteString(name + ": " + short(strings.Join(all, ", "), limit) + "\n")
		}
	}
	body, err := message.Inspect(p)
	if err == message.ErrHeader {
		return out.Flush()
	}
	if err != nil {
		return err
	}
	all, err := body.Readings()
	if err != nil {
		return err
	}
	lines := newLines(out, 1)
	left, files := limit, ""
	for _, r := range all {
		if r.Text == nil {
			if limit == 0 || int64(len(files)) < limit {
				files += i.file(r) + "\n"
			}
			continue
		}
		in := r.Text
		if limit > 0 {
			in = io.LimitReader(in, left)
		}
		n, err := io.Copy(lines, in)
		if err != nil {
			return err
		}
		if lines.apart(); limit > 0 && left > 0 {
			if left -= n; left == 0 {
				io.WriteString(lines, "[…]")
				lines.apart()
			}
		}
	}
	if lines.flush(); files != "" {
		out.WriteString("\n" + files)
	} else if empty && !lines.begun {
		out.WriteByte('\n') // a line that stands for it
	}
	return out.Flush()
}

// short cuts a field of a post that must not be too large.
func short(s string, limit int64) string {
	if most := limit / 16; limit > 0 && int64(len(s)) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// file names a file of a post.
func (i *issue) file(r message.Reading) string {
	text, err := i.d.opts.Texts.Text(templates.Attached, i.l.Settings.Language, i.l.Address, templates.Facts{
		PartType: r.Part.Type, PartName: r.Part.Filename, PostSubject: r.Subject, Size: r.Part.Size,
	})
	if err != nil {
		i.d.opts.Log(Event{List: i.l.Address, What: "text of our own used", Err: err})
	}
	return text.Body
}
