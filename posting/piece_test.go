package posting

import (
	"io"
	"strings"
	"testing"

	"superlistd/message"
)

// pieceOf is what a digest gets of a post.
func (h *house) pieceOf(p *Post, j Judgement) (Copy, string) {
	h.tb.Helper()
	c, err := h.desk.Piece(p, j)
	if err != nil {
		h.tb.Fatal(err)
	}
	body, err := io.ReadAll(c.Content.Reader(c.BodyOffset))
	if err != nil {
		h.tb.Fatal(err)
	}
	return c, string(c.Head) + string(body)
}

// The body is as the list lets it pass, but without the list's own words; nothing is signed, and From stays the author's.
func TestPiece(t *testing.T) {
	t.Parallel()
	sign, _ := signers(t)
	post := "From: Ann <ann@strict.test>\nTo: team@lists.test\nSubject: hello\nMessage-ID: <1@plain.test>\nMIME-Version: 1.0\n" +
		"Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\n\nHello all.\n--x\nContent-Type: application/x-evil; name=evil.bin\n\nboo\n--x--\n"
	for name, c := range map[string]struct {
		settings     []string
		has, without []string
	}{
		"as it came":       {nil, []string{"\r\nFrom: Ann <ann@strict.test>\r\n", "Hello all.", "boo"}, []string{"Received:", "List-", "DKIM-", "Authentication-Results"}},
		"no list's words":  {[]string{"header=Read this.", "footer=-- \\nThe team"}, []string{"Hello all."}, []string{"Read this.", "The team"}},
		"removed parts":    {[]string{"footer=The team", "mime_types=application/x-evil=remove"}, []string{"Hello all.", "evil.bin"}, []string{"boo", "The team"}},
		"wrapped for mail": {[]string{"from=wrap"}, []string{"\r\nFrom: Ann <ann@strict.test>\r\n", "Content-Type: multipart/mixed"}, []string{"message/rfc822"}},
		"nobody's name":    {[]string{"anonymous=on"}, []string{"\r\nFrom: \"team\" <team@lists.test>\r\n"}, []string{"Ann", "strict.test"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, func(o *Options) { o.Signer = sign })
			p := h.read(post, "ann@strict.test", "192.0.2.1")
			piece, text := h.pieceOf(p, h.judge(p, h.list(c.settings...)))
			for _, s := range c.has {
				if !strings.Contains("\r\n"+text, s) {
					t.Errorf("%q is not in\n%s", s, text)
				}
			}
			for _, s := range c.without {
				if strings.Contains(text, s) {
					t.Errorf("%q is in\n%s", s, text)
				}
			}
			if head := message.ParseHeader([]byte(text)); head.Len() != len(piece.Head) || !head.Has("Subject") {
				t.Errorf("the header is %q", piece.Head)
			}
		})
	}
}

// What the next hop must be able to do for a piece is told.
func TestPieceTellsWhatItNeeds(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	e := Envelope{ReversePath: "ann@plain.test", EightBit: true, UTF8: true, Proto: "ESMTP", Session: "s1", At: h.now}
	p := h.readAs(strings.Replace(plainPost("ann@plain.test"), "Hello", "Héllo", 1), e)
	c, text := h.pieceOf(p, h.judge(p, h.list()))
	if !c.EightBit || !c.UTF8 || !strings.Contains(text, "Héllo") {
		t.Errorf("%v, %v: %s", c.EightBit, c.UTF8, text)
	}
}
