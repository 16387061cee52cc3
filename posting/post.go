package posting

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"superlistd/identity"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/wire"
)

// Envelope is what is known of a post beside its content.
type Envelope struct {
	// ReversePath is the mailbox of MAIL FROM; "" is the null one.
	ReversePath string
	// Client is who handed the post to our side of the world.
	Client wire.ClientInfo
	// Trusted: the sender's login was checked before it came here, or it began on this host.
	Trusted bool
	// EightBit and UTF8 are BODY=8BITMIME (RFC 6152) and SMTPUTF8 (RFC 6531).
	EightBit, UTF8 bool
	// Proto and Session are for our Received field: "ESMTP", "LMTP", and the name of the session.
	Proto, Session string
	// At is when the content had come whole.
	At time.Time
}

// Post is a message to at least one list. It may be judged for several lists, one after the other.
type Post struct {
	Envelope
	// Head is the header as it came.
	Head message.Header
	// Content is the whole message, BodyOffset where its body begins.
	Content    message.Content
	BodyOffset int64
	// Authors are the addresses of From; To those of To and Cc that can be read, of Named in all.
	Authors, To []lists.Address
	Named       int

	found     identity.Result
	checked   bool
	results   string // of another time
	named     bool   // digest: there is a Message-ID
	inspected func() (*message.Body, error)
	digest    func() (sum [sha256.Size]byte, err error)
}

// Read reads the header of a stored message. Errors are message.ErrHeader and those of reading.
func Read(spool *message.Spool, e Envelope) (*Post, error) {
	head, err := spool.Header()
	if err != nil {
		return nil, err
	}
	return newPost(head, spool, e), nil
}

// Reread reads a post that was kept, with what was found about its author when it came: the word of a lists.Proof, and the
// Authentication-Results.
func Reread(c message.Content, e Envelope, proof, results string) (*Post, error) {
	head, err := message.ReadHeader(c)
	if err != nil {
		return nil, err
	}
	p := newPost(head, c, e)
	p.checked, p.results = true, results
	for _, known := range []lists.Proof{lists.Proven, lists.Contradicted} {
		if known.String() == proof {
			p.found.Proof = known
		}
	}
	return p, nil
}

func newPost(head message.Header, c message.Content, e Envelope) *Post {
	p := &Post{
		Envelope: e, Head: head, Content: c, BodyOffset: int64(head.Len()),
		Authors: message.Authors(head), To: message.Recipients(head), Named: message.Named(head),
		inspected: sync.OnceValues(func() (*message.Body, error) { return message.Inspect(c) }),
	}
	p.digest = sync.OnceValues(p.sum)
	return p
}

// sum reads the post for its digest. One without a Message-ID cannot be told from another that says the same, so it gets a
// number that never comes again.
func (p *Post) sum() (sum [sha256.Size]byte, err error) {
	sum, p.named, err = message.Digest(p.Head, p.Content.Reader(p.BodyOffset))
	if err == nil && !p.named {
		_, err = rand.Read(sum[:])
	}
	return sum, err
}

// Digest is the same for a post that comes again, whatever fields were added to it on its way. Without ok it is
// of no use for that: the post has no Message-ID.
func (p *Post) Digest() (sum [sha256.Size]byte, ok bool, err error) {
	sum, err = p.digest()
	return sum, p.named, err
}

// name is the key as the list's history wants it: "" for a post that cannot be told from others.
func (p *Post) name(l lists.List) (string, error) {
	key, err := p.Key(l)
	if err != nil || !p.named {
		return "", err
	}
	return string(key[:]), nil
}

// Key names the post to a list: the same for a post that comes again.
func (p *Post) Key(l lists.List) ([sha256.Size]byte, error) {
	sum, err := p.digest()
	return sha256.Sum256(fmt.Appendf(sum[:], "%q%q", p.ReversePath, l.Address.Key())), err
}

// Author is the only author, zero if there is none or more than one.
func (p *Post) Author() lists.Address {
	if len(p.Authors) != 1 {
		return lists.Address{}
	}
	return p.Authors[0]
}

// Identity is what was found about the author; the zero Result before the post was judged.
func (p *Post) Identity() identity.Result { return p.found }

// facts are what identity wants to know.
func (p *Post) facts() identity.Facts {
	f := identity.Facts{Helo: p.Client.Helo, ReversePath: p.ReversePath, Authors: p.Authors, Trusted: p.Trusted}
	if f.Helo == wire.Unavailable {
		f.Helo = ""
	}
	f.Client = p.ClientIP()
	return f
}

// ClientIP is the address of who handed the post to our side of the world; the zero Addr is not known.
func (e Envelope) ClientIP() netip.Addr {
	a, _ := netip.ParseAddr(strings.TrimPrefix(e.Client.Addr, "IPv6:"))
	return a.Unmap()
}

// Trace says what our Received field tells (RFC 5321 section 4.4).
func Trace(e Envelope, hostname string, to lists.Address) message.Trace {
	c := e.Client
	t := message.Trace{Hostname: hostname, SID: e.Session, Helo: c.Helo, Proto: e.Proto, For: to, Time: e.At, Client: c.Name}
	if c.Helo == wire.Unavailable { // mail that began inside Postfix
		t.Helo = ""
	}
	if c.Name == "" || c.Name == wire.Unavailable {
		t.Client = "unknown"
	}
	if c.Addr != "" && c.Addr != wire.Unavailable {
		t.Client += " [" + c.Addr + "]"
	}
	return t
}
