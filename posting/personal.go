package posting

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"superlistd/identity"
	"superlistd/lists"
	"superlistd/message"
)

// errNote says that the note to a copy is not one that we wrote.
var errNote = errors.New("note of a personal copy not readable")

// note is what the signatures of personal copies need of a body that is the same for all: how much of the header is signed, and the
// hash of the rest.
func note(outer int, hash identity.BodyHash) string {
	return strconv.Itoa(outer) + " " + base64.StdEncoding.EncodeToString(hash[:])
}

func readNote(text string) (outer int, hash identity.BodyHash, err error) {
	number, encoded, _ := strings.Cut(text, " ")
	outer, err = strconv.Atoi(number)
	raw, broken := base64.StdEncoding.DecodeString(encoded)
	if err != nil || broken != nil || outer < 0 || len(raw) != len(hash) {
		return 0, hash, fmt.Errorf("%w: %q", errNote, text)
	}
	copy(hash[:], raw)
	return outer, hash, nil
}

// AppendOwn appends what a personal copy has above head: the way out of the list for that member, and the signatures over all of it.
// head and note are those of a Copy that was dressed to be personal.
func (d *Desk) AppendOwn(dst []byte, list, member lists.Address, head []byte, note string) ([]byte, error) {
	outer, hash, err := readNote(note)
	if err != nil {
		return dst, err
	}
	if outer > len(head) {
		return dst, fmt.Errorf("%w: a header of %d octets", errNote, outer)
	}
	signer := d.signer(list.Domain)
	own := message.AppendPersonal(nil, lists.List{Address: list}, d.opts.Page(list, member))
	if signer == nil {
		return append(dst, own...), nil
	}
	signed, err := signer.Sign(append(own[:len(own):len(own)], head[:outer]...), hash)
	if err != nil {
		return dst, fmt.Errorf("copy for %s: %w", member, err)
	}
	return append(append(dst, signed...), own...), nil
}

// signer is who signs for a domain, nil for nobody.
func (d *Desk) signer(domain string) *identity.Signer {
	if d.opts.Signer == nil {
		return nil
	}
	return d.opts.Signer(domain)
}
