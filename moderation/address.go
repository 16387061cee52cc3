package moderation

import (
	"errors"
	"strings"

	"superlistd/lists"
	"superlistd/moderation/held"
	"superlistd/token"
)

// purpose is that of the tokens which decide about a held post; heldLetter begins an extension with one, since others answer to
// LIST-confirm as well.
const (
	purpose    = "held post"
	heldLetter = 'h'
)

// answerAddress is where the answer about a held post goes. "team-confirm+h", 12 and 16 characters: a list's name may have 25
// of them until the local part passes 64 octets (RFC 5321 section 4.5.3.1.1).
func (o *Office) answerAddress(l lists.Address, id string) lists.Address {
	return lists.Address{
		Local:  l.Local + "-" + string(lists.ServiceConfirm) + o.opts.Delimiter + string(heldLetter) + id + o.opts.Keys.Make(purpose, l.Key(), id),
		Domain: l.Domain,
	}
}

// Known tells at RCPT whether LIST-confirm takes mail with this extension: nil, or ErrToken when we did not make it or it is not
// good any more. Other errors are trouble with the disk. A forged one costs no look at the disk.
func (o *Office) Known(list lists.Address, extension string) error {
	_, err := o.lookup(list, extension)
	return err
}

// lookup finds the held post that an extension stands for.
func (o *Office) lookup(list lists.Address, extension string) (held.Facts, error) {
	id, ok := o.verified(list, extension)
	if !ok {
		return held.Facts{}, ErrToken
	}
	f, err := o.opts.Held.Get(id)
	if errors.Is(err, held.ErrGone) || err == nil && f.List.Key() != list.Key() {
		return held.Facts{}, ErrToken
	}
	return f, err
}

// verified reads an extension in any case.
func (o *Office) verified(list lists.Address, extension string) (id string, ok bool) {
	const room = len(string(heldLetter)) + idLength
	if len(extension) != room+token.Length {
		return "", false
	}
	extension = strings.ToLower(extension)
	if len(extension) != room+token.Length || extension[0] != heldLetter {
		return "", false
	}
	id = extension[1:room]
	return id, held.Valid(id) && o.opts.Keys.Check(extension[room:], purpose, list.Key(), id)
}

// idLength is that of held.Facts.ID.
const idLength = 12
