package smtptest

import (
	"crypto/tls"
	"fmt"
	"strconv"
	"strings"
)

func (s *session) hello(verb string) {
	if s.p.script.lmtp != (verb == "LHLO") {
		s.reply(verb, "500 5.5.1 Error: wrong greeting for this protocol")
		return
	}
	lines := append([]string{"peer.test"}, s.p.script.ext...)
	if s.p.script.cert != nil && !s.tls {
		lines = append(lines, "STARTTLS")
	}
	for i, l := range lines {
		sep := "-"
		if i == len(lines)-1 {
			sep = " "
		}
		lines[i] = "250" + sep + l
	}
	if s.reply(verb, strings.Join(lines, "\n"))/100 == 2 {
		s.reset()
		s.greeted = true
	}
}

func (s *session) startTLS() {
	if s.p.script.cert == nil || s.tls {
		s.reply("STARTTLS", "502 5.5.1 Error: command not implemented")
		return
	}
	if s.reply("STARTTLS", "220 2.0.0 Ready to start TLS") != 220 || s.bw.Flush() != nil {
		return
	}
	tc := tls.Server(s.base, &tls.Config{Certificates: []tls.Certificate{*s.p.script.cert}})
	if err := tc.Handshake(); err != nil {
		s.p.note(s.n, "S", "TLS: "+err.Error())
		s.over = true
		return
	}
	s.attach(tc)
	s.tls = true
	s.reset()
}

// attributes decodes XFORWARD and XCLIENT arguments into m.
func attributes(m map[string]string, args string) (map[string]string, error) {
	if m == nil {
		m = make(map[string]string)
	}
	for word := range strings.FieldsSeq(args) {
		key, value, ok := strings.Cut(word, "=")
		if !ok || value == "" {
			return m, fmt.Errorf("attribute %q without a value", word)
		}
		decoded, err := decodeXtext(value)
		if err != nil {
			return m, err
		}
		m[strings.ToUpper(key)] = decoded
	}
	return m, nil
}

func decodeXtext(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '+' {
			b.WriteByte(s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", fmt.Errorf("bad xtext %q", s)
		}
		v, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
		if err != nil {
			return "", fmt.Errorf("bad xtext %q", s)
		}
		b.WriteByte(byte(v))
		i += 2
	}
	return b.String(), nil
}

func (s *session) forward(args string) {
	if len(args) > 512-len("XFORWARD \r\n") {
		s.p.violation("XFORWARD line of %d octets", len(args))
	}
	if s.tx != nil {
		s.reply("XFORWARD", "503 5.5.1 Error: MAIL transaction in progress")
		return
	}
	m, err := attributes(s.client, args)
	if err != nil {
		s.reply("XFORWARD", "501 5.5.4 "+err.Error())
		return
	}
	if s.reply("XFORWARD", "250 2.0.0 Ok")/100 == 2 {
		s.client = m
	}
}

func (s *session) override(args string) {
	m, err := attributes(s.xclient, args)
	if err != nil {
		s.reply("XCLIENT", "501 5.5.4 "+err.Error())
		return
	}
	if s.reply("XCLIENT", s.p.script.banner)/100 == 2 {
		s.xclient = m
		s.greeted = false
		s.user = ""
		s.reset()
	}
}
