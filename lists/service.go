package lists

import "strings"

// Service is one of the addresses that come with every list: LIST-owner@DOMAIN.
type Service string

// The services of a list. ServiceSubscribe is also reached by "-join", and
// ServiceUnsubscribe by "-leave".
const (
	ServiceOwner       Service = "owner"
	ServiceRequest     Service = "request"
	ServiceSubscribe   Service = "subscribe"
	ServiceUnsubscribe Service = "unsubscribe"
	ServiceHelp        Service = "help"
	ServiceBounces     Service = "bounces"
	ServiceConfirm     Service = "confirm"
)

// services returns every suffix that names a service, the aliases included.
func services() []struct {
	suffix   string
	service  Service
	extended bool
} {
	return []struct {
		suffix   string
		service  Service
		extended bool // takes the delimiter and an extension
	}{
		{"owner", ServiceOwner, false},
		{"request", ServiceRequest, false},
		{"subscribe", ServiceSubscribe, false},
		{"join", ServiceSubscribe, false},
		{"unsubscribe", ServiceUnsubscribe, false},
		{"leave", ServiceUnsubscribe, false},
		{"help", ServiceHelp, false},
		{"bounces", ServiceBounces, true},
		{"confirm", ServiceConfirm, true},
	}
}

// Kind says what an address is to us.
type Kind int

// The kinds of a Target.
const (
	// Relay: not in our domains; the next hop decides.
	Relay Kind = iota
	// Post: the address of a list.
	Post
	// ToService: a service address of a list.
	ToService
	// Postmaster: postmaster of one of our domains (RFC 5321 section 4.5.1).
	Postmaster
)

// String returns a word for logs.
func (k Kind) String() string {
	switch k {
	case Relay:
		return "relay"
	case Post:
		return "post"
	case ToService:
		return "service"
	case Postmaster:
		return "postmaster"
	}
	return "unknown"
}

// Target is what Directory.Resolve found.
type Target struct {
	Kind Kind
	// List is the list of Post and ToService, else nil. It is shared: do not change it.
	List *List
	// Service is the service of ToService, else "".
	Service Service
	// Extension follows the delimiter of ServiceBounces and ServiceConfirm, in the
	// case that was given (keys and tokens depend on it); "" without one.
	Extension string
}

// split is one way to read a local part as a service address.
type split struct {
	list      string // local part of the list
	service   Service
	extension string
}

// splits returns every way to read local as a service address, the one with the
// longest list first: the longest list that exists wins.
func splits(local, delimiter string) []split {
	var found []split
	folded := foldASCII(local)
	for i := len(folded) - 1; i > 0; i-- {
		if folded[i] != '-' {
			continue
		}
		rest := folded[i+1:]
		for _, s := range services() {
			tail, ok := strings.CutPrefix(rest, s.suffix)
			if ok && (tail == "" || s.extended && delimiter != "" && strings.HasPrefix(tail, delimiter)) {
				ext := ""
				if tail != "" {
					ext = local[len(local)-len(tail)+len(delimiter):]
				}
				found = append(found, split{local[:i], s.service, ext})
			}
		}
	}
	return found
}
