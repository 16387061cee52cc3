package moderation_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"superlistd/lists"
	"superlistd/moderation"
	"superlistd/moderation/held"
)

const (
	noticeOf = "mia@m.test max@m.test: team@lists.test: a post needs your decision: "
	heldTo   = ": Your post to team@lists.test is waiting for a moderator"
)

func TestHeldAndApprovedByMail(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.hold("ann@m.test", "Lunch", "proven")
	if again := h.hold("ann@m.test", "Lunch", "proven"); again != id || !slices.Equal(h.heard, []string{id + " Lunch"}) {
		t.Errorf("held as %s and %s, heard of %q", id, again, h.heard)
	}
	sent := h.WantSent(noticeOf+"Lunch", "ann@m.test"+heldTo)
	notice := sent[1]
	for name, want := range map[string]string{
		"From": "<team-owner@lists.test>", "To": "<mia@m.test>, <max@m.test>", "Auto-Submitted": "auto-generated", "Precedence": "bulk",
	} {
		if got := notice.Value(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if notice.From != "" || !strings.Contains(notice.Text, "Content-Type: message/rfc822") || !strings.Contains(notice.Text, string(postBy("ann@m.test", "Lunch"))) {
		t.Errorf("notice from %q:\n%s", notice.From, notice.Text)
	}
	if got := sent[0].Value("In-Reply-To"); got != "<Lunch@m.test>" || sent[0].Value("Auto-Submitted") != "auto-replied" {
		t.Errorf("the author's: %q\n%s", got, sent[0].Text)
	}
	to := notice.Value("Reply-To")
	if !strings.HasPrefix(to, "team-confirm+h"+id) || len(strings.Split(to, "@")[0]) > 64 {
		t.Errorf("Reply-To: %q", to)
	}
	must(t, h.answer(to, "mia@m.test", reply(notice, "mia@m.test", "approve\n")))
	h.WantSent("members: Lunch", "mia@m.test: team@lists.test: done: Lunch")
	h.wantLeft()
	// Somebody is late, with his own address or in capitals.
	must(t, h.answer(strings.ToUpper(to), "max@m.test", reply(notice, "max@m.test", "discard\n")))
	late := h.WantSent("max@m.test: team@lists.test: already decided: Lunch")
	if !strings.Contains(late[0].Text, "mia@m.test") {
		t.Errorf("he is not told who decided:\n%s", late[0].Text)
	}
	h.tick()
	h.WantSent()
	h.Wait(held.KeepNotes + time.Hour)
	h.tick()
	wantError(t, h.answer(to, "max@m.test", reply(notice, "max@m.test", "discard\n")), moderation.ErrToken)
}

func TestSameAnswerTwice(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.hold("ann@m.test", "Lunch", "unproven")
	notice := h.WantSent(noticeOf + "Lunch")[0]
	raw := reply(notice, "mia@m.test", "discard\n")
	must(t, h.answer(notice.Value("Reply-To"), "mia@m.test", raw))
	h.WantSent("mia@m.test: team@lists.test: done: Lunch")
	must(t, h.answer(notice.Value("Reply-To"), "mia@m.test", raw)) // its sender lost our reply
	h.WantSent()
	must(t, h.answer(notice.Value("Reply-To"), "mia@m.test", strings.Replace(raw, "<answer.", "<second.", 1)))
	h.WantSent("mia@m.test: team@lists.test: done: Lunch")
	must(t, h.answer(notice.Value("Reply-To"), "mia@m.test", strings.Replace(reply(notice, "mia@m.test", "approve\n"), "<answer.", "<third.", 1)))
	h.WantSent("mia@m.test: team@lists.test: already decided: Lunch")
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		author   string
		proof    string
		decision held.Decision
		want     []string
		banned   bool
	}{
		{"approve", "ann@m.test", "unproven", held.Decision{Action: held.Approve}, []string{"members: Lunch"}, false},
		{"reject a proven author", "ann@m.test", "proven", held.Decision{Action: held.Reject, Text: "Too long."},
			[]string{"ann@m.test: Your post to team@lists.test was rejected"}, false},
		{"reject in the author's language", "bea@m.test", "proven", held.Decision{Action: held.Reject, Text: "Too long."},
			[]string{"bea@m.test: Ihr Beitrag an team@lists.test wurde abgelehnt"}, false},
		{"reject one who may be somebody else", "ann@m.test", "unproven", held.Decision{Action: held.Reject, Text: "Too long."}, nil, false},
		{"reject a forged author", "ann@m.test", "contradicted", held.Decision{Action: held.Reject, Text: "Too long."}, nil, false},
		{"discard", "ann@m.test", "proven", held.Decision{Action: held.Discard}, nil, false},
		{"ban", "eve@m.test", "proven", held.Decision{Action: held.Discard, Ban: true}, nil, true},
		{"ban with approval", "eve@m.test", "proven", held.Decision{Action: held.Approve, Ban: true}, []string{"members: Lunch"}, true},
		{"whoever was forged is not banned", "eve@m.test", "contradicted", held.Decision{Action: held.Discard, Ban: true}, nil, false},
		{"an owner is not banned", "Owen@m.test", "unproven", held.Decision{Action: held.Discard, Ban: true}, nil, false},
		{"a moderator is not banned", "mia@m.test", "unproven", held.Decision{Action: held.Discard, Ban: true}, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			id := h.hold(tt.author, "Lunch", tt.proof)
			h.Take()
			tt.decision.By = "listctl"
			must(t, h.office.Decide(t.Context(), id, tt.decision))
			for _, l := range h.WantSent(tt.want...) {
				if tt.decision.Action == held.Reject && !strings.Contains(l.Text, "> Too long.") {
					t.Errorf("the author is not told why:\n%s", l.Text)
				}
			}
			h.wantLeft()
			banned := false
			for _, p := range h.Settings().Settings.Bans {
				banned = banned || p.Match(address(t, tt.author))
			}
			if banned != tt.banned {
				t.Errorf("banned: %v", banned)
			}
			if f, err := h.held.Get(id); err != nil || f.Decided.Ban != tt.banned {
				t.Errorf("what a later one is told: %+v, %v", f.Decided, err)
			}
			wantError(t, h.office.Decide(t.Context(), id, held.Decision{Action: held.Approve}), held.ErrDecided)
			wantError(t, h.office.Decide(t.Context(), "aaaaaaaaaaaa", held.Decision{Action: held.Approve}), held.ErrGone)
		})
	}
}

func TestNewcomersAreCounted(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		moderation string
		posts      int
		want       int
	}{
		{"off", 0, 0}, {"all", 0, 0}, {"newcomers(2)", 0, 1}, {"newcomers(2)", 1, 2}, {"newcomers(2)", 2, 2},
	} {
		h := newHouse(t, "moderation", tt.moderation)
		_, err := h.Store.UpdateMember(t.Context(), h.List, address(t, "ann@m.test"), func(m *lists.Member) error {
			m.Posts = tt.posts
			return nil
		})
		must(t, err)
		for _, author := range []string{"ann@m.test", "stranger@m.test"} {
			must(t, h.office.Decide(t.Context(), h.hold(author, "Lunch "+author, "proven"), held.Decision{Action: held.Approve}))
		}
		must(t, h.office.Decide(t.Context(), h.hold("ann@m.test", "Dinner", "proven"), held.Decision{Action: held.Discard}))
		m, _, err := h.Store.Member(t.Context(), h.List, address(t, "ann@m.test"))
		must(t, err)
		if m.Posts != tt.want {
			t.Errorf("%s with %d posts: %d after one more, want %d", tt.moderation, tt.posts, m.Posts, tt.want)
		}
	}
}

// Of two moderators, in two processes, who answer at the same moment one decides, and the post goes out once or not at all.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	for range 20 {
		h := newHouse(t)
		h.SetNow(time.Now()) // what is being written must not look old to Sweep
		id := h.hold("ann@m.test", "Lunch", "unproven")
		h.Take()
		first := h.office
		h.open(nil)
		errs := make([]error, 2)
		var wg sync.WaitGroup
		for i, o := range []*moderation.Office{first, h.office} {
			wg.Go(func() {
				errs[i] = o.Decide(t.Context(), id, held.Decision{Action: held.Approve, By: string(rune('a' + i))})
			})
			wg.Go(func() { _ = o.Tick(t.Context(), h.Now()) })
		}
		wg.Wait()
		lost := 0
		for _, err := range errs {
			if errors.Is(err, held.ErrDecided) {
				lost++
			} else if err != nil && !errors.Is(err, moderation.ErrPending) {
				t.Error(err)
			}
		}
		h.tick()
		if lost != 1 {
			t.Errorf("errors: %v", errs)
		}
		h.WantSent("members: Lunch")
		h.wantLeft()
	}
}

func TestKnown(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.hold("ann@m.test", "Lunch", "unproven")
	to := h.WantSent(noticeOf + "Lunch")[0].Value("Reply-To")
	_, good, _ := strings.Cut(strings.TrimSuffix(to, "@lists.test"), "+")
	other := address(t, "other@lists.test")
	gone := "h" + "aaaaaaaaaaaa" + h.keys.Make("held post", h.List.Key(), "aaaaaaaaaaaa")
	for _, tt := range []struct {
		name, extension string
		list            lists.Address
		want            error
	}{
		{"as it was made", good, h.List, nil},
		{"in capitals", strings.ToUpper(good), h.List, nil},
		{"of another list", good, other, moderation.ErrToken},
		{"none", "", h.List, moderation.ErrToken},
		{"only an id", "h" + id, h.List, moderation.ErrToken},
		{"another letter", "x" + good[1:], h.List, moderation.ErrToken},
		{"another id", "h" + "aaaaaaaaaaaa" + good[13:], h.List, moderation.ErrToken},
		{"another end", good[:len(good)-1] + "1", h.List, moderation.ErrToken},
		{"longer", good + "a", h.List, moderation.ErrToken},
		{"of a post that is gone", gone, h.List, moderation.ErrToken},
		{"no text", "h\x00\xff" + good[3:], h.List, moderation.ErrToken},
	} {
		if err := h.office.Known(tt.list, tt.extension); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestListThatIsGone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	decided := h.hold("ann@m.test", "Lunch", "unproven")
	h.hold("ann@m.test", "Dinner", "unproven")
	h.Take()
	must(t, h.Store.Delete(t.Context(), h.List))
	must(t, h.office.Decide(t.Context(), decided, held.Decision{Action: held.Approve, Ban: true}))
	h.wantLeft("Dinner")
	h.tick()
	h.wantLeft()
	h.WantSent()
}

// No text but the one that was made, in any case, is an address of ours.
func FuzzKnown(f *testing.F) {
	h := newHouse(f)
	id := h.hold("ann@m.test", "Lunch", "unproven")
	good := "h" + id + h.keys.Make("held post", h.List.Key(), id)
	f.Add(good)
	f.Add(strings.ToUpper(good))
	f.Add(good[1:] + "h")
	f.Add("h" + id + id + "abcd")
	f.Add(strings.Repeat("\u212a", 29))
	f.Fuzz(func(t *testing.T, extension string) {
		err := h.office.Known(h.List, extension)
		if ours := strings.EqualFold(extension, good) && len(extension) == len(good); (err == nil) != ours {
			t.Errorf("%q: %v", extension, err)
		}
		if err != nil && !errors.Is(err, moderation.ErrToken) {
			t.Errorf("%q: %v", extension, err)
		}
	})
}
