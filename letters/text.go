package letters

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"strings"
	"unicode/utf8"

	"superlistd/message"
)

// maxAnswer is how much of an answer's body is read, in octets. Mailers put the answer first.
const maxAnswer = 256 << 10

// Text is what a person wrote in a mail, of which body is what follows the header: the first part that is text/plain, or the first
// HTML as text, in UTF-8. It is for finding an order in it: what cannot be read is "", and errors are those of body only.
func Text(h message.Header, body io.Reader) (string, error) {
	raw, err := io.ReadAll(io.LimitReader(body, maxAnswer))
	if err != nil {
		return "", err
	}
	whole := h.Bytes()
	if !bytes.HasSuffix(whole, []byte("\n\r\n")) && !bytes.HasSuffix(whole, []byte("\n\n")) {
		whole = append(whole, '\r', '\n')
	}
	plain, html := "", ""
	message.Parse(append(whole, raw...)).Walk(func(p *message.Part) bool {
		if len(p.Parts) > 0 || attachedPart(p) {
			return true
		}
		switch p.Type {
		case "text/plain":
			plain = decoded(p)
		case "text/html":
			if html == "" {
				html = textOfHTML(decoded(p))
			}
		}
		return strings.TrimSpace(plain) == ""
	})
	if strings.TrimSpace(plain) != "" {
		return plain, nil
	}
	return html, nil
}

func attachedPart(p *message.Part) bool {
	for _, v := range p.Header.Values("Content-Disposition") {
		return strings.HasPrefix(strings.ToLower(v), "attachment")
	}
	return false
}

// decoded takes transfer encoding and charset off; what is damaged ends there.
func decoded(p *message.Part) string {
	body := p.Body
	encoding := ""
	for _, v := range p.Header.Values("Content-Transfer-Encoding") {
		encoding = strings.ToLower(strings.TrimSpace(v))
	}
	switch encoding {
	case "quoted-printable":
		body, _ = io.ReadAll(quotedprintable.NewReader(bytes.NewReader(body)))
	case "base64":
		body = decodeBase64(body)
	}
	return inUTF8(strings.ToLower(p.Param("charset")), body)
}

// decodeBase64 passes over what is not of the alphabet (RFC 2045 section 6.8).
func decodeBase64(in []byte) []byte {
	clean := make([]byte, 0, len(in))
	for _, c := range in {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '+' || c == '/' {
			clean = append(clean, c)
		}
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(clean)))
	n, _ := base64.RawStdEncoding.Decode(out, clean)
	return out[:n]
}

// inUTF8 reads the charsets that answers in our languages come in; of another one, ASCII is left.
func inUTF8(charset string, text []byte) string {
	switch charset {
	case "iso-8859-1", "iso-8859-15", "latin1", "windows-1252", "cp1252":
	default:
		return strings.ToValidUTF8(string(text), "?")
	}
	var b strings.Builder
	b.Grow(len(text) + len(text)/8)
	for _, c := range text {
		switch {
		case c < 0x80:
			b.WriteByte(c)
		case c == 0xa4 && charset == "iso-8859-15":
			b.WriteRune('€')
		case c < 0xa0:
			b.WriteRune(windows1252(c))
		default:
			b.WriteRune(rune(c))
		}
	}
	return b.String()
}

// windows1252 has letters where ISO 8859-1 has controls that nobody sends.
func windows1252(c byte) rune {
	const letters = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ"
	n := int(c - 0x80)
	for _, r := range letters {
		if n == 0 {
			return r
		}
		n--
	}
	return utf8.RuneError
}
