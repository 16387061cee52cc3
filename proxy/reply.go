package proxy

import (
	"context"
	"errors"
	"fmt"

	"github.com/emersion/go-smtp"

	"superlistd/bouncing"
	"superlistd/delivery"
	"superlistd/delivery/spool"
	"superlistd/enrol"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/moderation"
	"superlistd/smtpclient"
	"superlistd/wire"
)

// Faults of a session itself, as the inner packages have theirs.
var (
	errService   = errors.New("the service address takes no such mail")
	errPath      = errors.New("bad address")
	errTooMany   = errors.New("too many recipients")
	errOversize  = errors.New("message too large")
	errStopping  = errors.New("stopping")
	errRelayLost = fmt.Errorf("the transaction with accepted recipients: %w", smtpclient.ErrLost)
	errTooSlow   = errors.New("the transaction ran out of its budget")
	errSlowInput = errors.New("the client sends too slowly")
	errUnasked   = errors.New("content that nobody asked for")
)

// A reply is what a cause looks like on the wire.
type reply struct {
	is error
	as smtp.SMTPError
}

func answer(code int, enhanced smtp.EnhancedCode, text string) smtp.SMTPError {
	return smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: text}
}

// replies is the one place that knows which SMTP reply a cause gets. The first entry
// that errors.Is finds in the cause wins; what nobody foresaw is the last line's.
func replies() []reply {
	return []reply{
		{lists.ErrNoList, answer(550, smtp.EnhancedCode{5, 1, 1}, "No such mailing list or address")},
		{errService, answer(550, smtp.EnhancedCode{5, 1, 1}, "No such mailing list or address")},
		{moderation.ErrToken, answer(550, smtp.EnhancedCode{5, 1, 1}, "This address is not valid, or not any more")},
		{enrol.ErrToken, answer(550, smtp.EnhancedCode{5, 1, 1}, "This address is not valid, or not any more")},
		{bouncing.ErrForged, answer(550, smtp.EnhancedCode{5, 1, 1}, "Nothing of ours comes back to this address")},
		{enrol.ErrTooMany, answer(450, smtp.EnhancedCode{4, 7, 1}, "Too many requests for now, try again later")},
		{lists.ErrAddress, answer(501, smtp.EnhancedCode{5, 1, 3}, "Bad address syntax")},
		{errPath, answer(501, smtp.EnhancedCode{5, 1, 3}, "Bad address syntax")},
		{lists.ErrNotMember, answer(550, smtp.EnhancedCode{5, 7, 2}, "Only members may post to this list")},
		{lists.ErrClosed, answer(550, smtp.EnhancedCode{5, 7, 2}, "This list takes no posts")},
		{lists.ErrNoAuthor, answer(550, smtp.EnhancedCode{5, 6, 0}, "A post needs one From address")},
		{lists.ErrAutomatic, answer(550, smtp.EnhancedCode{5, 7, 2}, "This list takes no automatic mail")},
		{lists.ErrTooManyNamed, answer(550, smtp.EnhancedCode{5, 7, 2}, "Too many addresses in To and Cc for this list")},
		{lists.ErrBanned, answer(550, smtp.EnhancedCode{5, 7, 2}, "You may not post to this list")},
		{lists.ErrNotPoster, answer(550, smtp.EnhancedCode{5, 7, 2}, "You may not post to this list")},
		{lists.ErrForged, answer(550, smtp.EnhancedCode{5, 7, 1}, "The policy of your domain says that this is not from you")},
		{lists.ErrUnproven, answer(550, smtp.EnhancedCode{5, 7, 1}, "Nothing proves that this is from you")},
		{lists.ErrNotNamed, answer(550, smtp.EnhancedCode{5, 7, 2}, "To or Cc must name the list")},
		{lists.ErrCommand, answer(550, smtp.EnhancedCode{5, 6, 0}, "This is a command, not a post")},
		{lists.ErrHeaderRule, answer(550, smtp.EnhancedCode{5, 6, 0}, "This list does not take this content")},
		{lists.ErrContent, answer(550, smtp.EnhancedCode{5, 6, 0}, "This list does not take this content")},
		{lists.ErrTooOften, answer(550, smtp.EnhancedCode{5, 7, 2}, "Too many posts in an hour")},
		{lists.ErrEmergency, answer(550, smtp.EnhancedCode{5, 7, 2}, "This list takes no posts for now")},
		{lists.ErrModerated, answer(550, smtp.EnhancedCode{5, 7, 2}, "Posts to this list need a moderator")},
		{lists.ErrTooBig, answer(552, smtp.EnhancedCode{5, 3, 4}, "Message too large for this list")},
		{message.ErrTooBig, answer(552, smtp.EnhancedCode{5, 3, 4}, "Message too large")},
		{errOversize, answer(552, smtp.EnhancedCode{5, 3, 4}, "Message too large")},
		{smtpclient.ErrSize, answer(552, smtp.EnhancedCode{5, 3, 4}, "Message too large")},
		{smtpclient.ErrUTF8, answer(553, smtp.EnhancedCode{5, 6, 7}, "Non-ASCII addresses cannot be passed on from here")},
		{message.ErrLoop, answer(554, smtp.EnhancedCode{5, 4, 6}, "Mail loop: this message was here before")},
		{message.ErrHops, answer(554, smtp.EnhancedCode{5, 4, 6}, "Too many hops")},
		{message.ErrHeader, answer(550, smtp.EnhancedCode{5, 6, 0}, "Message header unreadable")},
		{errTooMany, answer(452, smtp.EnhancedCode{4, 5, 3}, "Too many recipients")},
		{spool.ErrFull, answer(452, smtp.EnhancedCode{4, 3, 1}, "Mailing lists take no posts now, try again later")},
		{delivery.ErrTooLarge, answer(452, smtp.EnhancedCode{4, 3, 1}, "List too large for now, try again later")},
		{errStopping, answer(421, smtp.EnhancedCode{4, 3, 2}, "Service is stopping")},
		{smtpclient.ErrUnreachable, answer(451, smtp.EnhancedCode{4, 4, 1}, "Next hop not reachable, try again later")},
		{delivery.ErrDeferred, answer(451, smtp.EnhancedCode{4, 3, 0}, "Not every member can be served now, try again later")},
		{delivery.ErrAllRefused, answer(451, smtp.EnhancedCode{4, 3, 0}, "No member can be served now, try again later")},
		{delivery.ErrInProgress, answer(451, smtp.EnhancedCode{4, 3, 0}, "This message is being delivered, try again later")},
		{delivery.ErrBusy, answer(451, smtp.EnhancedCode{4, 4, 1}, "Next hop is busy, try again later")},
		{smtpclient.ErrLost, answer(451, smtp.EnhancedCode{4, 4, 2}, "Next hop hung up, try again later")},
		{errTooSlow, answer(451, smtp.EnhancedCode{4, 4, 2}, "This took too long, try again later")},
		{errSlowInput, answer(421, smtp.EnhancedCode{4, 4, 2}, "Timeout")},
	}
}

// unforeseen is the reply to any other cause, which only the log gets to see.
var unforeseen = answer(451, smtp.EnhancedCode{4, 3, 0}, "Local trouble, try again later")

// replyTo finds the reply to an error. What the next hop answered to mail of this client is passed
// on, all its lines; but not a 421 or 521, on which Postfix would hang up on its own client.
func replyTo(err error) wire.Reply {
	var refusal *smtpclient.Error
	if errors.As(err, &refusal) && !errors.Is(err, delivery.ErrPartial) && !errors.Is(err, smtpclient.ErrUnreachable) {
		return passed(refusal.Reply)
	}
	if errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, delivery.ErrBusy) {
		err = errTooSlow
	}
	for _, r := range replies() {
		if errors.Is(err, r.is) {
			r.as.Message = said(err, r.as.Message)
			return wireReply(r.as)
		}
	}
	return wireReply(unforeseen)
}

// said is what the judgement of a list says itself, or the table's text.
func said(err error, table string) string {
	var judged *refusal
	if errors.As(err, &judged) && judged.text != "" {
		return judged.text
	}
	return table
}

// passed is a reply of the next hop as its client may see it.
func passed(r wire.Reply) wire.Reply {
	switch r.Code {
	case 421, 521:
		return replyTo(smtpclient.ErrLost)
	}
	if r.Code < 200 || r.Code > 599 || r.Code/100 == 3 {
		return wireReply(unforeseen)
	}
	return r
}

func wireReply(e smtp.SMTPError) wire.Reply {
	return text(e.Code, fmt.Sprintf("%d.%d.%d", e.EnhancedCode[0], e.EnhancedCode[1], e.EnhancedCode[2]), e.Message)
}

// text makes a reply of one line with an enhanced code (RFC 2034).
func text(code int, enhanced, line string) wire.Reply {
	return wire.Reply{Code: code, Lines: []string{enhanced + " " + line}}
}
