package boltstore

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"superlistd/lists"
)

const (
	listVersion   = 1
	memberVersion = 1
)

// listRecord is the value of a list. Every program that writes a field which an older
// one would lose raises V, and the older one then refuses the record.
type listRecord struct {
	V             int       `json:"v"`
	Address       string    `json:"address"`
	Created       time.Time `json:"created"`
	Description   string    `json:"description,omitempty"`
	Post          string    `json:"post"`
	MaxSize       int64     `json:"max_size,omitempty"`
	MaxRecipients int       `json:"max_recipients,omitempty"`
	Owners        []string  `json:"owners,omitempty"`
	Members       int       `json:"members"`
	UTF8Members   int       `json:"utf8_members,omitempty"`
}

func encodeList(l lists.List) ([]byte, error) {
	rec := listRecord{
		V:             listVersion,
		Address:       l.Address.String(),
		Created:       l.Created.UTC().Truncate(time.Second),
		Description:   l.Settings.Description,
		Post:          string(l.Settings.Post),
		MaxSize:       l.Settings.MaxSize,
		MaxRecipients: l.Settings.MaxRecipients,
		Members:       l.Members,
		UTF8Members:   l.UTF8Members,
	}
	for _, a := range l.Settings.Owners {
		rec.Owners = append(rec.Owners, a.String())
	}
	return json.Marshal(rec)
}

func decodeList(value []byte) (lists.List, error) {
	var rec listRecord
	err := json.Unmarshal(value, &rec)
	// A later version may have fields of another type: V is read all the same, and tells.
	if err == nil || rec.V > listVersion {
		err = checkRecord("list", rec.V, listVersion)
	}
	if err != nil {
		return lists.List{}, err
	}
	a, err := lists.ParseAddress(rec.Address)
	if err != nil {
		return lists.List{}, err
	}
	l := lists.List{
		Address: a,
		Created: rec.Created,
		Settings: lists.Settings{
			Description:   rec.Description,
			Post:          lists.PostPolicy(rec.Post),
			MaxSize:       rec.MaxSize,
			MaxRecipients: rec.MaxRecipients,
		},
		Members:     rec.Members,
		UTF8Members: rec.UTF8Members,
	}
	for _, text := range rec.Owners {
		owner, err := lists.ParseAddress(text)
		if err != nil {
			return lists.List{}, err
		}
		l.Settings.Owners = append(l.Settings.Owners, owner)
	}
	l.Settings, err = l.Settings.Checked()
	return l, err
}

// checkRecord tells a record of a later version from one that was never written.
func checkRecord(what string, version, known int) error {
	switch {
	case version > known:
		return fmt.Errorf("%w: %s record of version %d, this program knows %d", lists.ErrSchema, what, version, known)
	case version < 1:
		return fmt.Errorf("%s record of version %d", what, version)
	}
	return nil
}

// The value of a member: octet 1 (version), varint of the Unix time, uvarint length of
// the address and the address, or length 0 when it is written like its key; the rest
// is the name.

func appendMember(dst []byte, m lists.Member, key []byte) []byte {
	dst = append(dst, memberVersion)
	dst = binary.AppendVarint(dst, m.Since.Unix())
	address := m.Address.String()
	if address == string(key) {
		address = ""
	}
	dst = binary.AppendUvarint(dst, uint64(len(address)))
	dst = append(dst, address...)
	return append(dst, m.Name...)
}

var errMember = errors.New("member record is damaged")

// splitMember cuts a value without copying: address and name point into key and value.
func splitMember(key, value []byte) (since int64, address, name []byte, err error) {
	if len(value) == 0 {
		return 0, nil, nil, errMember
	}
	if value[0] != memberVersion {
		if err := checkRecord("member", int(value[0]), memberVersion); err != nil {
			return 0, nil, nil, err
		}
	}
	value = value[1:]
	since, n := binary.Varint(value)
	if n <= 0 {
		return 0, nil, nil, errMember
	}
	value = value[n:]
	length, n := binary.Uvarint(value)
	if n <= 0 || length > uint64(len(value)-n) {
		return 0, nil, nil, errMember
	}
	value = value[n:]
	if length == 0 {
		return since, key, value, nil
	}
	return since, value[:length], value[length:], nil
}

// decodeMember returns a copy.
func decodeMember(key, value []byte) (lists.Member, error) {
	since, address, name, err := splitMember(key, value)
	if err != nil {
		return lists.Member{}, err
	}
	a, err := lists.ParseAddress(string(address))
	if err != nil {
		return lists.Member{}, err
	}
	return lists.Member{Address: a, Name: string(name), Since: time.Unix(since, 0).UTC()}, nil
}
