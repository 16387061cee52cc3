package web

import (
	"encoding/base64"
	"strings"

	"superlistd/lists"
	"superlistd/token"
)

// Links makes the addresses of the pages, and reads them. The zero Links has none.
type Links struct {
	base string
	keys *token.Keys
}

// NewLinks returns the links below base, the https URL of the site without a slash at its end; with an empty base there are none.
func NewLinks(base string, keys *token.Keys) Links { return Links{base, keys} }

// A page has a letter in its path, and a purpose of its tokens.
const (
	memberPage    = "u/"
	listPage      = "l/"
	memberPurpose = "leave a list by the web"
	listPurpose   = "list's page in the web"
)

// maxLink bounds what is read, in characters: two addresses of the greatest length make 871.
const maxLink = 1024

// URL is where a member leaves a list; "" when there is no site. Whoever has it may, so it goes to that member alone. It does not
// expire: people leave by mails that are years old.
func (k Links) URL(list, member lists.Address) string {
	return k.make(memberPage, memberPurpose, list.Key(), member.Key())
}

// ListURL is where anybody may ask to leave a list, to be asked back by mail; "" when there is no site.
func (k Links) ListURL(list lists.Address) string { return k.make(listPage, listPurpose, list.Key()) }

// make writes the keys in base64, since an address may hold whatever a path may not, and the token. The keys are told apart by an
// octet that no address has.
func (k Links) make(page, purpose string, keys ...string) string {
	if k.base == "" {
		return ""
	}
	return k.base + "/" + page + base64.RawURLEncoding.EncodeToString([]byte(strings.Join(keys, "\x00"))) + k.keys.Make(purpose, keys...)
}

// link is what a path stands for; member is zero on a list's page.
type link struct{ list, member lists.Address }

// read gives the link of a path below the site; false: we did not make it.
func (k Links) read(path string) (link, bool) {
	if text, ok := strings.CutPrefix(path, memberPage); ok {
		return k.verified(text, memberPurpose)
	}
	if text, ok := strings.CutPrefix(path, listPage); ok {
		return k.verified(text, listPurpose)
	}
	return link{}, false
}

// Member reads a link that URL has made, wherever it comes back from; false: we did not make it.
func (k Links) Member(url string) (list, member lists.Address, ok bool) {
	path, ours := strings.CutPrefix(url, k.base+"/")
	if k.base == "" || !ours || !strings.HasPrefix(path, memberPage) {
		return list, member, false
	}
	l, ok := k.read(path)
	return l.list, l.member, ok
}

func (k Links) verified(text, purpose string) (l link, ok bool) {
	at := len(text) - token.Length
	if at < 0 || len(text) > maxLink {
		return link{}, false
	}
	octets, err := base64.RawURLEncoding.Strict().DecodeString(text[:at])
	keys := strings.Split(string(octets), "\x00")
	if err != nil || !k.keys.Check(text[at:], purpose, keys...) {
		return link{}, false
	}
	if l.list, ok = ofKey(keys[0]); ok && purpose == memberPurpose {
		l.member, ok = ofKey(keys[1]) // who has a token has both
	}
	return l, ok
}

// ofKey is the address that a key is of, in lower case.
func ofKey(key string) (lists.Address, bool) {
	at := strings.LastIndexByte(key, '@')
	if at < 0 {
		return lists.Address{}, false
	}
	a := lists.Address{Local: key[:at], Domain: key[at+1:]}
	return a, a.Check() == nil
}
