package lists

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Settings are what the owner of a list decides. SettingTable describes them, with
// what each may be. Of the texts that name a choice, "" is the default one.
type Settings struct {
	// Description of the list in one line; may be "".
	Description string
	// Owners get mail to LIST-owner; without Moderators they moderate as well.
	Owners []Address
	// Moderators decide about held posts; without any, the owners do.
	Moderators []Address
	// Language of what the list writes to people: one of Languages.
	Language string

	// Subscribe says who may join by mail, and Unsubscribe when leaving by mail has to be confirmed.
	Subscribe   SubscribePolicy
	Unsubscribe UnsubscribePolicy
	// Welcome and Goodbye are sent to who joins and leaves by mail; OwnersNotice says when the owners are told.
	Welcome, Goodbye bool
	OwnersNotice     OwnersNotice

	// Post says who may post, and Nonmember what becomes of the posts of all others.
	Post      PostPolicy
	Nonmember Action
	// Identity says when a From is believed.
	Identity IdentityPolicy
	// Moderation says whose posts wait for a moderator.
	Moderation Moderation
	// Bans are those who may not post, and Allow those who may without being members.
	Bans, Allow []Pattern
	// ReplyOK lets others answer a thread that they are part of.
	ReplyOK bool
	// Emergency holds every post.
	Emergency bool
	// PostsPerHour limits one author, ListPostsPerHour the list; 0 is no limit.
	PostsPerHour, ListPostsPerHour int
	// NoticeEvery is how long notices to moderators are gathered; 0 is at once.
	NoticeEvery time.Duration
	// HoldDays is how many days a held post waits; 0 is for ever.
	HoldDays int

	// MaxSize of a post in octets; 0 is no limit.
	MaxSize int64
	// MaxRecipients is how many addresses To and Cc may name; 0 is no limit.
	MaxRecipients int
	// ExplicitDestination wants the list named in To or Cc.
	ExplicitDestination bool
	// HeaderRules decide by a field of the header.
	HeaderRules []HeaderRule
	// CatchCommands refuses a lone "unsubscribe".
	CatchCommands bool
	// Attachments is what becomes of parts that neither MimeTypes nor Extensions name.
	Attachments           Action
	MimeTypes, Extensions []TypeRule
	// HTML is HTMLAccept, HTMLText or HTMLRefuse.
	HTML string

	// SubjectPrefix is put before the subject; "" is none.
	SubjectPrefix string
	// ReplyTo is ReplyToAuthor, ReplyToList, or an address.
	ReplyTo string
	// From is FromDMARC, FromKeep, FromList or FromWrap. For FromDMARC, FromDomains are
	// author domains whose From is always rewritten; see RewritesFrom.
	From        string
	FromDomains []string
	// Anonymous hides the author.
	Anonymous bool
	// Header and Footer are texts around the body, lines ended by "\n"; "" is none.
	Header, Footer string
	// KeepDKIM leaves the author's signatures in the post.
	KeepDKIM bool
	// NoDups sends no second copy to a member whom To or Cc names.
	NoDups bool
	// ArchiveURL is where the archive is; "" is none.
	ArchiveURL string
	// Copies says whether members share a copy of a post, and Verp which posts have a
	// reverse-path for each member.
	Copies Copies
	Verp   Verp

	// A digest is sent when its posts have DigestSize octets, are DigestCount posts, or the
	// oldest is DigestHours old; 0 is no reason, and one of them there must be.
	DigestSize               int64
	DigestCount, DigestHours int

	// BounceLimit is how many points a member's bounces make until he is looked at; 0 is
	// never. BounceStorm is the share of the members, in percent, whose bounces of one post
	// are no member's fault; 0 is none.
	BounceLimit, BounceStorm int
}

// DefaultSettings are those of a new list.
func DefaultSettings() Settings {
	return Settings{
		Language:  Languages()[0],
		Subscribe: SubscribeConfirm, Unsubscribe: UnsubscribeConfirm, Welcome: true, Goodbye: true, OwnersNotice: NoticeDaily,
		Post: PostMembers, Nonmember: Refuse, Identity: IdentityUnlessContradicted,
		HoldDays:      14,
		CatchCommands: true, Attachments: Accept, HTML: HTMLAccept,
		ReplyTo: ReplyToAuthor, From: FromDMARC,
		FromDomains: []string{"gmail.com", "googlemail.com", "yahoo.*", "ymail.com", "rocketmail.com", "aol.com"},
		KeepDKIM:    true, NoDups: true, Copies: CopiesShared,
		DigestSize: 64_000, DigestCount: 30, DigestHours: 24,
		BounceLimit: 5, BounceStorm: 20,
	}
}

// Checked returns a copy as stores keep it, which shares nothing with s, or ErrSetting,
// wrapped, for values that no Setting would have set. The zero Settings are the default
// ones; in others, "" is the default where a choice must be made, and so are digests that nothing would send.
func (s Settings) Checked() (Settings, error) {
	if reflect.ValueOf(s).IsZero() {
		return DefaultSettings(), nil
	}
	s = s.Clone()
	if s.neverDigests() {
		d := DefaultSettings()
		s.DigestSize, s.DigestCount, s.DigestHours = d.DigestSize, d.DigestCount, d.DigestHours
	}
	for _, setting := range SettingTable() {
		if err := setting.check(&s); err != nil {
			return Settings{}, fmt.Errorf("%s: %w", setting.Name, err)
		}
	}
	return s, nil
}

// Clone returns a copy that shares nothing with s that could be changed.
func (s Settings) Clone() Settings {
	s.Owners = cloneSlice(s.Owners)
	s.Moderators = cloneSlice(s.Moderators)
	s.Bans = cloneSlice(s.Bans)
	s.Allow = cloneSlice(s.Allow)
	s.HeaderRules = cloneSlice(s.HeaderRules)
	s.MimeTypes = cloneSlice(s.MimeTypes)
	s.Extensions = cloneSlice(s.Extensions)
	s.FromDomains = cloneSlice(s.FromDomains)
	return s
}

// neverDigests tells that there is no reason to send a digest.
func (s Settings) neverDigests() bool {
	return s.DigestSize == 0 && s.DigestCount == 0 && s.DigestHours == 0
}

// cloneSlice makes nil of an empty slice, so that equal settings are deeply equal.
func cloneSlice[T any](s []T) []T { return append([]T(nil), s...) }

// RewritesFrom reports whether FromDomains names a domain (in A-label form): as it is,
// as "example.*" with one or two labels for the star (yahoo.fr, yahoo.co.uk), or as
// ".example.org", which is example.org and all that is below it.
func (s Settings) RewritesFrom(domain string) bool {
	domain = foldASCII(domain)
	return slices.ContainsFunc(s.FromDomains, func(pattern string) bool {
		if name, ok := strings.CutSuffix(pattern, "*"); ok {
			rest, ok := strings.CutPrefix(domain, name)
			return ok && rest != "" && strings.Count(rest, ".") < 2
		}
		return underDomain(domain, pattern)
	})
}

// underDomain reports whether a domain is the one named, or below it when its name
// begins with a dot.
func underDomain(domain, name string) bool {
	if below, ok := strings.CutPrefix(name, "."); ok {
		return domain == below || strings.HasSuffix(domain, name)
	}
	return domain == name
}

// IsOwner reports whether an address is one of the owners.
func (s Settings) IsOwner(a Address) bool { return containsAddress(s.Owners, a) }

// IsModerator reports whether an address is one of those who moderate.
func (s Settings) IsModerator(a Address) bool { return containsAddress(s.ModeratedBy(), a) }

// IsBanned reports whether an address is banned from the list.
func (s Settings) IsBanned(a Address) bool { return matchAny(s.Bans, a) }

// ModeratedBy are the moderators, or the owners when there are none.
func (s Settings) ModeratedBy() []Address {
	if len(s.Moderators) > 0 {
		return s.Moderators
	}
	return s.Owners
}

func containsAddress(all []Address, a Address) bool {
	if len(all) == 0 {
		return false
	}
	key := a.Key()
	return slices.ContainsFunc(all, func(b Address) bool { return b.Key() == key })
}
