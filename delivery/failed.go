package delivery

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"superlistd/delivery/spool"
	"superlistd/message"
	"superlistd/templates"
)

const defaultTimeout = 90 * time.Second

func (d *Deliverer) timeout() time.Duration {
	if d.opts.Timeout > 0 {
		return d.opts.Timeout
	}
	return defaultTimeout
}

// log begins a line about something that went wrong here.
func (j *job) log() *zerolog.Event {
	return j.d.log.Error().Stringer("list", j.plan.List).Str("entry", j.plan.ID)
}

// failed ends an entry that cannot be delivered: it is kept, and the owners are told once.
func (j *job) failed(cause error) {
	s := j.entry.State()
	err := j.entry.Tried(cause.Error())
	if !s.Told && !j.plan.Notice && len(j.plan.Owners) > 0 {
		err = errors.Join(err, j.tell(s, cause))
	}
	j.remember()
	err = errors.Join(err, j.entry.Fail())
	if hook := j.d.opts.Failed; hook != nil && len(j.plan.Owners) > 0 { // letters have no owners
		hook(j.plan.List, j.plan.ID, j.plan.MessageID, cause)
	}
	j.log().Int("members", s.Accepted).Int("attempt", s.Attempts+1).AnErr("trouble", err).Err(cause).Msg("spooled post failed")
}

// tell puts a notice for the owners into the spool. Its name is made from that of the entry, so that one who was killed
// here and does it again makes no second one.
func (j *job) tell(s spool.State, cause error) error {
	sum := sha256.Sum256([]byte("failed " + j.plan.ID))
	id := hex.EncodeToString(sum[:16])
	told, err := j.d.opts.Spool.Has(id)
	if err != nil {
		return err
	}
	if !told {
		head, err := j.notice(s, cause)
		if err != nil {
			return err
		}
		e, err := j.d.opts.Spool.Prepare(spool.Plan{
			ID: id, List: j.plan.List, Client: j.plan.Client, Notice: true,
			Audience: spool.Audience{Fixed: j.plan.Owners},
		}, head, strings.NewReader(""), 0)
		if err != nil {
			return err
		}
		if err := e.Publish(); err != nil {
			return err
		}
		j.d.spooler.add(e)
	}
	return j.entry.Told()
}

func (j *job) notice(s spool.State, cause error) ([]byte, error) {
	text, err := j.d.opts.Texts.Text(templates.Failed, j.plan.Language, j.plan.List, templates.Facts{
		Entry: j.plan.ID, MessageID: j.plan.MessageID, Date: j.plan.Accepted,
		Delivered: s.Accepted, Total: max(j.plan.Audience.Members, len(j.plan.Audience.Fixed)), Error: cause.Error(),
	})
	if err != nil { // of a text of the site's own; a built-in one took its place
		j.log().Err(err).Msg("text not usable")
	}
	raw, err := message.Note{
		From: j.plan.ReversePath.String(), To: j.d.visible(j.plan.Owners),
		Subject: text.Subject, Text: text.Body,
		MessageID: fmt.Sprintf("%s.failed@%s", j.plan.ID, j.d.opts.Hostname),
		Date:      time.Now(),
	}.Bytes()
	if err != nil {
		return nil, err
	}
	// RFC 3834 section 5: no program shall answer this.
	raw = append([]byte("Auto-Submitted: auto-generated\r\n"), raw...)
	if j.d.opts.Sign == nil {
		return raw, nil
	}
	head := message.ParseHeader(raw).Len()
	return append(j.d.opts.Sign(j.plan.List.Domain, raw[:head], raw[head:]), raw...), nil
}

// visible writes mailboxes for a To field; <postmaster> needs no domain on the wire (RFC 5321 section 4.1.1.3), but there.
func (d *Deliverer) visible(mailboxes []string) string {
	out := make([]string, len(mailboxes))
	for i, m := range mailboxes {
		if out[i] = m; !strings.Contains(m, "@") {
			out[i] += "@" + d.opts.Hostname
		}
	}
	return strings.Join(out, ", ")
}
