package smtpclient

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/emersion/go-sasl"

	"superlistd/wire"
)

const (
	cramMD5      = "CRAM-MD5"
	codeContinue = 334 // RFC 4954 section 4
	maxExchanges = 8   // challenges; no mechanism of ours has more than three
)

// authenticate logs in when Options say so. Secrets are in no error.
func (c *Conn) authenticate() error {
	if c.opts.Auth == nil {
		return nil
	}
	client, err := c.mechanism()
	if err != nil {
		return fmt.Errorf("%w: %v: AUTH: %w", ErrUnreachable, c.opts.Hop, err)
	}
	name, initial, err := client.Start()
	if err != nil {
		return fmt.Errorf("%w: %v: AUTH: %w", ErrUnreachable, c.opts.Hop, err)
	}
	line := "AUTH " + name
	if initial != nil {
		line += " " + encodeInitial(initial)
	}
	r, err := c.command("AUTH", line)
	for range maxExchanges {
		if err != nil || r.Code != codeContinue {
			break
		}
		r, err = c.answer(client, r)
	}
	if err != nil {
		return err
	}
	if !r.Positive() {
		return c.refusal("AUTH", r)
	}
	return nil
}

func (c *Conn) answer(client sasl.Client, r wire.Reply) (wire.Reply, error) {
	challenge, err := base64.StdEncoding.DecodeString(strings.TrimSpace(r.Lines[0]))
	if err != nil {
		return r, c.fail("AUTH", errors.New("challenge is not base64"))
	}
	response, err := client.Next(challenge)
	if err != nil {
		return r, c.fail("AUTH", err)
	}
	return c.command("AUTH", base64.StdEncoding.EncodeToString(response))
}

func encodeInitial(b []byte) string {
	if len(b) == 0 {
		return "=" // RFC 4954 section 4: present and empty
	}
	return base64.StdEncoding.EncodeToString(b)
}

// mechanism chooses among what is offered. The password itself is shown only
// where nobody listens.
func (c *Conn) mechanism() (sasl.Client, error) {
	a := c.opts.Auth
	if strings.ContainsRune(a.User+a.Password, 0) {
		return nil, errors.New("user or password holds a NUL")
	}
	wanted := []string{cramMD5, sasl.Plain, sasl.Login}
	if a.Mechanism != "" {
		wanted = []string{strings.ToUpper(a.Mechanism)}
	}
	private := c.encrypted() || c.local()
	for _, name := range wanted {
		if !slices.Contains(c.caps.Auth, name) || name != cramMD5 && !private {
			continue
		}
		switch name {
		case cramMD5:
			return &cram{user: a.User, password: a.Password}, nil
		case sasl.Plain:
			return sasl.NewPlainClient("", a.User, a.Password), nil
		case sasl.Login:
			return login{sasl.NewLoginClient(a.User, a.Password), a.User}, nil
		}
	}
	if !private {
		return nil, fmt.Errorf("no mechanism fit for an unencrypted session among %q", c.caps.Auth)
	}
	return nil, fmt.Errorf("none of %q among %q", wanted, c.caps.Auth)
}

// local tells whether the session stays on this host.
func (c *Conn) local() bool {
	switch a := c.base.RemoteAddr().(type) {
	case *net.UnixAddr:
		return true
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	}
	return false
}

// login answers servers that ask for the user though it came with AUTH.
type login struct {
	sasl.Client
	user string
}

func (l login) Next(challenge []byte) ([]byte, error) {
	if bytes.HasPrefix(bytes.ToLower(challenge), []byte("user")) {
		return []byte(l.user), nil
	}
	return l.Client.Next([]byte("Password:")) // servers differ in how they spell it
}

// cram is RFC 2195.
type cram struct {
	user, password string
	done           bool
}

func (a *cram) Start() (string, []byte, error) { return cramMD5, nil, nil }

func (a *cram) Next(challenge []byte) ([]byte, error) {
	if a.done {
		return nil, sasl.ErrUnexpectedServerChallenge
	}
	a.done = true
	mac := hmac.New(md5.New, []byte(a.password))
	mac.Write(challenge) // a hash never fails
	return []byte(a.user + " " + hex.EncodeToString(mac.Sum(nil))), nil
}
