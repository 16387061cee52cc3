// Package smtpclient is the SMTP and LMTP client half: it connects to the next
// hop, negotiates (EHLO, STARTTLS, AUTH, XCLIENT), runs one transaction after
// the other over a connection, pipelines recipients, and keeps connections.
//
// It writes the final dot only when it is told to, retries nothing, and knows
// neither lists nor policies: what a reply means for the sender is decided above.
package smtpclient

import (
	"crypto/tls"
	"time"

	"superlistd/wire"
)

// TLSMode says what is asked of STARTTLS (RFC 3207).
type TLSMode string

const (
	// TLSOff never uses STARTTLS. The empty TLSMode means the same.
	TLSOff TLSMode = "off"
	// TLSOpportunistic encrypts when the next hop can, without looking at its
	// name, and goes on in the clear when it cannot.
	TLSOpportunistic TLSMode = "opportunistic"
	// TLSRequired encrypts and checks the certificate's name, or fails.
	TLSRequired TLSMode = "required"
)

// Limits that hold where Options leave them out.
const (
	DefaultConnectTimeout = 10 * time.Second
	DefaultTimeout        = 60 * time.Second
)

// Auth are the credentials for the next hop (RFC 4954).
type Auth struct {
	// Mechanism is CRAM-MD5, PLAIN or LOGIN; empty takes the best one offered,
	// in this order. PLAIN and LOGIN, which show the password, are used only
	// under TLS or when the next hop is on this host.
	Mechanism      string
	User, Password string
}

// Options say where the next hop is and how to greet it.
type Options struct {
	Hop      Hop
	LMTP     bool   // greet with LHLO, expect one final reply per recipient (RFC 2033)
	Hostname string // our name for EHLO; empty means "localhost"
	TLS      TLSMode
	// TLSConfig gives RootCAs and ServerName (default: the host of Hop); it may be nil.
	TLSConfig *tls.Config
	Auth      *Auth            // nil: no AUTH
	XClient   *wire.ClientInfo // nil: no XCLIENT. The whole connection is this client's.
	// ConnectTimeout is for connecting alone, Timeout for each read and write
	// after that. Zero means the defaults above. A context may end both earlier.
	ConnectTimeout, Timeout time.Duration
}

func (o *Options) connectTimeout() time.Duration {
	if o.ConnectTimeout > 0 {
		return o.ConnectTimeout
	}
	return DefaultConnectTimeout
}

func (o *Options) timeout() time.Duration {
	if o.Timeout > 0 {
		return o.Timeout
	}
	return DefaultTimeout
}

func (o *Options) hostname() string {
	if o.Hostname != "" {
		return o.Hostname
	}
	return "localhost"
}
