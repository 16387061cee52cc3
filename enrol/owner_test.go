package enrol_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"superlistd/audit"
	"superlistd/enrol"
	"superlistd/internal/faultdisk"
	"superlistd/internal/housetest"
	"superlistd/lists"
)

// An owner gets ten times as many answers about his list as others, and no more; what he has confirmed leaves him room.
func TestLimitOfOwners(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, list, from string
		proof            lists.Proof
		confirms         bool
		want             int
	}{
		{"proven", "team@lists.test", "owen@m.test", lists.Proven, false, 20},
		{"proven, and he confirms", "team@lists.test", "owen@m.test", lists.Proven, true, 40},
		{"who may be the owner", "team@lists.test", "owen@m.test", lists.Unproven, false, 2},
		{"who may be the owner, and confirms", "team@lists.test", "owen@m.test", lists.Unproven, true, 22},
		{"a member", "team@lists.test", "mia@m.test", lists.Proven, false, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.limits.Address, h.limits.Network = 2, 1000
			h.open(nil)
			n := 0
			for ; n < 60; n++ {
				err := h.ask(lists.ServiceRequest, tt.from, tt.proof, fmt.Sprintf("Subject: remove m%d@m.test", n))
				if err != nil {
					wantError(t, err, enrol.ErrTooMany)
					if want := "answers_per_day is 2"; !strings.Contains(err.Error(), want) {
						t.Errorf("%v does not name the limit", err)
					}
					break
				}
				if asked := h.Take(); tt.confirms {
					must(t, h.answer(asked[0], tt.from, ""))
					h.wantSent(tt.from + orders)
				}
			}
			if n != tt.want {
				t.Errorf("%d mails, want %d", n, tt.want)
			}
			other, err := h.Store.List(t.Context(), address(t, "other@lists.test"))
			must(t, err)
			err = h.desk.Take(t.Context(), other, lists.ServiceHelp, h.mail("owen@m.test", lists.Proven, "Subject: x"))
			if err != nil { // there he is nobody in particular, and has had nothing
				t.Errorf("another list: %v", err)
			}
		})
	}
}

// The owners hear that somebody was removed, and why, and not that he has left.
func TestRemovedIsTold(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		actor audit.Actor
		want  string
	}{
		{audit.Actor{Way: audit.ByBounces, Why: "550 5.1.1 No such user"},
			"was removed from team@lists.test.\n\nMail to the address came back for too long.\n  (550 5.1.1 No such user)\n\nSuch mails"},
		{audit.Actor{Way: audit.ByComplaint, By: "fbl@big.test", Why: "abuse"}, "was removed from team@lists.test.\n\nA report of abuse came from there.\n  (abuse)\n\nSuch mails"},
		{audit.Actor{Way: audit.ByListctl, By: "root"}, "was removed from team@lists.test.\n\nSuch mails"},
	} {
		h := newHouse(t, "owners_notice", "on")
		m, _ := h.Member("mia@m.test")
		h.desk.Removed(audit.With(t.Context(), tt.actor), h.Settings(), m)
		h.wantSent("owen@m.test olga@m.test: team@lists.test: mia@m.test was removed")[0].WantText(t, tt.want)
	}
	h := newHouse(t, "owners_notice", "on")
	m, _ := h.Member("mia@m.test")
	h.desk.Left(audit.With(t.Context(), audit.Actor{Way: audit.ByWeb, Own: true}), h.Settings(), m)
	h.wantSent("mia@m.test"+goodbye, "owen@m.test olga@m.test: team@lists.test: mia@m.test has left")
}

// The log tells who was invited and by whom, and that somebody joined since he was.
func TestInvitationsAreInTheLog(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "subscribe", "confirm+approve")
	log := audit.Open(h.Data, audit.Options{Now: h.Now, Fault: func(_ lists.Address, err error) { t.Error(err) }})
	h.Store = audit.Store(h.Store, log)
	h.desk = h.deskOn(h.Store, faultdisk.New(faultdisk.Fault{}))
	must(t, h.ask(lists.ServiceRequest, "owen@m.test", lists.Proven, "Subject: add ann@m.test"))
	must(t, h.answer(h.Take()[0], "owen@m.test", ""))
	must(t, h.answer(housetest.Sent(t, h.Take(), "ann@m.test"+invitation), "ann@m.test", ""))
	ctx := audit.With(t.Context(), audit.Actor{By: "carla", Way: audit.ByListctl})
	_, err := h.desk.Invite(ctx, h.Settings(), []lists.Member{{Address: address(t, "max@m.test")}}, "")
	must(t, err)
	h.Take()
	must(t, h.ask(lists.ServiceSubscribe, "max@m.test", lists.Unproven, "Subject: x"))
	must(t, h.answer(h.Take()[0], "max@m.test", ""))
	var got []string
	must(t, log.Read(h.List, time.Time{}, func(e audit.Event) error {
		got = append(got, fmt.Sprint(e.What, " ", e.Member, " ", e.Way, " ", e.By, " ", e.Why))
		return nil
	}))
	if want := []string{
		"invited ann@m.test mail owen@m.test ", "joined ann@m.test mail ann@m.test invitation",
		"invited max@m.test listctl carla ", "joined max@m.test mail max@m.test invitation",
	}; !slices.Equal(got, want) {
		t.Errorf("log:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
