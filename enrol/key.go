package enrol

import (
	"strings"

	"superlistd/lists"
	"superlistd/token"
)

// The first letters of extensions: others answer to LIST-confirm as well.
const (
	confirmLetter = 'r' // who it is about confirms
	approveLetter = 'a' // an owner decides
)

// purpose is that of the tokens which answer a request.
const purpose = "enrol answer"

// extensionLength is that of "r", a request, its nonce and a token.
const extensionLength = 1 + idLength + nonceLength + token.Length

// mine tells whether an extension of LIST-confirm has the form of one of this desk; others are somebody else's.
func mine(extension string) bool {
	return len(extension) == extensionLength && isBase32(strings.ToLower(extension)) && strings.IndexByte("raRA", extension[0]) >= 0
}

// extension is what stands behind the delimiter. "team-confirm+" and 31 characters: a list's name may have 24 of them until the local
// part passes 64 octets (RFC 5321 section 4.5.3.1.1).
func (d *Desk) extension(r request, letter byte) string {
	return string(letter) + r.id + r.Nonce + d.opts.Keys.Make(purpose, string(letter), r.List.Key(), r.id, r.Nonce)
}

// keyed is the address that answers a request.
func (d *Desk) keyed(r request, letter byte) lists.Address {
	return lists.Address{
		Local:  r.List.Local + "-" + string(lists.ServiceConfirm) + d.opts.Delimiter + d.extension(r, letter),
		Domain: r.List.Domain,
	}
}

// Known tells at RCPT whether LIST-confirm takes mail with this extension: nil, or ErrToken when we did not make it or it is not
// good any more. Other errors are trouble with the disk. A forged one costs no look at the disk.
func (d *Desk) Known(l lists.Address, extension string) error {
	_, _, err := d.lookup(l, extension)
	return err
}

// lookup finds the request that an extension, in any case, stands for.
func (d *Desk) lookup(l lists.Address, extension string) (r request, letter byte, err error) {
	extension = strings.ToLower(extension)
	if !mine(extension) {
		return request{}, 0, ErrToken
	}
	letter = extension[0]
	id, nonce, mac := extension[1:1+idLength], extension[1+idLength:1+idLength+nonceLength], extension[1+idLength+nonceLength:]
	if !d.opts.Keys.Check(mac, purpose, string(letter), l.Key(), id, nonce) {
		return request{}, 0, ErrToken
	}
	r, found, err := d.load(id)
	if err != nil {
		return request{}, 0, err
	}
	if !found || r.Nonce != nonce || r.List.Key() != l.Key() {
		return request{}, 0, ErrToken
	}
	return r, letter, nil
}
