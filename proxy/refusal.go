package proxy

import (
	"superlistd/lists"
	"superlistd/wire"
)

// refusal is a verdict as an error: the reason decides the reply's code, and the text is what people read.
type refusal struct {
	reason error
	text   string
}

func (r *refusal) Error() string { return r.reason.Error() }
func (r *refusal) Unwrap() error { return r.reason }

// refused is why a list refuses a post, nil when it does not.
func refused(v lists.Verdict) error {
	if v.Action == lists.Refuse {
		return &refusal{v.Reason, v.Text}
	}
	return nil
}

// refusals returns the replies when nothing is to be sent: at the SMTP door, which has one reply for all, as
// soon as one recipient is refused; at the LMTP door when all are.
func (s *session) refusals(verdicts []verdict) []wire.Reply {
	refused := 0
	var first error
	for i, v := range verdicts {
		if v.err == nil {
			continue
		}
		refused++
		if first == nil {
			first = v.err
		}
		s.logRefused(s.tx, s.tx.rcpts[i].address.String(), v.err)
	}
	switch {
	case refused == 0:
		return nil
	case s.door == SMTP:
		return s.tx.all(replyTo(first))
	case refused < len(verdicts):
		return nil
	}
	out := make([]wire.Reply, len(verdicts))
	for i, v := range verdicts {
		out[i] = replyTo(v.err)
	}
	return out
}

// ReplyOf is the reply to the content of a post, when the verdict is not to accept it: then it is the next hop's.
func ReplyOf(v lists.Verdict) wire.Reply {
	switch {
	case v.Action == lists.Refuse:
		return replyTo(refused(v))
	case v.Action == lists.Hold:
		return heldReply(v)
	}
	return text(250, "2.0.0", "Ok")
}

// heldReply tells the sender of a post that waits.
func heldReply(v lists.Verdict) wire.Reply {
	if v.Text == "" {
		v.Text = "Held for the moderators"
	}
	return text(250, "2.0.0", v.Text)
}
