package bounce

// proven tells whether a text is that of a mail system, and not one in which somebody tells of it. What a mail system
// writes begins with that, or it gives the message back, or says in its subject what happened.
func (n *notice) proven() bool {
	if n.opens() || n.letter.header.Has("X-Failed-Recipients") {
		return true
	}
	if n.origin == machine {
		return n.returned() || containsAny(n.letter.subject(), failureSubjects) || containsAny(n.letter.subject(), failPhrases) || n.letter.fromRobot()
	}
	return n.returned() && !n.mua && !n.has(openings...) // else they stand behind somebody's words
}

// opens tells whether the first line is one that a known report begins with.
func (n *notice) opens() bool {
	for _, low := range n.low {
		if low != "" {
			return containsAny(low, openings)
		}
	}
	return false
}

// openings are what known reports begin with, and nothing else.
var openings = []string{
	"this is the mail system at host", "this is the postfix", "hi. this is the", "qmail-send program", "created automatically by mail delivery software", "message that you sent could not be delivered", "message you sent could not be delivered to one or more",
	"the original message was received at", "permanent fatal errors", "automatically generated delivery status notification", "delivery to the following recipient", "delivery has failed to these recipients", "your message did not reach",
	"permanent fatal delivery errors", "failed to deliver to '", "an error has occurred while attempting to deliver", "this message was undeliverable due to", "unable to deliver message to the following address", "this is a mime-encapsulated message", "this is a mime-formatted message",
	"** address not found **", "** delivery incomplete **", "** message blocked **", "your message wasn't delivered to", "this report relates to a message you sent", "undeliverable to the following",
}

// asks tells a mail that wants something of the reader before it lets a message through, or says so to rob him.
func (n *notice) asks() bool {
	return n.has("click here", "click the link", "click on the link", "click below", "verify your", "confirm that you", "confirm your", "spamarrest", "waitlisted", "human being", "not a spammer",
		"release message", "release your", "retrieve your", "reply to this message to", "to prove", "follow the link", "captcha", "approved senders", "awaits moderator", "awaiting moderat", "held for review") &&
		!n.letter.hasStatus() && replyIn(n.flat) == 0
}
