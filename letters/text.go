package letters

import (
	"bytes"
	"errors"
	"io"

	"superlistd/message"
)

// maxAnswer is how much of an answer's body is read, in octets. Mailers put the answer first.
const maxAnswer = 256 << 10

// Subject is that of a mail, decoded; "" without one.
func Subject(h message.Header) string {
	for _, s := range message.Texts(h, "Subject") {
		return s
	}
	return ""
}

// Text is what a person wrote in a mail, of which body is what follows the header: see message.Body.Text. It is for finding an
// order in it: what cannot be read is "", and errors are those of body only.
func Text(h message.Header, body io.Reader) (string, error) {
	raw, err := io.ReadAll(io.LimitReader(body, maxAnswer))
	if err != nil {
		return "", err
	}
	head := h.Bytes()
	if !bytes.HasSuffix(head, []byte("\n\r\n")) && !bytes.HasSuffix(head, []byte("\n\n")) {
		head = append(head, '\r', '\n')
	}
	mail, err := message.Inspect(message.Octets(append(head, raw...)))
	if errors.Is(err, message.ErrHeader) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return mail.Text(maxAnswer)
}
