package bounce

import "strings"

// ruled are what stands between hyphens or the like above the message that came back; bare are whole lines above it.
var (
	ruled = []string{
		"original message", "message header", "copy of the message", "copy of your message", "unsent message", "returned message",
		"message text follows", "message follows", "original headers", "original mail", "enclosed ", "undelivered message", "returned mail follows",
		"original attached", "headers of your", "headers of the", "message body follows", "your message follows", "returned text",
		"ursprüngliche nachricht", "message d'origine", "message original", "mensaje original", "messaggio originale", "исходное сообщение",
	}
	bare = []string{
		"original message follows", "original message headers", "message headers follow", "message header follows", "below is a copy of the original",
		"below this line is", "the original message follows", "returned message follows", "headers of the original", "the header of the original",
		"header of the original", "the following is a copy of", "content of message follows", "a copy of the original message", "the undelivered message",
		"message contents follow", "your message reads", "the header of the message is following", "text of the original", "included is a copy of",
		"the original message was:", "message header:", "original message:", "old message:", "original message header", "your original message:", "start of returned message",
		"en-têtes de message d'origine", "en-têtes du message d'origine", "ursprüngliche nachrichtenkopfzeilen", "ursprüngliche nachrichtenköpfe",
		"encabezados de mensajes originales", "encabezados de mensaje originales", "intestazioni originali del messaggio", "intestazioni messaggio originale",
		"oorspronkelijke berichtkoppen", "cabeçalhos de mensagem originais", "here is your returned mail", "first part of the message", "copy of the original message",
		"the message headers:", "the message header:", "begin forwarded message", "le message original", "original mail as follow",
	}
)

// returns tells the line above the message that came back; low is folded.
func returns(low string) bool {
	t := strings.TrimLeft(low, " \t")
	if t == "" {
		return false
	}
	if strings.IndexByte("-*=|#_+[<", t[0]) >= 0 && len(t) < 200 {
		inner := strings.TrimLeft(t, "-*=|#_+[<> ")
		if len(t)-len(inner) >= 2 || t[0] == '[' {
			return containsAny(inner, ruled) && !strings.Contains(inner, "was received")
		}
		return false
	}
	t = strings.TrimLeft(t, "(:")
	for _, b := range bare {
		if strings.HasPrefix(t, b) {
			return true
		}
	}
	return false
}

// answering are the lines above what somebody answers or passes on.
var answering = []string{"original message", "ursprüngliche nachricht", "message d'origine", "mensaje original", "messaggio originale", "исходное сообщение", "forwarded message"}

// startsHeader tells a line that is in headers of messages only.
func startsHeader(line string) bool {
	for _, name := range []string{"Received: from ", "Received: by ", "Received: (", "Return-Path: <", "Return-path: <", "DKIM-Signature: ", "X-Original-To: ", "Delivered-To: ", "Content-Type: message/rfc822", "Content-Type: text/rfc822-headers"} {
		if strings.HasPrefix(line, name) {
			return true
		}
	}
	return false
}

// body is what follows the first empty line.
func body(text string) string {
	for text != "" {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		if strings.Trim(line, " \t\r") == "" {
			break
		}
	}
	return text
}
