package bounce

import (
	"net/url"
	"strings"

	"superlistd/lists"
)

// Feedback is what a complaint says (RFC 5965). All of it was written by a stranger.
type Feedback struct {
	// Type is the Feedback-Type, in lower case: "abuse"; "" when the report has none.
	Type string
	// Links are the web addresses in List-Unsubscribe of the message that somebody complains about, and Paths the addresses
	// to which failures of it would have come, as far as the report tells; at most maxTraces each.
	Links []string
	Paths []lists.Address
}

// maxTraces is more than any mail of ours has.
const maxTraces = 10

// feedback reads a complaint.
func (l *letter) feedback() Feedback {
	var f Feedback
	for _, p := range l.parts {
		if p.kind != feedbackKind {
			continue
		}
		for body := p.body; len(body) > 0; {
			var name, value string
			name, value, body = cutField(body)
			switch {
			case name == "feedback-type" && f.Type == "":
				f.Type, _, _ = strings.Cut(fold(value), " ")
			case name == "original-mail-from":
				f.path(value)
			}
		}
	}
	for _, v := range l.original.Values("Return-Path") {
		f.path(v)
	}
	for _, v := range l.original.Values("List-Unsubscribe") {
		f.trace(v)
	}
	return f
}

// trace takes the addresses of a List-Unsubscribe (RFC 2369 section 2).
func (f *Feedback) trace(value string) {
	for range 2 * maxTraces {
		_, rest, found := strings.Cut(value, "<")
		link, rest, closed := strings.Cut(rest, ">")
		if !found || !closed {
			return
		}
		value = rest
		link = strings.Join(strings.Fields(link), "") // what is folded there is no blank of the address
		scheme, address, _ := strings.Cut(link, ":")
		switch fold(scheme) {
		case "https", "http":
			if len(f.Links) < maxTraces {
				f.Links = append(f.Links, link)
			}
		case "mailto":
			address, _, _ = strings.Cut(address, "?")
			if plain, err := url.PathUnescape(address); err == nil {
				f.path(plain)
			}
		}
	}
}

func (f *Feedback) path(value string) {
	a, err := lists.ParseAddress(strings.Trim(value, "<> \t"))
	if err == nil && len(f.Paths) < maxTraces {
		f.Paths = append(f.Paths, a)
	}
}
