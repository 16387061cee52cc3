package bounce

import "strings"

// ofClient tells an answer that names the network address of a host behind its code, which is that of the host that asked. What
// reports add of the host that answered does not count.
func ofClient(s string) bool {
	const most = 200 // octets of the answer
	at := replyAt(s)
	if at < 0 {
		return false
	}
	s = s[at:min(len(s), at+most)]
	s, _, _ = strings.Cut(s, "giving up on")
	for i := 3; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' || inNumber(s[i-1]) || s[i-1] == '-' {
			continue
		}
		n := network(s[i:])
		if n == 0 || strings.HasPrefix(s[i+n:], " [") {
			continue
		}
		words := strings.Fields(strings.TrimRight(s[:i], " [(<="))
		last := strings.TrimRight(words[len(words)-1], ".")
		return last == statusIn(last) || !strings.Contains(last, ".") // not the name of the host that answered
	}
	return false
}

// network is the length of the address of IPv4 that s begins with; 0: there is none.
func network(s string) int {
	i := 0
	for part := range 4 {
		if part > 0 {
			if i >= len(s) || s[i] != '.' {
				return 0
			}
			i++
		}
		v, n := digits(s[i:])
		if n == 0 || v > 255 {
			return 0
		}
		i += n
	}
	if i < len(s) && (inNumber(s[i]) && s[i] != '.' || s[i] == '.' && i+1 < len(s) && inNumber(s[i+1])) {
		return 0
	}
	return i
}
