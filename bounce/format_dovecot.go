package bounce

// Dovecot, whose refusals look like receipts. Those for a full mailbox are its own; what else it refuses this way, the
// recipient's Sieve script refused (RFC 5429 section 2.2).
//
//	Your message to <ann@example.org> was automatically rejected:
//	Quota exceeded (mailbox for user is full)
func (l *letter) rejection(o origin) Report {
	rep := Report{Cause: Receipt}
	if o == person || !l.fromDaemon() {
		return rep
	}
	n := newNotice(l, o)
	line, _ := n.after(0, "was automatically rejected:", "was refused by the recipient's mail filtering program")
	if line < 0 {
		return rep
	}
	rep.Format = "dovecot"
	all := n.named("your message to")
	for i := range all {
		all[i].Diagnostic = n.behindAny("automatically rejected:", "filtering program. reason given was as follows:")
	}
	rep.Recipients = n.settle(all)
	for i := range rep.Recipients {
		if r := &rep.Recipients[i]; !containsAny(fold(r.Diagnostic), fullWords) {
			r.Kind, r.cause = None, Refused
		}
	}
	rep.settle()
	rep.MessageID = n.messageID()
	return rep
}
