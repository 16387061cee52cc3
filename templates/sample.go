package templates

import (
	"time"

	"superlistd/lists"
)

func sampleList() lists.Address { return lists.Address{Local: "team", Domain: "lists.example.org"} }

// samples are facts that bring a text into each of its forms: all there is, nothing, and the choices the other way.
func samples() []Facts {
	full := Facts{
		ID: "6a47c1f20b9d", Entry: "6a47d00951c2",
		Author: "ann@example.org", AuthorName: "Ann Müller", PostSubject: "Lunch on Friday?",
		MessageID: "1234@mail.example.org",
		Date:      time.Date(2026, time.November, 20, 16, 5, 0, 0, time.UTC), Size: 48_213,
		Reason: "not-member", Detail: "Held for the moderators: only members may post to team@lists.example.org",
		Identity: "proven", Results: "spf=pass smtp.mailfrom=example.org; dkim=pass header.d=example.org; dmarc=pass header.from=example.org",
		Days: 14, Answer: "team-confirm+h6a47c1f20b9dk3v9q@lists.example.org",
		Decision: "reject", By: "bob@example.org", At: time.Date(2026, time.November, 21, 8, 30, 0, 0, time.UTC),
		Text: "Please write to the office instead.\n\nBob", Lists: []string{"staff@lists.example.org", "choir@lists.example.org"},
		PartName: "plan.pdf", PartType: "application/pdf",
		Volume: 3, Issue: 17, Part: 1, Parts: 1, Posts: 12,
		Page:   "https://lists.example.org/u/dGVhbUBsaXN0cy5leGFtcGxlLm9yZwBhbm5AZXhhbXBsZS5vcmc6a47c1f20b9dk3v9",
		Member: "ann@example.org", MemberName: "Ann Müller", Description: "What the team has to say", Policy: "confirm",
		Token: "r7c2k4xw3qpm5n2bf6hj3k9v2t4y6z8q", Delivery: "mail", Shown: 180,
		SuspendedFrom: time.Date(2026, time.December, 24, 0, 0, 0, 0, time.UTC), SuspendedUntil: time.Date(2027, time.January, 1, 0, 0, 0, 0, time.UTC),
		Delivered: 180, Bounced: 61, Total: 212, Error: "451 4.4.1 Next hop not reachable, try again later",
		Items: []Item{
			{
				ID: "6a47c1f20b9d", List: "team@lists.example.org", From: "ann@example.org", FromName: "Ann Müller", Subject: "Lunch on Friday?",
				Date: time.Date(2026, time.November, 20, 16, 5, 0, 0, time.UTC), Size: 48_213, Reason: "not-member",
				Detail:   "Only members may post to team@lists.example.org; contact team-owner@lists.example.org",
				Identity: "proven", Answer: "team-confirm+h6a47c1f20b9dk3v9q@lists.example.org",
			},
			{
				ID: "6a47c2035e11", List: "board@lists.example.org", From: "win@example.net", Subject: "You have won",
				Date: time.Date(2026, time.November, 20, 17, 40, 0, 0, time.UTC), Size: 2_345_678, Reason: "header-rule",
				Identity: "contradicted", Answer: "team-confirm+h6a47c2035e11m8tz2@lists.example.org",
			},
		},
	}
	full.Removed, full.Way = true, "bounces"
	full.Groups = []Group{
		{What: "joined", Count: 2, Names: []string{"eva@example.org", "max@example.org"}}, {What: "left", Count: 1, Names: []string{"ann@example.org"}},
		{What: "removed", Count: 23, Names: []string{"old@example.net", "gone@example.net"}}, {What: "complaint", Count: 1, Names: []string{"cross@example.com"}},
		{What: "held", Count: 1, Names: []string{"ann@example.org: Lunch on Friday?"}}, {What: "expired", Count: 1, Names: []string{"6a47c1f20b9d"}},
		{What: "bounced", Count: 1, Names: []string{"bob@example.com: 550 5.1.1 No such user"}}, {What: "disabled", Count: 1, Names: []string{"bob@example.com"}},
		{What: "storm", Count: 1}, {What: "failed", Count: 1, Names: []string{"6a47d00951c2: 550 5.7.1 Not this"}},
	}
	full.Since, full.Waiting = time.Date(2026, time.November, 20, 8, 30, 0, 0, time.UTC), 3
	full.Orders = []Order{
		{Address: "eva@example.org", Name: "Eva Öz", What: "add", Answer: "invited"}, {Address: "max@example.org", What: "remove", Answer: "done"},
		{Address: "ann@example.org", What: "digest", Answer: "next"},
		{Address: "ann@example.org", What: "suspend", From: full.SuspendedFrom, Until: full.SuspendedUntil, Answer: "done"},
	}
	full.Undone = []Group{
		{What: "commands", Count: 2, Names: []string{"unsubscribe", "help"}}, {What: "orders", Count: 12, Names: []string{"remove eva@example.org"}},
		{What: "unread", Count: 1, Names: []string{"set digest"}},
	}
	full.Later, full.Owns = true, true
	other := full
	other.Wrong, other.Way = "swapped", ""
	other.Removed, other.Groups, other.Waiting = false, full.Groups[:1], 1
	other.AuthorName, other.HeaderOnly, other.Identity, other.Days = "", true, "unproven", 1
	approved, late := full, full
	approved.Decision, approved.Items, approved.PartName = "approve", full.Items[:1], ""
	approved.Parts, approved.Part, late.Late, late.Posts = 3, 2, true, 1
	late.Decision, late.By, late.Already, late.Entry = "expire", "", true, ""
	untold := full
	untold.Decision, untold.Untold, untold.Text = "reject", true, ""
	other.Decision, other.Ban, other.Already, other.Lists = "discard", true, true, full.Lists[:1]
	other.MemberName, other.Description, other.Policy, other.Delivery = "", "", "open", "nomail"
	other.Later, other.Owns = false, false
	other.Orders = []Order{full.Orders[0], {Address: "ann@example.org", What: "suspend", From: full.SuspendedFrom, Until: full.SuspendedFrom, Answer: "done"}}
	approved.Delivery, untold.Delivery = "digest", "plain"
	late.SuspendedUntil, untold.SuspendedUntil = time.Time{}, full.SuspendedFrom
	late.Wrong = "past"
	approved.Policy, approved.SuspendedUntil, approved.Shown = "approve", time.Time{}, full.Total
	other.Undone = full.Undone[2:]
	approved.Already, approved.Yours = true, true
	other.Items = nil
	for range maxItems + 1 {
		other.Items = append(other.Items, full.Items[1])
	}
	return []Facts{full, {}, other, approved, late, untold}
}
