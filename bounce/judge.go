package bounce

import "strings"

// judge decides what a failure says about the recipient: from the code where it is exact, else from the words, which
// are what a system really means. Unknown words count as little as possible, so that no filter's mood ends a membership.
func judge(status, said string) (Kind, Cause) {
	s := nameless(answerOnly(fold(typewriter.Replace(said))))
	s = advice.Replace(s)
	gone, elsewhere := goneIn(unquoted(s))
	gone = gone && !containsAny(s, againWords)
	switch {
	case containsAny(s, senderWords):
		return None, Refused
	case strings.HasSuffix(status, ".2.2"), containsAny(s, fullWords) && !containsAny(s, sizeWords):
		return Soft, Failed
	case strings.HasPrefix(status, "2"):
		return None, Delivered
	case elsewhere:
		return None, Refused
	case containsAny(s, relayWords) && !strings.HasPrefix(status, "4") && !containsAny(s, listedWords):
		return Hard, Failed // the host is not that of the domain any more
	case strings.HasPrefix(status, "4") && vague(status) && replyIn(s) == 0 && containsAny(s, domainWords) && !containsAny(s, againWords):
		return Hard, Failed // the DNS has said so; the 4 is the report's own
	case strings.HasPrefix(status, "4"):
		if (containsAny(s, contentWords) || ofClient(s)) && !gone && !containsAny(s, greyWords) {
			return None, Refused
		}
		return Soft, Failed
	}
	if k, c, ok := byCode(status, s, gone); ok {
		return k, c
	}
	return byWords(status, s, gone)
}

// nameless takes addresses out, with their brackets: a mailbox may be called "quota" or "spam", and "user <ann@example.org>
// unknown" is a user unknown. Whether the answer was about somebody, as in "RCPT TO:", can still be read.
func nameless(s string) string {
	if strings.IndexByte(s, '@') < 0 {
		return s
	}
	var b strings.Builder
	for {
		_, start, end := findAddress(s)
		if end == 0 {
			b.WriteString(s)
			return b.String()
		}
		before := s[:start]
		for start > 0 && end < len(s) && opposite(s[start-1]) == s[end] {
			before, start, end = s[:start-1], start-1, end+1
		}
		if strings.HasSuffix(before, " ") || before == "" {
			before = strings.TrimSuffix(before, "for ")
			if strings.HasPrefix(s[end:], " ") {
				end++
			}
		}
		b.WriteString(before)
		s = s[end:]
	}
}

// opposite is what closes what c opens.
func opposite(c byte) byte {
	switch c {
	case '(':
		return ')'
	case '[':
		return ']'
	case '<':
		return '>'
	case '"', '\'':
		return c
	}
	return 0
}

// unquoted takes out names in quotes, local parts for the most part: user "ann" unknown.
func unquoted(s string) string {
	for _, q := range []string{` "`, " '"} {
		if !strings.Contains(s, q) {
			continue
		}
		var b strings.Builder
		for {
			before, rest, ok := strings.Cut(s, q)
			b.WriteString(before)
			if !ok {
				break
			}
			if i := strings.IndexByte(rest, q[1]); i > 0 && i <= 64 && strings.IndexByte(rest[:i], ' ') < 0 && strings.HasPrefix(rest[i+1:], " ") {
				s = rest[i+1:]
				continue
			}
			b.WriteString(q)
			s = rest
		}
		s = b.String()
	}
	return s
}

// advice takes out words that are not meant so: "check the address and try again" is for people and no promise of another
// answer, one product calls every 5xx an unknown address error, and a host that refuses connections refuses no message.
var advice = strings.NewReplacer("unknown address error", "", "connection refused by", "connection refused", "connect: connection refused", "connection refused", "and try again later", "try again later", "and try again in", "try again", "and try again", "")

// answerOnly cuts the name of the host before its answer: many a host that knows no user is called "spamfilter".
func answerOnly(s string) string {
	if _, answer, ok := strings.Cut(s, " said: "); ok {
		return answer
	}
	for _, mark := range []string{"]: 5", "]: 4"} {
		if i := strings.Index(s, mark); i >= 0 {
			return s[i+len(mark)-1:]
		}
	}
	return s
}

// byCode takes the codes that leave no doubt (RFC 3463 section 3, RFC 7505, RFC 7372).
func byCode(status, s string, gone bool) (Kind, Cause, bool) {
	if len(status) < 5 {
		return None, Other, false
	}
	switch detail := status[2:]; {
	case detail == "1.7", detail == "1.8", strings.HasPrefix(detail, "6."), detail == "2.3", detail == "3.4":
		return None, Refused, true
	case strings.HasPrefix(detail, "7."):
		if certain, _ := goneIn(stateWords.Replace(unquoted(s))); gone && (certain || !containsAny(s, contentWords)) {
			return Hard, Failed, true
		}
		return None, Refused, true
	case detail == "1.1", detail == "1.2", detail == "1.3", detail == "1.4", detail == "1.6", detail == "1.10", detail == "2.1":
		switch {
		case gone:
			return Hard, Failed, true
		case containsAny(s, contentWords):
			return None, Refused, true
		case containsAny(s, againWords) && !strings.HasPrefix(detail, "1."):
			return Soft, Failed, true
		}
		return Hard, Failed, true
	case detail == "4.1" && strings.Contains(s, "access denied"): // Exchange Online's answer for one who is not there
		return Hard, Failed, true
	case detail == "4.4", detail == "4.310":
		if containsAny(s, againWords) {
			return Soft, Failed, true
		}
		return Hard, Failed, true
	case detail == "4.7", detail == "4.6", detail == "4.14":
		return Soft, Failed, true
	}
	return None, Other, false
}

// byWords decides where the code says nothing.
func byWords(status, s string, gone bool) (Kind, Cause) {
	switch {
	case gone:
		return Hard, Failed
	case containsAny(s, contentWords), containsAny(s, sizeWords):
		return None, Refused
	case strings.HasPrefix(status, "5") && (containsAny(s, greetingStage) || ofClient(s)):
		return None, Refused
	case containsAny(s, passingWords):
		return Soft, Failed
	case replyIn(s)/100 == 4:
		return Soft, Failed
	}
	switch {
	case strings.HasPrefix(status, "5.1."):
		return Hard, Failed
	case strings.HasPrefix(status, "5.") && containsAny(s, recipientStage):
		return Hard, Failed // whom the system asks about, it judges
	case strings.HasPrefix(status, "5.") && containsAny(s, contentStage):
		return None, Refused // and likewise what
	}
	return Soft, Failed
}

// goneIn finds words for an address that is gone. elsewhere: there are none but such as speak, just before or behind them, of the
// sender or of a part of the message.
func goneIn(s string) (gone, elsewhere bool) {
	const near, most = 32, 8 // octets before, places of one phrase
	for _, p := range goneWords {
		for at, tries := 0, 0; tries < most; tries++ {
			i := strings.Index(s[at:], p)
			if i < 0 {
				break
			}
			i += at
			at = i + len(p)
			before := s[max(0, i-near):i]
			for _, end := range []string{"rcpt", "recipient", "mailbox", "user", " to:", " to "} {
				if i := strings.LastIndex(before, end); i > 0 && !strings.HasSuffix(before[:i], "sender ") && !strings.HasSuffix(before[:i], "sending ") {
					before = before[i:]
				}
			}
			if !containsAny(before+p, otherSubjects) && !hasPrefix(s[at:], otherObjects) {
				return true, false
			}
			elsewhere = true
		}
	}
	return false, elsewhere
}

// otherSubjects are what may be unknown or disabled beside recipients.
var otherSubjects = []string{
	"sender address", "sender's", "sender domain", "sender account", "sender user", "sender mailbox", "sending user", "sending mailbox", "sending account", "sending domain", "sending host", "sending server", "sending address", "mail from", "from domain", "from header", "helo", "ehlo", "header", "message-id", "spf ", "url in ", "url http", "a link ", "dkim", "dmarc", "selector", "public key", "certificate", " ip ", "url contains", "link contains", "this sender", "the sender ",
	"your account", "your domain", "your host", "your server", "your ip", "this host",
}

// otherObjects make the same of a phrase that goes on with them: "unknown address in the header".
var otherObjects = []string{
	" sender", " header", " from header", " from domain", " from address", " from:", " return path", " return-path", " envelope", " in header", " in the header", " in certificate", " in the certificate", " in white", " in the white",
}

// stateWords are said of accounts, of hosts that send, and of links; only the rest of the words tells which.
var stateWords = strings.NewReplacer("disabled", "", "deactivated", "", "suspended", "", "inactive", "", "inactivity", "", "not active", "", "discontinued", "", "been terminated", "", "abandoned", "")

// tells reports whether a diagnostic is one: it has a code, or words that judge knows.
func tells(said string) bool {
	s := fold(said)
	return replyIn(s) > 0 || statusIn(s) != "" || containsAny(s, goneWords) || containsAny(s, fullWords) || containsAny(s, sizeWords) ||
		containsAny(s, senderWords) || containsAny(s, contentWords) || containsAny(s, passingWords)
}

// recipientStage tells that the refusal was the answer to RCPT.
var recipientStage = []string{"rcpt to", "rcpt command", "after rcpt", "to rcpt"}

// greetingStage tells that it was the answer to the connection, before anybody was named.
var greetingStage = []string{"refused to talk to me", "in reply to initial server greeting", "in reply to ehlo", "in reply to helo", "in reply to mail from", "after initial connection", "after ehlo", "after helo", "after mail from", "but greeting failed", "but my name was rejected", "but sender was rejected", "does not like my name"}

// contentStage tells that the refusal was the answer to the content.
var contentStage = []string{"end of data", "after data", "to data", "sending data", "after message body", "end of message"}
