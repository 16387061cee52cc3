package lists

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Member is somebody who gets the posts of a list.
type Member struct {
	// Address as it was given: mail goes to this spelling.
	Address Address
	// Name for people; may be "".
	Name string
	// Since is when the member was added; kept in UTC, to the second.
	Since time.Time
	// Moderated holds every post of the member.
	Moderated bool
	// PostOK lets the member post whatever Settings.Post says (but PostNobody), and
	// unmoderated when From is proven.
	PostOK bool
	// Aliases are other addresses that may post as the member.
	Aliases []Address
	// Posts is how many posts were accepted so far, as far as they were counted:
	// moderation of newcomers counts them until a member is none any more.
	Posts int
	// NoMeToo keeps the member's own posts from him.
	NoMeToo bool
	// Language of what the list writes to the member; "" is the list's.
	Language string
	// Delivery, Suspended and Disabled say which posts the member gets and how, see Gets: what
	// he wants, for which days none, and whether his address sends mail back.
	Delivery  Delivery
	Suspended Suspension
	Disabled  Disabled
	// Before is the delivery that held before issue From of the list's digests, from which on
	// Delivery holds, and Earlier those before it, the oldest first. With From 0, Delivery has
	// always held. Stores keep them: what a caller sets is ignored.
	Before  Delivery
	From    int
	Earlier []Switch
}

// MeToo reports whether the member gets his own posts.
func (m Member) MeToo() bool { return !m.NoMeToo }

const (
	maxAliases = 20
	// maxMemberPosts is where counting ends.
	maxMemberPosts = 1_000_000_000
)

// Check gives ErrAddress or ErrSetting, wrapped, for a member that no store may keep: an
// Address that ParseAddress would not have made, a name with control characters (it
// would end up in a header), options that no MemberOption would have set.
func (m Member) Check() error {
	if err := m.Address.Check(); err != nil {
		return err
	}
	if err := checkText(m.Name); err != nil {
		return fmt.Errorf("name of %s: %w: %w", m.Address, ErrAddress, err)
	}
	for i, a := range m.Aliases {
		if err := a.Check(); err != nil {
			return fmt.Errorf("alias of %s: %w", m.Address, err)
		}
		if a.Key() == m.Address.Key() || containsAddress(m.Aliases[:i], a) {
			return fmt.Errorf("%s: %w: the alias %s is given twice, or is the address itself", m.Address, ErrSetting, a)
		}
		if i == maxAliases {
			return fmt.Errorf("%s: %w: more than %d aliases", m.Address, ErrSetting, maxAliases)
		}
	}
	switch {
	case m.Moderated && m.PostOK:
		return fmt.Errorf("%s: %w: moderated and post_ok exclude each other", m.Address, ErrSetting)
	case m.Posts < 0 || m.Posts > maxMemberPosts:
		return fmt.Errorf("%s: %w: %d posts", m.Address, ErrSetting, m.Posts)
	case m.Language != "" && !slices.Contains(Languages(), m.Language):
		return fmt.Errorf("%s: %w: language %s", m.Address, ErrSetting, shorten(m.Language))
	}
	if err := m.checkReceiving(); err != nil {
		return fmt.Errorf("%s: %w", m.Address, err)
	}
	return nil
}

// Clone returns a copy that shares nothing with m.
func (m Member) Clone() Member {
	m.Aliases = cloneSlice(m.Aliases)
	m.Earlier = cloneSlice(m.Earlier)
	return m
}

// Joining is a member as stores keep him who is added to a list. For engines.
func (m Member) Joining() Member {
	m = m.Stored()
	m.Before, m.From, m.Earlier = DeliveryMail, 0, nil
	return m
}

// Stored returns a copy as stores keep it: times in UTC, to the second or to the day.
func (m Member) Stored() Member {
	m = m.Clone()
	m.Since = m.Since.UTC().Truncate(time.Second)
	m.Disabled.Since = m.Disabled.Since.UTC().Truncate(time.Second)
	m.Suspended = Suspension{From: midnight(m.Suspended.From), Until: midnight(m.Suspended.Until)}
	return m
}

// EditMember lets change edit a copy of a member, while an issue of digests is gathered (Digests.Number), and returns it as stores keep it, or an
// error: of change, of Member.Check, or ErrAddress when the Key has changed. For engines.
func EditMember(m Member, issue int, change func(*Member) error) (Member, error) {
	edited := m.Clone()
	if err := change(&edited); err != nil {
		return Member{}, err
	}
	edited = edited.switched(m, issue)
	if err := edited.Check(); err != nil {
		return Member{}, err
	}
	if edited.Address.Key() != m.Address.Key() {
		return Member{}, fmt.Errorf("%s: %w: it cannot become %s", m.Address, ErrAddress, edited.Address)
	}
	return edited.Stored(), nil
}

// CountPost counts an accepted post of a member. That he has left meanwhile is no error.
func CountPost(ctx context.Context, s Store, list, member Address) error {
	_, err := s.UpdateMember(ctx, list, member, func(m *Member) error {
		m.Posts = min(m.Posts+1, maxMemberPosts)
		return nil
	})
	if errors.Is(err, ErrNoMember) {
		return nil
	}
	return err
}

// MemberOption describes one option of a member as text, for commands and documents.
type MemberOption struct {
	Name, Type, Default, Help, Example string
	// Get returns the value in the form that Set takes.
	Get func(Member) string
	// Set changes the value, or leaves it and returns ErrSetting, wrapped.
	Set func(*Member, string) error
}

// MemberOptionTable returns all options, in the order in which they are shown.
func MemberOptionTable() []MemberOption {
	aliases := kind[[]Address]{"addresses, comma separated", formatAddresses, parseAddresses, nil}
	table := []MemberOption{
		option("moderated", "hold every post of the member", "on", toggle(), func(m *Member) *bool { return &m.Moderated }),
		option("post_ok", "may post whatever the list's post says", "on",
			toggle(), func(m *Member) *bool { return &m.PostOK }),
		option("aliases", "other addresses that may post as the member", "ann@home.example",
			aliases, func(m *Member) *[]Address { return &m.Aliases }),
		option("metoo", "gets his own posts", "off", inverted(toggle()), func(m *Member) *bool { return &m.NoMeToo }),
		option("language", "of what the list writes to the member", "fr",
			memberLanguage(), func(m *Member) *string { return &m.Language }),
		option("posts", "accepted posts that moderation of newcomers has counted", "5",
			count("none", maxMemberPosts), func(m *Member) *int { return &m.Posts }),
		option("delivery", "gets each post, many in one mail (digest with parts, plain as one text), or none", "digest",
			delivery(), func(m *Member) *Delivery { return &m.Delivery }),
		option("suspend", "gets no posts on these days", "2026-12-01..2026-12-15",
			suspension(), func(m *Member) *Suspension { return &m.Suspended }),
		option("disabled", "gets no posts, because mail to him came back", "2026-12-01T10:00:00Z no such mailbox",
			disabled(), func(m *Member) *Disabled { return &m.Disabled }),
	}
	for i := range table {
		table[i].Default = table[i].Get(Member{})
	}
	return table
}

// LookupMemberOption returns one option; ErrUnknownSetting names those that exist.
func LookupMemberOption(name string) (MemberOption, error) {
	table := MemberOptionTable()
	var names []string
	for _, o := range table {
		if o.Name == name {
			return o, nil
		}
		names = append(names, o.Name)
	}
	return MemberOption{}, unknown(name, names)
}

func option[T any](name, help, example string, k kind[T], field func(*Member) *T) MemberOption {
	return MemberOption{
		Name: name, Type: k.typ, Help: help, Example: example,
		Get: func(m Member) string { return k.format(*field(&m)) },
		Set: func(m *Member, v string) error { return k.set(field(m), v) },
	}
}

// inverted is for a field whose zero value is "on".
func inverted(k kind[bool]) kind[bool] {
	return kind[bool]{
		typ:    k.typ,
		format: func(v bool) string { return k.format(!v) },
		parse: func(s string) (bool, error) {
			v, err := k.parse(s)
			return !v, err
		},
	}
}

// memberLanguage is a language, or "list" for the list's.
func memberLanguage() kind[string] {
	const asList = "list"
	k := choice(append([]string{asList}, Languages()...)...)
	read := k.parse
	k.parse = func(s string) (string, error) {
		v, err := read(s)
		if v == asList {
			v = ""
		}
		return v, err
	}
	return k
}
