package boltstore

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"superlistd/lists"
)

// The versions of a list: plainList, with settings that it would lose, and with digests,
// which the one before would lose.
const (
	plainList = 1 + iota
	listSettings
	listDigests
	listVersion = listDigests
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
	// Settings are those that are not on their default, but for the fields above; as
	// text, so that a setting which comes later needs no version. A setting that this
	// program does not know is of a later one.
	Settings    map[string]string `json:"settings,omitempty"`
	Members     int               `json:"members"`
	UTF8Members int               `json:"utf8_members,omitempty"`
	Digests     digestsRecord     `json:"digests,omitzero"`
}

// digestsRecord are lists.Digests.
type digestsRecord struct {
	Number  int       `json:"number,omitempty"`
	Volume  int       `json:"volume,omitempty"`
	Issue   int       `json:"issue,omitempty"`
	Sent    time.Time `json:"sent,omitzero"`
	Members int       `json:"members,omitempty"`
	Switch  int       `json:"switch,omitempty"`
}

// settingsOfOne are those that version 1 knows as fields.
func settingsOfOne() []string {
	return []string{"description", "post", "max_size", "max_recipients", "owners"}
}

func encodeList(l lists.List) ([]byte, error) {
	s := l.Settings
	rec := listRecord{
		V:             plainList,
		Address:       l.Address.String(),
		Created:       l.Created.UTC().Truncate(time.Second),
		Description:   s.Description,
		Post:          string(s.Post),
		MaxSize:       s.MaxSize,
		MaxRecipients: s.MaxRecipients,
		Members:       l.Members,
		UTF8Members:   l.UTF8Members,
		Digests:       digestsRecord(l.Digests),
	}
	for _, a := range s.Owners {
		rec.Owners = append(rec.Owners, a.String())
	}
	for _, setting := range lists.SettingTable() {
		if text := setting.Get(s); text != setting.Default && !slices.Contains(settingsOfOne(), setting.Name) {
			if rec.Settings == nil {
				rec.Settings = map[string]string{}
			}
			rec.Settings[setting.Name] = text
		}
	}
	// Version 1 knows three policies only.
	if rec.Settings != nil || s.Post == lists.PostOwners || s.Post == lists.PostModerators {
		rec.V = listSettings
	}
	if rec.Digests != (digestsRecord{}) {
		rec.V = listDigests
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
		Address: a, Created: rec.Created, Settings: lists.DefaultSettings(),
		Members: rec.Members, UTF8Members: rec.UTF8Members, Digests: lists.Digests(rec.Digests),
	}
	s := &l.Settings
	s.Description, s.Post = rec.Description, lists.PostPolicy(rec.Post)
	s.MaxSize, s.MaxRecipients = rec.MaxSize, rec.MaxRecipients
	for _, text := range rec.Owners {
		owner, err := lists.ParseAddress(text)
		if err != nil {
			return lists.List{}, err
		}
		s.Owners = append(s.Owners, owner)
	}
	if err := decodeSettings(s, rec.Settings); err != nil {
		return lists.List{}, err
	}
	l.Settings, err = s.Checked()
	return l, err
}

func decodeSettings(s *lists.Settings, texts map[string]string) error {
	if len(texts) == 0 {
		return nil
	}
	known := 0
	for _, setting := range lists.SettingTable() {
		text, ok := texts[setting.Name]
		if !ok {
			continue
		}
		known++
		if err := setting.Set(s, text); err != nil {
			return fmt.Errorf("%s: %w", setting.Name, err)
		}
	}
	if known != len(texts) {
		return fmt.Errorf("%w: list record with a setting that this program does not know", lists.ErrSchema)
	}
	return nil
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
