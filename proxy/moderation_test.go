package proxy

import (
	"regexp"
	"strings"
	"testing"

	"superlistd/lists"
)

// say is a whole message from MAIL on; want is the reply to its content.
func say(from string, to []string, content, want string) string {
	var b strings.Builder
	b.WriteString("C: MAIL FROM:<" + from + ">\nS: 250...\n")
	for _, rcpt := range to {
		b.WriteString("C: RCPT TO:<" + rcpt + ">\nS: 250...\n")
	}
	b.WriteString("C: DATA\nS: 354...\n")
	for line := range strings.Lines(content) {
		b.WriteString(strings.TrimRight("C: "+line, "\n") + "\n")
	}
	return b.String() + "C: .\nS: " + want + "\n"
}

const hello = "S*: 220\nC: EHLO client.test\nS*: 250\n"

// to are the texts that the next hop got for somebody.
func (h *house) to(rcpt string) (all []string) {
	for _, m := range h.peer.Messages() {
		for _, r := range m.Rcpts {
			if r == rcpt {
				all = append(all, m.Content)
			}
		}
	}
	return all
}

// heldID is that of the only held post.
func (h *house) heldID() string {
	h.tb.Helper()
	all, err := h.held.List(lists.Address{}, "", 10)
	if err != nil || len(all) != 1 {
		h.tb.Fatalf("held: %+v, %v", all, err)
	}
	return all[0].ID
}

// A stranger's post is held: he reads it in the reply, the owner gets it with an address to answer to, and his
// answer sends it to the members, once.
func TestHeldAndApprovedByMail(t *testing.T) {
	t.Parallel()
	h := start(t, setup{office: true, lists: []roster{{
		address:  "team@lists.example.org",
		settings: []string{"nonmember=hold", "owners=olga@example.net"},
		members:  []string{"ann@example.net", "bob@example.net"},
	}}})
	post := "From: Eve <eve@example.com>\nTo: team@lists.example.org\nSubject: May I?\nMessage-ID: <q@example.com>\n\nPlease.\n"
	h.talk("smtp/tcp", hello+say("eve@example.com", []string{"team@lists.example.org"}, post,
		"250 2.0.0 Held for the moderators: only members may post to team@lists.example.org; contact team-owner@lists.example.org"))
	h.heldID()
	// The client lost our reply and comes again.
	h.talk("smtp/tcp", hello+say("eve@example.com", []string{"team@lists.example.org"}, post, "250 2.0.0 Held..."))
	h.heldID()
	if got := h.to("ann@example.net"); len(got) != 0 {
		t.Fatalf("a held post went out: %q", got)
	}
	if got := h.to("eve@example.com"); len(got) != 0 {
		t.Fatalf("mail to somebody who proved nothing: %q", got)
	}
	notices := h.to("olga@example.net")
	if len(notices) != 1 || !strings.Contains(notices[0], "May I?") || !strings.Contains(notices[0], "Please.") {
		t.Fatalf("notices: %q", notices)
	}
	address := regexp.MustCompile(`(?m)^Reply-To: <?(team-confirm\+[a-z0-9]+@lists\.example\.org)`).FindStringSubmatch(notices[0])
	if address == nil {
		t.Fatalf("no address to answer to in\n%s", notices[0])
	}
	answer := "From: olga@example.net\nTo: " + address[1] + "\nSubject: Re: May I?\nMessage-ID: <a@example.net>\n\napprove\n"
	// Addresses lose their case on the way.
	h.talk("smtp/tcp", hello+say("olga@example.net", []string{strings.ToUpper(address[1][:20]) + address[1][20:]}, answer, "250 2.0.0 Ok: taken..."))
	for _, member := range []string{"ann@example.net", "bob@example.net"} {
		if got := h.to(member); len(got) != 1 || !strings.Contains(got[0], "Please.") || !strings.Contains(got[0], "List-Id:") {
			t.Errorf("%s got %q", member, got)
		}
	}
	if got := h.to("olga@example.net"); len(got) != 2 || !strings.Contains(got[1], "auto-replied") {
		t.Errorf("the owner was told %q", got)
	}
	h.talk("smtp/tcp", hello+say("olga@example.net", []string{address[1]}, strings.Replace(answer, "<a@", "<b@", 1), "250 2.0.0 Ok: taken..."))
	h.talk("smtp/tcp", hello+"C: MAIL FROM:<>\nS: 250...\nC: RCPT TO:<"+address[1]+">\nS: 550 5.1.1...\n")
	if got := h.to("ann@example.net"); len(got) != 1 {
		t.Errorf("a second answer sent it again: %d copies", len(got))
	}
}

// Forged and made-up addresses of answers are refused at RCPT.
func TestForgedAnswer(t *testing.T) {
	t.Parallel()
	h := start(t, setup{office: true})
	h.talk("smtp/tcp", hello+"C: MAIL FROM:<eve@example.com>\nS: 250...\n"+
		"C: RCPT TO:<team-confirm+haaaaaaaaaaaaaaaaaaaaaaaaaaaa@lists.example.org>\nS: 550 5.1.1 This address is not valid, or not any more\n"+
		"C: RCPT TO:<team-confirm@lists.example.org>\nS: 550 5.1.1...\n"+
		"C: RCPT TO:<team-confirm+../../etc@lists.example.org>\nS: 550 5.1.1...\n")
}

// An answer in somebody's name whose domain denies it decides, since whoever has the address may; but nobody is written to in return.
func TestForgedAnswerIsNotAnswered(t *testing.T) {
	t.Parallel()
	dns := map[string]string{"example.net": "v=spf1 -all", "_dmarc.example.net": "v=DMARC1; p=reject"}
	h := start(t, setup{office: true, dns: dns, lists: []roster{{
		address: "team@lists.example.org", settings: []string{"nonmember=hold", "owners=olga@example.net"}, members: []string{"ann@example.net"},
	}}})
	post := "From: eve@example.com\nTo: team@lists.example.org\nMessage-ID: <q@example.com>\n\nPlease.\n"
	h.talk("smtp/tcp", hello+say("eve@example.com", []string{"team@lists.example.org"}, post, "250 2.0.0 Held..."))
	address := regexp.MustCompile(`(?m)^Reply-To: <?(team-confirm\+[a-z0-9]+@lists\.example\.org)`).FindStringSubmatch(h.to("olga@example.net")[0])
	answer := "From: victim@example.net\nTo: x\nMessage-ID: <a@example.net>\n\nnonsense\n"
	h.talk("smtp/tcp", hello+say("eve@example.com", []string{address[1]}, answer, "250 2.0.0 Ok: taken..."))
	if got := h.to("victim@example.net"); len(got) != 0 {
		t.Errorf("mail to somebody who asked nothing: %q", got)
	}
}

// Whoever claims to be a member and whose domain denies it is refused while he is connected.
func TestForgedMember(t *testing.T) {
	t.Parallel()
	dns := map[string]string{"example.net": "v=spf1 -all", "_dmarc.example.net": "v=DMARC1; p=reject"}
	h := start(t, setup{office: true, dns: dns})
	post := "From: ann@example.net\nTo: team@lists.example.org\nMessage-ID: <f@example.net>\n\nSend money.\n"
	h.talk("smtp/tcp", hello+say("ann@example.net", []string{"team@lists.example.org"}, post,
		"550 5.7.1 The policy of example.net says that this is not from ann@example.net; contact team-owner@lists.example.org"))
	if n := len(h.peer.Messages()); n != 0 {
		t.Errorf("%d messages went out", n)
	}
}

// A list that refuses does not take the post from the others. Who is proven hears of it by mail; else its moderators decide.
func TestMixedVerdicts(t *testing.T) {
	t.Parallel()
	two := []roster{
		{address: "open@lists.example.org", settings: []string{"post=anyone"}, members: []string{"ann@example.net"}},
		{address: "team@lists.example.org", settings: []string{"owners=olga@example.net"}, members: []string{"bob@example.net"}},
	}
	post := "From: eve@example.com\nTo: open@lists.example.org, team@lists.example.org\nSubject: both\nMessage-ID: <m@example.com>\n\nHi.\n"
	for name, c := range map[string]struct {
		spf           string
		author, owner int // mails to them
	}{
		"proven":   {"v=spf1 ip4:127.0.0.1 -all", 1, 0},
		"unproven": {"v=spf1 ?all", 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, setup{office: true, lists: two, dns: map[string]string{"example.com": c.spf}})
			to := []string{"open@lists.example.org", "team@lists.example.org"}
			h.talk("smtp/tcp", hello+say("eve@example.com", to, post, "250..."))
			if got := h.to("ann@example.net"); len(got) != 1 {
				t.Errorf("the list that takes it sent %d", len(got))
			}
			if got := h.to("bob@example.net"); len(got) != 0 {
				t.Errorf("the list that refuses it sent %q", got)
			}
			if a, o := h.to("eve@example.com"), h.to("olga@example.net"); len(a) != c.author || len(o) != c.owner {
				t.Errorf("to the author %q\nto the owner %q", a, o)
			}
		})
	}
}

// What the LMTP door refuses, Postfix mails back: so there an author who is not proven is not refused.
func TestLMTPHoldsInsteadOfBackscatter(t *testing.T) {
	t.Parallel()
	h := start(t, setup{office: true})
	post := "From: eve@example.com\nTo: team@lists.example.org\nMessage-ID: <l@example.com>\n\nHi.\n"
	lhlo := strings.Replace(hello, "EHLO", "LHLO", 1)
	h.talk("lmtp/tcp", lhlo+say("eve@example.com", []string{"team@lists.example.org"}, post, "250 2.0.0 Held..."))
	h.heldID()
	// Mail that began on this host is its account's own, who may hear that he is no member.
	local := "C: XFORWARD NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE] SOURCE=LOCAL\nS: 250...\n"
	h.talk("lmtp/tcp", lhlo+local+say("eve@example.com", []string{"team@lists.example.org"}, strings.Replace(post, "<l@", "<k@", 1), "550 5.7.2..."))
	h.heldID()
}

// SOURCE=LOCAL with a client is the rewriting context of Postfix, which may be given to anybody who has logged in: it proves nothing.
func TestLocalContextProvesNothing(t *testing.T) {
	t.Parallel()
	dns := map[string]string{"example.net": "v=spf1 -all", "_dmarc.example.net": "v=DMARC1; p=reject"}
	h := start(t, setup{office: true, dns: dns})
	post := "From: ann@example.net\nTo: team@lists.example.org\nMessage-ID: <s@example.net>\n\nHi.\n"
	h.talk("lmtp/tcp", strings.Replace(hello, "EHLO", "LHLO", 1)+"C: XFORWARD NAME=x.test ADDR=192.0.2.66 SOURCE=LOCAL\nS: 250...\n"+
		say("victim@example.com", []string{"team@lists.example.org"}, post, "250 2.0.0 Held for the moderators: The policy of..."))
	if got := h.to("bob@example.net"); len(got) != 0 {
		t.Errorf("a forged post reached the members: %q", got)
	}
}

// No refusal at the LMTP door makes Postfix write to a stranger: what a person may have written waits, the rest is dropped.
func TestNoBackscatterByLMTP(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		setting, header, reply string
		held                   int
	}{
		"banned":      {"bans=eve@example.com", "From: eve@example.com", "250 2.0.0 Ok: taken...", 0},
		"automatic":   {"post=anyone", "From: eve@example.com\nAuto-Submitted: auto-replied", "250 2.0.0 Ok: taken...", 0},
		"two authors": {"post=anyone", "From: eve@example.com, ann@example.net", "250 2.0.0 Held...", 1},
		"a command":   {"post=anyone", "From: eve@example.com\nSubject: unsubscribe", "250 2.0.0 Held...", 1},
		"no member":   {"post=members", "From: eve@example.com", "250 2.0.0 Held...", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, setup{office: true, lists: []roster{{address: "team@lists.example.org", settings: []string{c.setting}, members: []string{"ann@example.net"}}}})
			body := "\nunsubscribe\n"
			h.talk("lmtp/tcp", strings.Replace(hello, "EHLO", "LHLO", 1)+
				say("victim@example.com", []string{"team@lists.example.org"}, c.header+"\nMessage-ID: <b@example.com>\n"+body, c.reply))
			all, err := h.held.List(lists.Address{}, "", 10)
			if err != nil || len(all) != c.held || len(h.to("ann@example.net")) != 0 {
				t.Errorf("held %+v, %v", all, err)
			}
		})
	}
}

// Without an office nothing can be held, so it is refused.
func TestNobodyHolds(t *testing.T) {
	t.Parallel()
	h := start(t, setup{lists: []roster{{address: "team@lists.example.org", settings: []string{"emergency=on"}, members: []string{"ann@example.net"}}}})
	h.talk("smtp/tcp", hello+say("ann@example.net", []string{"team@lists.example.org"}, "From: ann@example.net\n\nHi.\n", "550 5.7.2 Held for..."))
}

// A post that is discarded is answered like one that is taken.
func TestDiscarded(t *testing.T) {
	t.Parallel()
	h := start(t, setup{lists: []roster{{address: "team@lists.example.org", settings: []string{"nonmember=discard"}, members: []string{"ann@example.net"}}}})
	h.talk("smtp/tcp", hello+say("eve@example.com", []string{"team@lists.example.org"}, "From: eve@example.com\n\nHi.\n", "250 2.0.0 Ok: taken..."))
	if n := len(h.peer.Messages()); n != 0 {
		t.Errorf("%d messages went out", n)
	}
}

// A full folder of held posts puts the sender off, and sends nothing to the others.
func TestHeldFolderFull(t *testing.T) {
	t.Parallel()
	h := start(t, setup{office: true, full: true, lists: []roster{
		{address: "open@lists.example.org", settings: []string{"post=anyone"}, members: []string{"ann@example.net"}},
		{address: "team@lists.example.org", settings: []string{"nonmember=hold"}, members: []string{"bob@example.net"}},
	}})
	post := "From: eve@example.com\nTo: x@example.com\nMessage-ID: <%@example.com>\n\nHi.\n"
	h.talk("smtp/tcp", hello+say("eve@example.com", []string{"team@lists.example.org"}, strings.Replace(post, "%", "1", 1), "250 2.0.0 Held...")+
		say("eve@example.com", []string{"open@lists.example.org", "team@lists.example.org"}, strings.Replace(post, "%", "2", 1), "452 4.3.1..."))
	if got := h.to("ann@example.net"); len(got) != 0 {
		t.Errorf("sent before the sender was put off: %q", got)
	}
}
