package proxy

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"superlistd/bouncing"
	"superlistd/delivery"
	"superlistd/delivery/spool"
	"superlistd/internal/smtptest"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/moderation/held"
	"superlistd/posting"
	"superlistd/token"
)

// parts gives a house bounces with keys, a spool, and whoever makes personal copies and gathers.
type parts struct {
	mu      sync.Mutex
	digests []string // LIST ISSUE and the post
}

func (p *parts) setup(t *testing.T, s setup) setup {
	t.Helper()
	dir := t.TempDir()
	keys, err := token.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	s.options = func(o *Options) { o.Bounces = bouncing.New(bouncing.Options{Keys: keys, Delimiter: "+"}) }
	s.armed = func(o *delivery.Options) {
		o.Spool, o.SpoolConnections, o.Lifetime = spool.Open(dir, spool.Options{}), 1, time.Hour
		o.Guard = delivery.NewGuard(dir + "/guard")
		o.Personal = map[string]delivery.Personal{PersonalKind: func(p delivery.Person, c *delivery.Copy) error {
			if p.Note == "" {
				return fmt.Errorf("no note for %s", p.Member)
			}
			c.ReversePath = bouncing.PersonalPath(p.ReversePath, "+", addr(t, string(p.Member))).String()
			c.Fields = fmt.Appendf(c.Fields, "X-Own: %s\r\n", p.Member)
			return nil
		}}
		o.Gather = map[string]delivery.Gather{DigestKind: p.gather}
	}
	return s
}

func (p *parts) gather(_ context.Context, g delivery.Gathered) error {
	body, err := io.ReadAll(g.Body.Reader(0))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.digests = append(p.digests, fmt.Sprintf("%s %d\r\n%s%s", g.List, g.Issue, g.Head, body))
	return err
}

// settle sends what is in the spool.
func (h *house) settle() {
	h.tb.Helper()
	ctx, cancel := context.WithTimeout(h.tb.Context(), patience)
	defer cancel()
	h.srv.hop.Spooler().Drain(ctx)
}

const teamPost = "From: ann@example.net\nTo: team@lists.example.org\nSubject: hello\nMessage-ID: <w@example.net>\n\nHi.\n"

// How copies come back is the list's choice, as far as the next hop is able.
func TestWays(t *testing.T) {
	t.Parallel()
	const path = `FROM:<team-bounces\+b[a-z0-9]{10}`
	const list, own, verp = path + `@lists.example.org>( |$)`, path + `\+(ann|bob)=example.net@lists.example.org>( |$)`, path + `@lists.example.org> .*XVERP=\+=`
	for _, tt := range []struct {
		settings string
		offered  bool
		want     string
		copies   int
	}{
		{"", true, verp, 1},
		{"", false, list, 1},
		{"verp=always", true, verp, 1},
		{"verp=always", false, own, 2},
		{"verp=never", true, list, 1},
		{"verp=never", false, list, 1},
		{"copies=personal", true, own, 2},
		{"verp=never copies=personal", false, own, 2},
	} {
		t.Run(fmt.Sprintf("%s offered %v", tt.settings, tt.offered), func(t *testing.T) {
			t.Parallel()
			s := setup{lists: []roster{{address: "team@lists.example.org", settings: strings.Fields(tt.settings), members: []string{"ann@example.net", "bob@example.net"}}}}
			if !tt.offered {
				s.peer = append(s.peer, smtptest.Ext("PIPELINING", "SIZE 10240000", "8BITMIME", "XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT"))
			}
			h := start(t, new(parts).setup(t, s))
			for range 2 { // the second time is a client that lost our reply
				h.talk("smtp/tcp", hello+say("ann@example.net", []string{"team@lists.example.org"}, teamPost, "250..."))
				h.settle()
			}
			got := h.peer.Messages()
			if len(got) != tt.copies {
				t.Errorf("%d copies, want %d", len(got), tt.copies)
			}
			for _, m := range got {
				if !regexp.MustCompile(tt.want).MatchString(m.Mail) {
					t.Errorf("MAIL %q, want %s", m.Mail, tt.want)
				}
				personal := strings.HasPrefix(m.Content, "X-Own: "+m.Rcpts[0]+"\r\n")
				if personal != (tt.copies == 2) || strings.Contains(m.Content, "\r\nList-Unsubscribe: ") == personal {
					t.Errorf("to %q: %s", m.Rcpts, m.Content)
				}
			}
		})
	}
}

// digestMembers makes somebody take digests of team, which gathers issue n.
func digestMembers(t *testing.T, store lists.Store, n int, who ...string) {
	t.Helper()
	var change lists.Change
	for _, w := range who {
		change.Add = append(change.Add, lists.Member{Address: addr(t, w), Delivery: lists.DeliveryDigest})
	}
	team := addr(t, "team@lists.example.org")
	if _, err := store.Change(t.Context(), team, change); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Digest(t.Context(), team, func(d *lists.Digests) error {
		d.Number = n
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// A post is kept once for those who take digests, and sent to all others, however often its sender comes.
func TestPostForADigest(t *testing.T) {
	t.Parallel()
	p := new(parts)
	h := start(t, p.setup(t, setup{lists: []roster{{
		address: "team@lists.example.org", settings: []string{"footer=The team", "subject_prefix=[team]"}, members: []string{"ann@example.net", "bob@example.net"},
	}}}))
	digestMembers(t, h.store, 7, "cat@example.net", "dan@example.net")
	for range 2 {
		h.talk("smtp/tcp", hello+say("ann@example.net", []string{"team@lists.example.org"}, teamPost, "250..."))
		h.settle()
	}
	if got := h.peer.Queued(); len(got) != 2 || got["ann@example.net"] != 1 || got["bob@example.net"] != 1 {
		t.Errorf("copies: %v", got)
	}
	const want = "team@lists.example.org 7\r\nFrom: ann@example.net\r\nTo: team@lists.example.org\r\nSubject: [team] hello\r\nMessage-ID: <w@example.net>\r\n\r\nHi.\r\n"
	if len(p.digests) != 1 || p.digests[0] != want {
		t.Errorf("gathered %q", p.digests)
	}
	h.stop()
	if log := h.log.String(); !strings.Contains(log, "post spooled audience=2 entry=") || !strings.Contains(log, " for=digest ") {
		t.Error(log)
	}
}

// A post to two lists tells the second one which issue the first one gathered: by that, and not by what comes after it, a member had his copy.
func TestPostToTwoListsWithDigests(t *testing.T) {
	t.Parallel()
	h := start(t, new(parts).setup(t, setup{lists: []roster{
		{address: "team@lists.example.org", members: []string{"ann@example.net"}},
		{address: "zoo@lists.example.org", members: []string{"ann@example.net"}},
	}}))
	digestMembers(t, h.store, 7, "cat@example.net")
	p, err := posting.Reread(message.Octets(strings.ReplaceAll(teamPost, "\n", "\r\n")), posting.Envelope{}, "", "")
	if err != nil {
		t.Fatal(err)
	}
	served := &roll{keys: map[string]bool{}}
	var last delivery.Route
	for _, name := range []string{"team@lists.example.org", "zoo@lists.example.org"} {
		l, err := h.store.List(t.Context(), addr(t, name))
		if err != nil {
			t.Fatal(err)
		}
		routes, err := h.srv.press.postRoutes(t.Context(), p, posting.Judgement{List: l}, nil, served)
		if err != nil {
			t.Fatal(err)
		}
		last = routes[len(routes)-1]
	}
	if a := last.Audience; len(a.Not) != 1 || a.Not[0] != addr(t, "team@lists.example.org") || len(a.NotAt) != 1 || a.NotAt[0] != 7 {
		t.Errorf("%+v", a)
	}
}

// A list of which all take digests takes posts.
func TestPostForNobodyButADigest(t *testing.T) {
	t.Parallel()
	p := new(parts)
	h := start(t, p.setup(t, setup{lists: []roster{{address: "team@lists.example.org", settings: []string{"post=anyone"}}}}))
	digestMembers(t, h.store, 1, "cat@example.net")
	h.talk("smtp/tcp", hello+say("ann@example.net", []string{"team@lists.example.org"}, teamPost, "250 2.0.0 Ok: spooled as..."))
	h.settle()
	if len(p.digests) != 1 || len(h.peer.Messages()) != 0 {
		t.Errorf("gathered %q, sent %+v", p.digests, h.peer.Messages())
	}
}

// What a moderator lets through is in the digest too, and in the mails.
func TestReleasedForADigest(t *testing.T) {
	t.Parallel()
	p := new(parts)
	h := start(t, p.setup(t, setup{office: true, lists: []roster{{
		address: "team@lists.example.org", settings: []string{"nonmember=hold", "owners=olga@example.net"}, members: []string{"ann@example.net"},
	}}}))
	digestMembers(t, h.store, 3, "cat@example.net")
	post := strings.Replace(teamPost, "ann@", "eve@", 1)
	h.talk("smtp/tcp", hello+say("eve@example.net", []string{"team@lists.example.org"}, post, "250 2.0.0 Held..."))
	h.settle()
	if err := h.srv.office.Decide(t.Context(), h.heldID(), held.Decision{Action: held.Approve, By: "olga@example.net"}); err != nil {
		t.Fatal(err)
	}
	h.settle()
	if len(p.digests) != 1 || !strings.HasPrefix(p.digests[0], "team@lists.example.org 3\r\n") || len(h.to("ann@example.net")) != 1 || len(h.to("cat@example.net")) != 0 {
		t.Errorf("gathered %q, sent %+v", p.digests, h.peer.Queued())
	}
}

// A digest comes back as the list's posts do, and goes out as they do.
func TestDigestWay(t *testing.T) {
	t.Parallel()
	h := start(t, new(parts).setup(t, setup{}))
	keys, err := token.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	desk := bouncing.New(bouncing.Options{Keys: keys, Delimiter: "+"})
	l := lists.List{Address: addr(t, "team@lists.example.org"), Settings: lists.DefaultSettings()}
	now := time.Now()
	for _, tt := range []struct {
		verp        lists.Verp
		copies      lists.Copies
		xverp, kind string
	}{
		{lists.VerpAlways, lists.CopiesShared, "+=", ""},
		{lists.VerpNever, lists.CopiesShared, "", ""},
		{lists.VerpAlways, lists.CopiesPersonal, "", PersonalKind},
		{lists.VerpNever, lists.CopiesPersonal, "", PersonalKind},
	} {
		l.Settings.Verp, l.Settings.Copies = tt.verp, tt.copies
		var r delivery.Route
		DigestWay(desk, h.srv.hop)(t.Context(), &r, l, now)
		if r.XVERP != tt.xverp || r.ReversePath != desk.Path(l, now) || r.Personal != tt.kind {
			t.Errorf("verp %v, copies %q: %+v", tt.verp, tt.copies, r)
		}
	}
}
