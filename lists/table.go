package lists

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Setting describes one setting as text, for commands and documents.
type Setting struct {
	Name, Type, Default, Help string
	// Example is a value that Set takes and that is not the default.
	Example string
	// Multiline says that the value is text of several lines, see EscapeBlock.
	Multiline bool
	// AtSign says that a value may begin with "@" by itself.
	AtSign bool
	// Get returns the value in the form that Set takes, in one line.
	Get func(Settings) string
	// Set changes the value, or leaves it and returns ErrSetting, wrapped.
	Set func(*Settings, string) error

	check func(*Settings) error
}

// SettingTable returns all settings, in the order in which they are shown.
func SettingTable() []Setting {
	table := slices.Concat(generalSettings(), comingSettings(), postingSettings(), moderationSettings(), contentSettings(), dressingSettings(), dealingSettings(), digestSettings(), bounceSettings())
	defaults := DefaultSettings()
	for i := range table {
		table[i].Default = table[i].Get(defaults)
	}
	return table
}

// LookupSetting returns one setting; ErrUnknownSetting names those that exist.
func LookupSetting(name string) (Setting, error) {
	table := SettingTable()
	var names []string
	for _, s := range table {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Setting{}, unknown(name, names)
}

func unknown(name string, known []string) error {
	return fmt.Errorf("%s: %w (there are: %s)", shorten(name), ErrUnknownSetting, strings.Join(known, ", "))
}

const (
	maxDescription = 200 // characters: what fits a header line with the List-Id
	maxPrefix      = 60  // characters
	maxHoldDays    = 3650
	maxNotice      = 7 * 24 * time.Hour
	maxBounceLimit = 50
	maxDigestCount = 1000
	maxDigestHours = 31 * 24
)

func generalSettings() []Setting {
	addresses := kind[[]Address]{"addresses, comma separated", formatAddresses, parseAddresses, checkAddresses}
	return []Setting{
		setting("description", "what the list is for; goes into List-Id", "The team's own list",
			line(maxDescription), func(s *Settings) *string { return &s.Description }),
		setting("owners", "who looks after the list: gets mail to LIST-owner and notices, and may send commands of owners", "ann@example.org, bob@example.org",
			addresses, func(s *Settings) *[]Address { return &s.Owners }),
		setting("moderators", "who decides about held posts; without any, the owners", "cat@example.org",
			addresses, func(s *Settings) *[]Address { return &s.Moderators }),
		setting("language", "of what the list writes to people", "de",
			choice(Languages()...), func(s *Settings) *string { return &s.Language }),
	}
}

func comingSettings() []Setting {
	return []Setting{
		setting("subscribe", "what mail to LIST-subscribe leads to; open and approve ask for a confirmation too when it is not proven who wrote it", "confirm+approve",
			choice(SubscribeConfirm, SubscribeConfirmApprove, SubscribeApprove, SubscribeOpen, SubscribeClosed), func(s *Settings) *SubscribePolicy { return &s.Subscribe }),
		setting("unsubscribe", "whether mail to LIST-unsubscribe has to be confirmed when it is not proven who wrote it", "open",
			choice(UnsubscribeConfirm, UnsubscribeOpen), func(s *Settings) *UnsubscribePolicy { return &s.Unsubscribe }),
		setting("welcome", "write to who has joined by mail", "off", toggle(), func(s *Settings) *bool { return &s.Welcome }),
		setting("goodbye", "write to who has left by mail", "off", toggle(), func(s *Settings) *bool { return &s.Goodbye }),
		setting("owners_notice", "what the owners are told: once a day what has happened, if there is something to say; on also each time at once who joins by mail, and who leaves", "on",
			choice(NoticeDaily, NoticeOff, NoticeOn), func(s *Settings) *OwnersNotice { return &s.OwnersNotice }),
	}
}

func postingSettings() []Setting {
	patterns := kind[[]Pattern]{"addresses, @domain, @.domain (and all below it) and /expression/, comma separated",
		formatPatterns, parsePatterns, checkPatterns}
	bans := setting("bans", "who may not post, by From, reverse-path or member's address", `eve@example.org, @.spam.example, /^bot[0-9]+@/`,
		patterns, func(s *Settings) *[]Pattern { return &s.Bans })
	allow := setting("allow", "who may post without being a member", "@example.org",
		patterns, func(s *Settings) *[]Pattern { return &s.Allow })
	bans.AtSign, allow.AtSign = true, true
	return []Setting{
		setting("post", "who may post", "anyone",
			choice(PostMembers, PostAnyone, PostOwners, PostModerators, PostNobody), func(s *Settings) *PostPolicy { return &s.Post }),
		setting("nonmember", "what becomes of a post of somebody who may not post", "hold",
			choice(Refuse, Hold, Discard, Accept), func(s *Settings) *Action { return &s.Nonmember }),
		setting("identity", "when a From address is believed", "proven",
			choice(IdentityUnlessContradicted, IdentityClaimed, IdentityProven), func(s *Settings) *IdentityPolicy { return &s.Identity }),
		allow,
		bans,
		setting("reply_ok", "anybody may answer a thread that he or his message is part of", "on",
			toggle(), func(s *Settings) *bool { return &s.ReplyOK }),
		setting("posts_per_hour", "most posts of one author in an hour", "20",
			count("none", MaxRate), func(s *Settings) *int { return &s.PostsPerHour }),
		setting("list_posts_per_hour", "most posts of the list in an hour", "200",
			count("none", MaxRate), func(s *Settings) *int { return &s.ListPostsPerHour }),
	}
}

func moderationSettings() []Setting {
	return []Setting{
		setting("moderation", "whose posts wait for a moderator: of newcomers the first N", "newcomers(2)",
			moderation(), func(s *Settings) *Moderation { return &s.Moderation }),
		setting("emergency", "hold every post", "on",
			toggle(), func(s *Settings) *bool { return &s.Emergency }),
		setting("notice_every", "how long notices to moderators are gathered", "1h",
			duration(maxNotice), func(s *Settings) *time.Duration { return &s.NoticeEvery }),
		setting("hold_days", "how many days a held post waits for a moderator", "5",
			count("forever", maxHoldDays), func(s *Settings) *int { return &s.HoldDays }),
	}
}

func contentSettings() []Setting {
	types := func(normal func(string) string, example string) kind[[]TypeRule] {
		wanted := fmt.Sprintf("a rule is written %q", example)
		return kind[[]TypeRule]{
			typ:    "TYPE=ACTION, comma separated, with the actions " + orList(partActions()),
			format: formatTypeRules,
			parse:  func(v string) ([]TypeRule, error) { return parseTypeRules(v, normal, wanted) },
		}
	}
	rules := kind[[]HeaderRule]{"FIELD: /expression/ ACTION, separated by \";\", with the actions " + orList(headerActions()),
		formatHeaderRules, parseHeaderRules, checkHeaderRules}
	return []Setting{
		setting("max_size", "largest post", "10MB", size(), func(s *Settings) *int64 { return &s.MaxSize }),
		setting("max_recipients", "most addresses that To and Cc of a post may name", "20",
			count("none", math.MaxInt32), func(s *Settings) *int { return &s.MaxRecipients }),
		setting("explicit_destination", "To or Cc of a post must name the list", "on",
			toggle(), func(s *Settings) *bool { return &s.ExplicitDestination }),
		setting("header_rules", "decide by a field of the header; the first rule that matches wins", "X-Spam-Flag: /^yes/ hold; Subject: /out of office/ discard",
			rules, func(s *Settings) *[]HeaderRule { return &s.HeaderRules }),
		setting("catch_commands", "a lone \"unsubscribe\" is refused, with the right address", "off",
			toggle(), func(s *Settings) *bool { return &s.CatchCommands }),
		setting("attachments", "what becomes of attachments that neither mime_types nor extensions name", "remove",
			choice(partActions()...), func(s *Settings) *Action { return &s.Attachments }),
		setting("mime_types", "what becomes of parts by their type", "application/pdf=accept, video/*=remove",
			types(normalType, "image/*=remove"), func(s *Settings) *[]TypeRule { return &s.MimeTypes }),
		setting("extensions", "what becomes of parts by the end of their file name", "exe=refuse, scr=refuse",
			types(normalExtension, "exe=refuse"), func(s *Settings) *[]TypeRule { return &s.Extensions }),
		setting("html", "HTML as it is, made plain text, or not at all", "text",
			choice(HTMLAccept, HTMLText, HTMLRefuse), func(s *Settings) *string { return &s.HTML }),
	}
}

func dressingSettings() []Setting {
	domains := kind[[]string]{
		typ:    "domains, comma separated; yahoo.* is any end, .example.org all below it too",
		format: func(all []string) string { return formatItems(all, ", ") }, parse: parseDomains,
	}
	header := setting("header", "text before the body", `Do not answer to the list.`,
		block(), func(s *Settings) *string { return &s.Header })
	footer := setting("footer", "text after the body", `-- \nThe team's list`,
		block(), func(s *Settings) *string { return &s.Footer })
	header.Multiline, footer.Multiline = true, true
	return []Setting{
		setting("subject_prefix", "put before the subject", "[team]",
			line(maxPrefix), func(s *Settings) *string { return &s.SubjectPrefix }),
		setting("reply_to", "where answers go", "list", replyTo(), func(s *Settings) *string { return &s.ReplyTo }),
		setting("from", "when From is rewritten: for authors whose domain's policy or from_domains asks for it, never, always, or the post wrapped whole", "list",
			choice(FromDMARC, FromKeep, FromList, FromWrap), func(s *Settings) *string { return &s.From }),
		setting("from_domains", "author domains whose From is always rewritten by from = dmarc", "gmail.com, yahoo.*",
			domains, func(s *Settings) *[]string { return &s.FromDomains }),
		setting("anonymous", "hide the author", "on", toggle(), func(s *Settings) *bool { return &s.Anonymous }),
		header,
		footer,
		setting("keep_dkim", "leave the author's signatures in the post", "off",
			toggle(), func(s *Settings) *bool { return &s.KeepDKIM }),
		setting("nodups", "no second copy to a member whom To or Cc names", "off",
			toggle(), func(s *Settings) *bool { return &s.NoDups }),
		setting("archive_url", "where the archive is; makes Archived-At", "https://lists.example.org/team/",
			webAddress(), func(s *Settings) *string { return &s.ArchiveURL }),
	}
}

func dealingSettings() []Setting {
	return []Setting{
		setting("copies", "members share a copy of a post, or each gets one of his own, with his own link to leave and his own reverse-path", "personal",
			choice(CopiesShared, CopiesPersonal), func(s *Settings) *Copies { return &s.Copies }),
		setting("verp", "which posts have a reverse-path for each member, which tells whose address a bounce is about: auto is all up to 1,000 members, and every 10th above, if the next hop makes them (XVERP); with always and every N, we do if it does not", "every 5",
			verp(), func(s *Settings) *Verp { return &s.Verp }),
	}
}

func digestSettings() []Setting {
	return []Setting{
		digestReason(setting("digest_size", "a digest is sent when its posts have this size", "200kB",
			size(), func(s *Settings) *int64 { return &s.DigestSize })),
		digestReason(setting("digest_count", "a digest is sent when it has so many posts", "10",
			count("none", maxDigestCount), func(s *Settings) *int { return &s.DigestCount })),
		digestReason(setting("digest_hours", "a digest is sent when its first post has waited so many hours", "72",
			count("none", maxDigestHours), func(s *Settings) *int { return &s.DigestHours })),
	}
}

// digestReason keeps one of three reasons.
func digestReason(s Setting) Setting {
	set := s.Set
	s.Set = func(v *Settings, text string) error {
		edited := *v
		if err := set(&edited, text); err != nil {
			return err
		}
		if edited.neverDigests() {
			return fmt.Errorf("%s: %w: of digest_size, digest_count and digest_hours one must be left", shorten(text), ErrSetting)
		}
		*v = edited
		return nil
	}
	return s
}

func bounceSettings() []Setting {
	return []Setting{
		setting("bounce_limit", "how many points until a member's address is tried: each day on which mail to it comes back for good has one, any other half a one, and a quiet week forgets one", "3",
			count("off", maxBounceLimit), func(s *Settings) *int { return &s.BounceLimit }),
		setting("bounce_storm", "when mail of one post comes back from more than this share of the members, and from three at least, the fault is ours: nobody gets points, and the owners are told", "30%",
			percent(), func(s *Settings) *int { return &s.BounceStorm }),
	}
}
