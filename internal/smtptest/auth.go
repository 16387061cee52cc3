package smtptest

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

func (s *session) auth(args string) {
	mechanism, initial, given := strings.Cut(args, " ")
	var ok bool
	switch strings.ToUpper(mechanism) {
	case "PLAIN":
		ok = s.answered("", initial, given) == "\x00"+s.p.script.user+"\x00"+s.p.script.password
	case "LOGIN":
		user := s.answered("Username:", initial, given)
		ok = s.answered("Password:", "", false) == s.p.script.password && user == s.p.script.user
	case "CRAM-MD5":
		const challenge = "<1896.697170952@peer.test>"
		mac := hmac.New(md5.New, []byte(s.p.script.password))
		mac.Write([]byte(challenge))
		ok = s.answered(challenge, "", false) == s.p.script.user+" "+hex.EncodeToString(mac.Sum(nil))
	default:
		s.reply("AUTH", "504 5.5.4 Error: unknown mechanism")
		return
	}
	switch {
	case s.over:
	case !ok:
		s.reply("AUTH", "535 5.7.8 Error: authentication failed")
	case s.reply("AUTH", "235 2.7.0 Authentication successful")/100 == 2:
		s.user = s.p.script.user
	}
}

// answered is the decoded initial response, or the answer to a challenge.
func (s *session) answered(challenge, initial string, given bool) string {
	if !given {
		if s.over || s.reply("", "334 "+base64.StdEncoding.EncodeToString([]byte(challenge))) != 334 {
			return ""
		}
		line, ok := s.readLine()
		if !ok {
			s.over = true
			return ""
		}
		initial = line
	}
	b, err := base64.StdEncoding.DecodeString(initial)
	if err != nil {
		return ""
	}
	return string(b)
}
