package smtpclient

import (
	"strconv"
	"strings"

	"superlistd/wire"
)

// Capabilities are what the next hop offered in its last EHLO reply.
type Capabilities struct {
	Pipelining   bool // RFC 2920
	Chunking     bool // RFC 3030
	EightBitMIME bool // RFC 6152
	SMTPUTF8     bool // RFC 6531
	DSN          bool // RFC 3461
	Enhanced     bool // RFC 2034
	XVERP        bool // Postfix VERP_README
	STARTTLS     bool // RFC 3207
	VRFY         bool
	HasSize      bool     // SIZE is offered (RFC 1870), with or without a limit
	Size         int64    // its limit in octets, 0 none
	RcptMax      int      // LIMITS RCPTMAX (RFC 9422), 0 none
	XForward     []string // attributes of XFORWARD, upper case
	XClient      []string // attributes of XCLIENT, upper case
	Auth         []string // mechanisms, upper case
}

// parseCapabilities reads an EHLO reply. Its first line is the greeting. Nothing
// in it is an error: what cannot be read is not offered.
func parseCapabilities(r wire.Reply) Capabilities {
	var c Capabilities
	if len(r.Lines) == 0 {
		return c
	}
	for _, line := range r.Lines[1:] {
		words := strings.Fields(strings.ToUpper(line))
		if len(words) == 0 {
			continue
		}
		c.add(words[0], words[1:])
	}
	return c
}

func (c *Capabilities) add(keyword string, args []string) {
	switch keyword {
	case "PIPELINING":
		c.Pipelining = true
	case "CHUNKING":
		c.Chunking = true
	case "8BITMIME":
		c.EightBitMIME = true
	case "SMTPUTF8":
		c.SMTPUTF8 = true
	case "DSN":
		c.DSN = true
	case "ENHANCEDSTATUSCODES":
		c.Enhanced = true
	case "XVERP":
		c.XVERP = true
	case "STARTTLS":
		c.STARTTLS = true
	case "VRFY":
		c.VRFY = true
	case "SIZE":
		c.HasSize = true
		if len(args) > 0 {
			c.Size = number(args[0])
		}
	case "LIMITS":
		for _, arg := range args {
			if value, ok := strings.CutPrefix(arg, "RCPTMAX="); ok {
				c.RcptMax = int(min(number(value), 1<<30))
			}
		}
	case "XFORWARD":
		c.XForward = args
	case "XCLIENT":
		c.XClient = args
	case "AUTH":
		c.Auth = append(c.Auth, args...)
	default:
		// "AUTH=LOGIN" is what old servers write for clients older still.
		if mechanism, ok := strings.CutPrefix(keyword, "AUTH="); ok {
			c.Auth = append(append(c.Auth, mechanism), args...)
		}
	}
}

// number reads a limit; one that is no number is none.
func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}
