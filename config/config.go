// Package config reads superlistd.toml: it knows every key, its default and its
// limits, and names the file and line of every fault. It has no behaviour: it opens
// no socket, no store and no file but the one that it reads, so that listctl can load
// the settings of a daemon that runs under another account.
package config

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"
)

// Config is everything that superlistd.toml can say. Every field but Domains and Relay
// has a default, so a Config from Load is complete.
type Config struct {
	Hostname  string         // our name in banners, Received and Message-IDs; a full name as A-labels, default: the host's own
	Domains   []string       // domains of lists, as A-labels in lower case
	Listen    []Endpoint     // doors for smtpd_proxy_filter; none: no such door
	LMTP      []Endpoint     // doors for what starts inside Postfix; none: no such door
	Relay     Endpoint       // the after-filter smtpd
	Data      string         // folder of lists.db and state.db, absolute
	Delimiter string         // stands between list-bounces and its key
	Clients   []netip.Prefix // who may connect to a TCP door
	Doors     []Door         // further doors, beside Listen and LMTP; see AllDoors
	Templates string         // folder of the site's own texts, absolute; empty: none

	AuditMonths int // months for which the audit log is kept, 0: for ever

	Identity  Identity
	DKIM      DKIM
	Limits    Limits
	Timeouts  Timeouts
	Delivery  Delivery
	Helo      Helo
	TLS       TLS
	RelayTLS  RelayTLS
	RelayAuth RelayAuth
	XClient   XClient
	Web       Web
	Log       Log
}

// Door is a table [[door]].
type Door struct {
	Listen   Endpoint
	Protocol string // ProtocolSMTP or ProtocolLMTP
	Trust    string // TrustNone, or TrustSubmission: who comes here has proven that From is his
}

// AllDoors returns every door of the file: those of listen, of lmtp, and of the tables [[door]], in this order.
func (c Config) AllDoors() []Door {
	doors := make([]Door, 0, len(c.Listen)+len(c.LMTP)+len(c.Doors))
	for _, at := range c.Listen {
		doors = append(doors, Door{at, ProtocolSMTP, TrustNone})
	}
	for _, at := range c.LMTP {
		doors = append(doors, Door{at, ProtocolLMTP, TrustNone})
	}
	return append(doors, c.Doors...)
}

// Identity is the table [identity]: how it is found out whether From is forged.
type Identity struct {
	Resolver   string        // ResolverSystem, ResolverOff, or the address and port of a DNS server
	Timeout    time.Duration // for all DNS questions of one post together
	Cache      int           // DNS answers that are kept
	Signatures int           // DKIM signatures of a post that are verified
}

// DKIM is the table [dkim]: our own signatures. There are as many Selectors as Keys; none: nothing is signed.
type DKIM struct {
	Domain    string   // d= of every signature, as A-labels; empty: the domain of the list
	Selectors []string // in lower case
	Keys      []string // PEM files, absolute
}

// Limits is the table [limits]: what one client may ask of us.
type Limits struct {
	MessageSize    int64 // octets of content, 0: no limit of ours
	Recipients     int   // recipients of one transaction; RFC 5321 section 4.5.3.1.8 asks for 100 at least
	Sessions       int   // sessions at a time
	ClientSessions int   // sessions at a time from one client address
	Errors         int   // errors after which a session is ended
	Line           int64 // octets of a command line; Postfix sends XFORWARD lines far over 512
	Memory         int64 // octets of content held in memory before it goes to a file
	AnswersPerDay  int   // letters to one address in a day that requests in its name cause, and again as many to who is proven
}

// Timeouts is the table [timeouts].
type Timeouts struct {
	Command time.Duration // wait for the next command of a client
	Data    time.Duration // wait for the next octets of content
	Connect time.Duration // connection to the relay, up to its EHLO reply
	Relay   time.Duration // each read and write to the relay
	Idle    time.Duration // an unused connection to the relay is kept this long
}

// Delivery is the table [delivery]: how posts go out.
type Delivery struct {
	Batch            int           // recipients in one outgoing transaction
	MaxArmed         int           // transactions of one post that are held open together
	RelayConnections int           // connections to the relay at a time, for everything
	RelayShare       int           // how many of them are kept for mail that is only relayed
	Budget           time.Duration // everything under one transaction ends within this

	SpoolHigh        int64         // octets in the spool above which posts are put off, 0: no limit
	SpoolLow         int64         // octets in the spool below which they are taken again, at most SpoolHigh
	SpoolEntries     int           // entries in the spool, likewise, 0: no limit
	SpoolFree        int64         // octets that stay free on the disk of Data, 0: no limit
	SpoolLifetime    time.Duration // how long an entry is tried
	SpoolConnections int           // connections to the relay for the spool, of all processes together
	SpoolPerList     int           // how many of them one list may have
	SpawnLinger      time.Duration // how long a spawned process goes on with its own entries, 0: not at all
}

// Helo is the table [helo].
type Helo struct {
	Check string // CheckOff, CheckSyntax or CheckResolvable
}

// TLS is the table [tls]: the certificate of our own doors. Both are empty, or both absolute paths.
type TLS struct {
	Cert, Key string
}

// RelayTLS is the table [relay_tls].
type RelayTLS struct {
	Mode string // ModeOff, ModeOpportunistic or ModeRequired
	CA   string // PEM file of roots, absolute; empty: the system's
	Name string // name in the relay's certificate; empty: the host of the relay
}

// RelayAuth is the table [relay_auth]. An empty User means no AUTH; otherwise exactly one
// of Password and PasswordFile is given.
type RelayAuth struct {
	Mechanism    string // "CRAM-MD5", "PLAIN", "LOGIN"; empty: the best that is offered
	User         string
	Password     string
	PasswordFile string // absolute; its first line is the password
}

// XClient is the table [xclient].
type XClient struct {
	Networks []netip.Prefix // who may use XCLIENT at our doors
}

// Web is the table [web]: the page where members leave by one click. Listen and URL are both given, or neither.
type Web struct {
	Listen  Endpoint       // where the daemon answers to HTTP: TCP or Unix
	URL     string         // what https links begin with, without a slash at the end
	Proxies []netip.Prefix // web servers before ours, whose X-Forwarded-For is believed
}

// Log is the table [log].
type Log struct {
	Level  string // "debug", "info", "warn" or "error"
	Format string // FormatText or FormatJSON
	To     string // ToStderr, ToSyslog or an absolute path
}

// Values of the keys that have a fixed choice.
const (
	ProtocolSMTP = "smtp"
	ProtocolLMTP = "lmtp"

	TrustNone       = "none"
	TrustSubmission = "submission"

	ResolverSystem = "system"
	ResolverOff    = "off"

	CheckOff        = "off"
	CheckSyntax     = "syntax"
	CheckResolvable = "resolvable"

	ModeOff           = "off"
	ModeOpportunistic = "opportunistic"
	ModeRequired      = "required"

	FormatText = "text"
	FormatJSON = "json"

	ToStderr = "stderr"
	ToSyslog = "syslog"
)

// Default returns the settings of an empty file. Hostname, Domains and Relay are
// empty: a file must give the last two, and Load finds the first.
func Default() Config {
	return Config{
		Data:      "/var/lib/superlistd",
		Delimiter: "+",

		AuditMonths: 24,

		Clients:  []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
		Identity: Identity{Resolver: ResolverSystem, Timeout: 3 * time.Second, Cache: 4096, Signatures: 5},
		Limits: Limits{
			MessageSize:    50e6,
			Recipients:     1000,
			Sessions:       200,
			ClientSessions: 200,
			Errors:         20,
			Line:           8e3,
			Memory:         128e3,
			AnswersPerDay:  10,
		},
		Timeouts: Timeouts{
			Command: 5 * time.Minute,
			Data:    3 * time.Minute,
			Connect: 10 * time.Second,
			Relay:   60 * time.Second,
			Idle:    15 * time.Second,
		},
		Delivery: Delivery{
			Batch:            1000,
			MaxArmed:         20,
			RelayConnections: 60,
			RelayShare:       20,
			Budget:           90 * time.Second,
			SpoolHigh:        2e9,
			SpoolLow:         1e9,
			SpoolEntries:     5000,
			SpoolFree:        100e6,
			SpoolLifetime:    5 * 24 * time.Hour,
			SpoolConnections: 10,
			SpoolPerList:     5,
			SpawnLinger:      30 * time.Second,
		},
		Helo:     Helo{Check: CheckOff},
		RelayTLS: RelayTLS{Mode: ModeOpportunistic},
		Web:      Web{Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}},
		Log:      Log{Level: "info", Format: FormatText, To: ToStderr},
	}
}

// maxFile bounds the file: far more than a person writes, far less than hurts.
const maxFile = 256 << 10

// Load reads the file at path. Faults in it come all at once in an *Error; a file that
// cannot be read gives the error of os.ReadFile.
func Load(path string) (Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{}, err
	}
	if len(data) > maxFile {
		return Config{}, &Error{Path: path, Faults: []Fault{{Message: "this is no settings file: it is larger than 256 KiB"}}}
	}
	return parse(path, data, os.Hostname)
}

// Fault is one thing that is wrong in the file.
type Fault struct {
	Line    int    // counted from 1; 0 where no line can be blamed, such as for a missing key
	Key     string // with its table, such as "limits.message_size"; empty for a fault of syntax
	Message string
}

// Error holds every fault of one file, in the order of their lines, faults without a line last.
type Error struct {
	Path   string
	Faults []Fault
}

// Error returns one line for each fault: "superlistd.toml:14: limits.message_size: …".
func (e *Error) Error() string {
	var b strings.Builder
	for i, f := range e.Faults {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(e.Path)
		if f.Line > 0 {
			fmt.Fprintf(&b, ":%d", f.Line)
		}
		b.WriteString(": ")
		if f.Key != "" {
			b.WriteString(f.Key + ": ")
		}
		b.WriteString(f.Message)
	}
	return b.String()
}

// ownName is the host's own name, for files that do not give one.
func ownName(hostname func() (string, error)) (string, error) {
	own, err := hostname()
	if err != nil {
		return "", fmt.Errorf("is not set, and this host has no name: %w", err)
	}
	name, err := fullName(own)
	if err != nil {
		return "", errors.New("is not set, and this host's own name " + quote(own) + " is not a full one (try hostname = \"mx.example.org\")")
	}
	return name, nil
}
