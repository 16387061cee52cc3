package proxy

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"superlistd/delivery"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/wire"
)

// transaction is the mail from MAIL to the reply to its content.
type transaction struct {
	args     string // of the MAIL command, as it came
	from     string // the mailbox of the reverse-path, "" for the null one
	size     int64  // SIZE=, 0 when it was not declared
	eightBit bool   // BODY=8BITMIME
	utf8     bool   // SMTPUTF8
	client   wire.ClientInfo
	began    time.Time

	rcpts   []recipient
	full    bool // more recipients came than are taken
	relay   *delivery.Relay
	relayed map[string]struct{} // keys of the recipients that relay took

	chunking bool // BDAT has begun
	intake   *intake
	spool    *message.Spool
	cleaner  wire.Cleaner
	clean    []byte // what it made of the piece at hand
}

// recipient is one that was accepted, in the order of the RCPT commands.
type recipient struct {
	address lists.Address
	target  lists.Target
}

// local tells whether the recipient is ours to serve and not relayed.
func (r recipient) local() bool {
	return r.target.Kind == lists.Post || r.target.Kind == lists.ToService
}

// lists tells whether any recipient is a list or a service of one: then the content is looked at
// before anything is sent.
func (tx *transaction) lists() bool {
	for _, r := range tx.rcpts {
		if r.local() {
			return true
		}
	}
	return false
}

// order returns the recipients by address and not as they came, so that at every attempt of the client the same list
// serves whom two lists have in common.
func (tx *transaction) order() []int {
	order := make([]int, len(tx.rcpts))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return strings.Compare(tx.rcpts[a].address.Key(), tx.rcpts[b].address.Key())
	})
	return order
}

// relayCount counts the recipients that the next hop took, but for repeated ones. It is more than there are keys
// in relayed when one of them could not be read as an address.
func (tx *transaction) relayCount() int {
	n, seen := 0, map[lists.Address]bool{}
	for _, r := range tx.rcpts {
		if !r.local() && (r.address.IsZero() || !seen[r.address]) {
			seen[r.address] = true
			n++
		}
	}
	return n
}

// abort forgets the transaction. Nothing is left at the next hop or on disk.
func (tx *transaction) abort() {
	if tx.relay != nil {
		tx.relay.Abort()
	}
	if tx.spool != nil {
		tx.spool.Close()
		tx.spool = nil
	}
}

// mail begins a transaction. The next hop hears of it with the first recipient that is relayed.
func (s *session) mail(args string) {
	switch {
	case s.greeted == "":
		s.fault(text(503, "5.5.1", "Send HELO or EHLO first"))
		return
	case s.tx != nil:
		s.fault(text(503, "5.5.1", "Nested MAIL command"))
		return
	}
	path, params, err := wire.ParseMail(args)
	if err != nil {
		s.fault(syntaxReply(err))
		return
	}
	tx := &transaction{args: args, from: path.Mailbox, client: s.client(), began: time.Now()}
	if r, ok := tx.parameters(params); !ok {
		s.fault(r)
		return
	}
	if limit := s.srv.opts.MessageSize; limit > 0 && tx.size > limit {
		s.logRefused(tx, "", errOversize)
		s.reply(replyTo(errOversize))
		return
	}
	s.tx = tx
	s.replyText(250, "2.1.0", "Ok")
}

// parameters reads the ones that we must understand. Others are the next hop's to judge: their line is forwarded raw.
func (tx *transaction) parameters(params []wire.Param) (wire.Reply, bool) {
	for _, p := range params {
		switch p.Key {
		case "SIZE":
			n, err := strconv.ParseInt(p.Value, 10, 64)
			if err != nil || n < 0 {
				return text(501, "5.5.4", "Bad SIZE parameter"), false
			}
			tx.size = n
		case "BODY":
			switch upper(p.Value) {
			case "7BIT":
			case "8BITMIME":
				tx.eightBit = true
			default:
				return text(501, "5.5.4", "Unsupported BODY parameter"), false
			}
		case "SMTPUTF8":
			if p.Given {
				return text(501, "5.5.4", "SMTPUTF8 takes no value"), false
			}
			tx.utf8 = true
		}
	}
	return wire.Reply{}, true
}
