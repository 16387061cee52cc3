package lists

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// PostPolicy says who may post.
type PostPolicy string

// The post policies.
const (
	PostMembers PostPolicy = "members"
	PostAnyone  PostPolicy = "anyone"
	PostNobody  PostPolicy = "nobody"
)

// maxDescription is in characters: what fits a header line with the List-Id.
const maxDescription = 200

// Settings are what the owner of a list decides. SettingTable describes them.
type Settings struct {
	// Description of the list in one line; may be "".
	Description string
	// Post says who may post.
	Post PostPolicy
	// MaxSize of a post in octets; 0 is no limit.
	MaxSize int64
	// MaxRecipients is how many addresses To and Cc may name; 0 is no limit.
	MaxRecipients int
	// Owners get mail to LIST-owner and, so far, to the other services.
	Owners []Address
}

// Checked returns a copy as stores keep it, which shares nothing with s, or ErrSetting,
// wrapped, for values that no Setting would have set. No policy means PostMembers.
func (s Settings) Checked() (Settings, error) {
	if s.Post == "" {
		s.Post = PostMembers
	}
	s = s.Clone()
	if err := setPost(&s, string(s.Post)); err != nil {
		return Settings{}, err
	}
	if err := setDescription(&s, s.Description); err != nil {
		return Settings{}, err
	}
	if s.MaxSize < 0 || s.MaxRecipients < 0 {
		return Settings{}, fmt.Errorf("%w: a limit below 0", ErrSetting)
	}
	for _, a := range s.Owners {
		if err := a.Check(); err != nil {
			return Settings{}, fmt.Errorf("%w: %w", ErrSetting, err)
		}
	}
	return s, nil
}

// Clone returns a copy that shares nothing with s.
func (s Settings) Clone() Settings {
	s.Owners = append([]Address(nil), s.Owners...)
	return s
}

// DefaultSettings are those of a new list.
func DefaultSettings() Settings { return Settings{Post: PostMembers} }

// Setting describes one setting as text, for commands and documents.
type Setting struct {
	Name, Type, Default, Help string
	// Get returns the value in the form that Set takes.
	Get func(Settings) string
	// Set changes the value, or leaves it and returns ErrSetting, wrapped.
	Set func(*Settings, string) error
}

// SettingTable returns all settings, in the order in which they are shown.
func SettingTable() []Setting {
	table := []Setting{
		{
			Name: "description", Type: "one line of text, at most 200 characters",
			Help: "what the list is for; goes into List-Id",
			Get:  func(s Settings) string { return s.Description },
			Set:  setDescription,
		},
		{
			Name: "post", Type: "members, anyone or nobody",
			Help: "who may post",
			Get:  func(s Settings) string { return string(s.Post) },
			Set:  setPost,
		},
		{
			Name: "max_size", Type: `size such as 500kB or 10MB, or "none"`,
			Help: "largest post",
			Get:  func(s Settings) string { return FormatSize(s.MaxSize) },
			Set:  setMaxSize,
		},
		{
			Name: "max_recipients", Type: `number, or "none"`,
			Help: "most addresses that To and Cc of a post may name",
			Get:  func(s Settings) string { return formatCount(s.MaxRecipients) },
			Set:  setMaxRecipients,
		},
		{
			Name: "owners", Type: "addresses, comma separated",
			Help: "who gets mail to LIST-owner and the other service addresses",
			Get:  func(s Settings) string { return formatOwners(s.Owners) },
			Set:  setOwners,
		},
	}
	for i := range table {
		table[i].Default = table[i].Get(DefaultSettings())
	}
	return table
}

// LookupSetting returns one setting; ErrUnknownSetting names those that exist.
func LookupSetting(name string) (Setting, error) {
	var known []string
	for _, s := range SettingTable() {
		if s.Name == name {
			return s, nil
		}
		known = append(known, s.Name)
	}
	return Setting{}, fmt.Errorf("%q: %w (there are: %s)", name, ErrUnknownSetting, strings.Join(known, ", "))
}

func setDescription(s *Settings, v string) error {
	v = strings.TrimSpace(v)
	if err := checkText(v); err != nil {
		return fmt.Errorf("%w: %w", ErrSetting, err)
	}
	if n := utf8.RuneCountInString(v); n > maxDescription {
		return fmt.Errorf("%w: %d characters; at most %d", ErrSetting, n, maxDescription)
	}
	s.Description = v
	return nil
}

func setPost(s *Settings, v string) error {
	switch p := PostPolicy(v); p {
	case PostMembers, PostAnyone, PostNobody:
		s.Post = p
		return nil
	}
	return fmt.Errorf("%q: %w: members, anyone or nobody", v, ErrSetting)
}

func setMaxSize(s *Settings, v string) error {
	n, err := ParseSize(v)
	if err != nil {
		return err
	}
	s.MaxSize = n
	return nil
}

func setMaxRecipients(s *Settings, v string) error {
	if v == "none" {
		v = "0"
	}
	n, err := strconv.ParseUint(v, 10, 31)
	if err != nil {
		return fmt.Errorf(`%q: %w: a number up to %d, or "none"`, v, ErrSetting, math.MaxInt32)
	}
	s.MaxRecipients = int(n)
	return nil
}

func formatCount(n int) string {
	if n == 0 {
		return "none"
	}
	return strconv.Itoa(n)
}
