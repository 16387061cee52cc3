package boltstore

import (
	"encoding/binary"
	"errors"
	"time"

	"superlistd/lists"
)

// Records of a history have fixed lengths, and no version but the file's: an older
// program refuses the file.

var errHistory = errors.New("record of a history is damaged")

const timeSize = 8 // nanoseconds since 1970, UTC

// post is what counts for the limits per hour.
type post struct {
	at     time.Time
	author digest
}

// message is what is known of a message. One that never came to the list has the zero
// author.
type message struct {
	at             time.Time
	thread, author digest
}

func appendTime(dst []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(t.UnixNano()))
}

func decodeTime(value []byte) (time.Time, error) {
	if len(value) != timeSize {
		return time.Time{}, errHistory
	}
	return time.Unix(0, int64(binary.BigEndian.Uint64(value))), nil
}

func appendPost(dst []byte, p lists.Posted) []byte {
	author := digestOf(p.Author.Key())
	return append(appendTime(dst, p.At), author[:]...)
}

func decodePost(value []byte) (p post, err error) {
	if len(value) != timeSize+len(p.author) {
		return post{}, errHistory
	}
	p.at, err = decodeTime(value[:timeSize])
	copy(p.author[:], value[timeSize:])
	return p, err
}

func appendMessage(dst []byte, m message) []byte {
	dst = append(appendTime(dst, m.at), m.thread[:]...)
	return append(dst, m.author[:]...)
}

func decodeMessage(value []byte) (m message, err error) {
	if len(value) != timeSize+len(m.thread)+len(m.author) {
		return message{}, errHistory
	}
	m.at, err = decodeTime(value[:timeSize])
	rest := value[timeSize:]
	copy(m.thread[:], rest)
	copy(m.author[:], rest[len(m.thread):])
	return m, err
}

func messageKey(id digest) []byte { return append([]byte{prefixMessage}, id[:]...) }

func personKey(thread, who digest) []byte {
	key := append([]byte{prefixPerson}, thread[:]...)
	return append(key, who[:]...)
}
