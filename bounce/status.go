package bounce

import "strings"

// statusIn finds the first code of RFC 3463 in a text: three numbers, neither part of an address of a host nor of a version nor of a date.
func statusIn(s string) string {
	for i := 0; i+4 < len(s); i++ {
		if c := s[i]; c != '2' && c != '4' && c != '5' || s[i+1] != '.' || i > 0 && inNumber(s[i-1]) {
			continue
		}
		subject, n := digits(s[i+2:])
		j := i + 2 + n
		if n == 0 || n > 1 || subject > 7 || j >= len(s) || s[j] != '.' {
			continue
		}
		_, n = digits(s[j+1:])
		end := j + 1 + n
		if n == 0 || n > 3 || end < len(s) && isAlpha(s[end]) || end+1 < len(s) && s[end] == '.' && '0' <= s[end+1] && s[end+1] <= '9' {
			continue
		}
		return s[i:end]
	}
	return ""
}

func inNumber(c byte) bool { return '0' <= c && c <= '9' || c == '.' || isAlpha(c) }

// digits reads the number at the start of s, at most 4 digits.
func digits(s string) (value, n int) {
	for n < len(s) && n < 4 && '0' <= s[n] && s[n] <= '9' {
		value = value*10 + int(s[n]-'0')
		n++
	}
	return value, n
}

// replyIn finds the first reply code of SMTP for a failure (RFC 5321 section 4.2); 0: there is none.
func replyIn(s string) int {
	i := replyAt(s)
	if i < 0 {
		return 0
	}
	v, _ := digits(s[i:])
	return v
}

// replyAt is where that code stands; -1: there is none.
func replyAt(s string) int {
	for i := 0; i+3 <= len(s); i++ {
		if c := s[i]; c != '4' && c != '5' || i > 0 && strings.IndexByte(" \t:;(\"'#=<[", s[i-1]) < 0 {
			continue
		}
		v, n := digits(s[i:])
		if n != 3 || v%100 >= 80 || i+3 < len(s) && strings.IndexByte(" -:,;#)\"'.<]", s[i+3]) < 0 {
			continue
		}
		if i+4 < len(s) && s[i+3] == '.' && '0' <= s[i+4] && s[i+4] <= '9' { // an address of a host
			continue
		}
		return i
	}
	return -1
}

// vague tells a code that names no detail: another one may say more.
func vague(status string) bool { return status == "" || strings.HasSuffix(status, ".0") }

// bestStatus is the code that says most: the one given, else one in the diagnostic, else what its reply code means.
func bestStatus(given, diagnostic string) string {
	if vague(given) {
		for rest := diagnostic; ; {
			s := statusIn(rest)
			if s == "" {
				break
			}
			if !vague(s) || given == "" || strings.HasSuffix(given, ".0.0") && (s[2] == '6' || s[2] == '7') { // a class that is never the recipient's
				given = s
			}
			if !vague(s) {
				break
			}
			rest = rest[strings.Index(rest, s)+len(s):]
		}
	}
	if given == "" {
		switch replyIn(diagnostic) / 100 {
		case 4:
			return "4.0.0"
		case 5:
			return "5.0.0"
		}
	}
	return given
}
