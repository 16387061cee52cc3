package message

import (
	"crypto/sha256"
	"io"
)

// Digest names a message by its content, the same at every attempt of its sender. Trace fields differ from one
// attempt to the next, so of the header only what the author wrote counts: Message-ID, Date, From and Subject.
// Without Message-ID and Date two posts of the same words cannot be told from two attempts, and ok is false.
func Digest(h Header, body io.Reader) (sum [sha256.Size]byte, ok bool, err error) {
	if !h.Has("Message-ID") && !h.Has("Date") {
		return sum, false, nil
	}
	hash := sha256.New()
	for _, name := range []string{"Message-ID", "Date", "From", "Subject"} {
		for _, v := range h.Values(name) {
			io.WriteString(hash, name+":"+v+"\n") // Values are unfolded, so no value looks like two
		}
	}
	io.WriteString(hash, "\n")
	if _, err := io.Copy(hash, body); err != nil {
		return sum, false, err
	}
	hash.Sum(sum[:0])
	return sum, true, nil
}
