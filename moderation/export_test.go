package moderation

import (
	"strings"

	"superlistd/message"
)

// ReadAnswer is what an answer asks for: "approve", "ban"…, "" when it is not understood, and the text for the author.
func ReadAnswer(raw string) (what, text string) {
	h := message.ParseHeader([]byte(raw))
	body, err := answerText(h, strings.NewReader(raw[h.Len():]))
	if err != nil {
		return err.Error(), ""
	}
	o, ok := readOrder(strings.Join(message.Texts(h, "Subject"), ""), body)
	switch {
	case !ok:
		return "", ""
	case o.ban:
		return "ban", o.text
	}
	return string(o.action), o.text
}
