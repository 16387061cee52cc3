package bouncing_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlistd/bouncing"
	"superlistd/internal/housetest"
	"superlistd/lists"
	"superlistd/message"
)

// arf is a complaint as mail systems write it, about a copy with these fields.
func arf(kind, fields string) string {
	return strings.ReplaceAll("From: fbl@isp.test\nTo: team-owner@lists.test\nSubject: complaint\nMIME-Version: 1.0\n"+
		"Content-Type: multipart/report; report-type=feedback-report; boundary=m\n\n"+
		"--m\nContent-Type: text/plain\n\nSomebody complains.\n--m\nContent-Type: message/feedback-report\n\nFeedback-Type: "+kind+
		"\nOriginal-Rcpt-To: <bea@m.test>\n\n--m\nContent-Type: message/rfc822\n\n"+fields+"\nSubject: a post\n\nthe post\n--m--\n", "\n", "\r\n")
}

// link is a member's own, as the house reads them.
func link(list, member string) string {
	return "List-Unsubscribe: <mailto:team-unsubscribe@lists.test>, <https://lists.test/" + list + "/" + member + ">"
}

// keyed is the reverse-path of a member's copy.
func (h *house) keyed(member string) string {
	local, domain, _ := strings.Cut(h.path(), "@")
	return "Return-Path: <" + local + "+" + strings.Replace(member, "@", "=", 1) + "@" + domain + ">"
}

var isp = bouncing.Complainant{Author: lists.Address{Local: "fbl", Domain: "isp.test"}, Proven: true}

func (h *house) complain(from bouncing.Complainant, raw string) {
	h.T.Helper()
	must(h.T, h.desk.Complaint(h.T.Context(), from, strings.NewReader(raw)))
}

func (h *house) complained(who string) bool {
	h.T.Helper()
	yes, err := h.desk.Complained(h.T.Context(), h.List, parse(h.T, who))
	must(h.T, err)
	return yes
}

func TestComplaints(t *testing.T) {
	t.Parallel()
	const ann, team = "ann@m.test", "team@lists.test"
	unproven := bouncing.Complainant{Author: isp.Author}
	for _, tt := range []struct {
		name    string
		from    bouncing.Complainant
		raw     func(h *house) string
		removed bool
		letters []string
	}{
		{"her own link", isp, func(*house) string { return arf("abuse", link(team, ann)) }, true, []string{"complaint owen@m.test"}},
		{"her own link is proof enough", unproven, func(*house) string { return arf("other", link(team, ann)) }, true, []string{"complaint owen@m.test"}},
		{"nobody knows from whom", bouncing.Complainant{}, func(*house) string { return arf("fraud", link(team, ann)) }, true, []string{"complaint owen@m.test"}},
		{"reverse-path", isp, func(h *house) string { return arf("abuse", h.keyed(ann)) }, true, []string{"complaint owen@m.test"}},
		{"reverse-path, from somebody unproven", unproven, func(h *house) string { return arf("abuse", h.keyed(ann)) }, false, []string{"complaint owen@m.test"}},
		{"reverse-path, from a fellow member", bouncing.Complainant{Author: parse(t, "bea@m.test"), Proven: true}, func(h *house) string {
			return arf("abuse", h.keyed(ann))
		}, false, []string{"complaint owen@m.test"}},
		{"both, the link of another list", isp, func(h *house) string { return arf("abuse", link("no@lists.test", ann)+"\n"+h.keyed(ann)) }, true, []string{"complaint owen@m.test"}},
		{"not-spam", isp, func(*house) string { return arf("not-spam", link(team, ann)) }, false, nil},
		{"auth-failure", isp, func(*house) string { return arf("auth-failure", link(team, ann)) }, false, nil},
		{"virus", isp, func(*house) string { return arf("virus", link(team, ann)) }, false, nil},
		{"no type", isp, func(*house) string { return arf("", link(team, ann)) }, false, nil},
		{"a link that is not ours", isp, func(*house) string { return arf("abuse", "List-Unsubscribe: <https://evil.test/"+team+"/"+ann+">") }, false, nil},
		{"a key that is not ours", isp, func(*house) string {
			return arf("abuse", "Return-Path: <team-bounces+baaaaaaaaaa+ann=m.test@lists.test>")
		}, false, nil},
		{"a key without a member", isp, func(h *house) string { return arf("abuse", "Return-Path: <"+h.path()+">") }, false, nil},
		{"a key with a stranger", isp, func(h *house) string { return arf("abuse", h.keyed("eve@m.test")) }, false, nil},
		{"the key of another list", isp, func(h *house) string { return arf("abuse", strings.Replace(h.keyed(ann), "team-", "other-", 1)) }, false, nil},
		{"a recipient in the report alone", isp, func(*house) string { return arf("abuse", "X: y") }, false, nil},
		{"a bounce", isp, func(*house) string { return gone(ann, "1@m.test") }, false, nil},
		{"a mail", isp, func(h *house) string {
			return "Subject: abuse\r\n" + link(team, ann) + "\r\n\r\n" + h.keyed(ann) + "\r\n"
		}, false, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, 20)
			raw := tt.raw(h)
			for range 2 { // the same mail comes twice
				h.complain(tt.from, raw)
			}
			if _, found := h.Member(ann); found == tt.removed {
				t.Errorf("a member: %v", found)
			}
			if h.complained(ann) != tt.removed || h.complained("bea@m.test") {
				t.Errorf("noted of ann: %v, of bea: %v", h.complained(ann), h.complained("bea@m.test"))
			}
			h.wantSent(tt.letters...)
			h.wait(time.Minute)
			h.wantSent()
			if len(h.left) > 0 {
				t.Errorf("told to others as a bounce: %v", h.left)
			}
		})
	}
}

// What was sent to an address when it was a member is no complaint of the member of whom it is an alias now.
func TestComplaintOfAnAlias(t *testing.T) {
	t.Parallel()
	for _, proof := range []func(h *house) string{
		func(*house) string { return link("team@lists.test", "old@m.test") }, func(h *house) string { return h.keyed("old@m.test") },
	} {
		h := newHouse(t, 20)
		_, err := h.Store.UpdateMember(t.Context(), h.List, parse(t, "ann@m.test"), func(m *lists.Member) error {
			m.Aliases = []lists.Address{parse(t, "old@m.test")}
			return nil
		})
		must(t, err)
		h.complain(isp, arf("abuse", proof(h)))
		if _, found := h.Member("ann@m.test"); !found || h.complained("ann@m.test") {
			t.Errorf("ann was removed: %v, noted: %v", !found, h.complained("ann@m.test"))
		}
	}
}

func TestComplaintIsTold(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 20)
	h.complain(isp, arf("abuse", link("team@lists.test", "ann@m.test")))
	told := h.wantSent("complaint owen@m.test")[0]
	for _, want := range []string{"Ann@m.test", "fbl@isp.test", "abuse", "was removed"} {
		if !strings.Contains(told.Text, want) {
			t.Errorf("no %q in\n%s", want, told.Text)
		}
	}
	if told.From != "" {
		t.Errorf("it comes back to %s", told.From)
	}
	h.complain(bouncing.Complainant{}, arf("abuse", h.keyed("bea@m.test")))
	if told := h.wantSent("complaint owen@m.test")[0]; !strings.Contains(told.Text, "nothing was done") || strings.Contains(told.Text, "removed") {
		t.Errorf("of one in doubt:\n%s", told.Text)
	}
}

func TestComplaintIsRemembered(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 20)
	ann := parse(t, "ANN@m.test")
	h.complain(isp, arf("abuse", link("team@lists.test", "ann@m.test")))
	h.wait(729 * day)
	if !h.complained("ann@m.test") {
		t.Error("forgotten before two years")
	}
	h.wait(2 * day)
	if h.complained("ann@m.test") {
		t.Error("remembered after two years")
	}
	h.wait(-100 * day)
	if h.complained("ann@m.test") {
		t.Error("it was not tidied up")
	}
	h.complain(isp, arf("abuse", link("team@lists.test", "ann@m.test"))) // of a copy that is years old
	if !h.complained("ann@m.test") {
		t.Error("who is no member does not want to be one")
	}
	must(t, h.desk.Forgive(t.Context(), h.List, ann))
	if h.complained("ann@m.test") {
		t.Error("remembered after she has joined")
	}
	h.Take()
}

// Who can prove to be somebody, and knows the list's key, empties no list with it.
func TestManyComplaints(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 40)
	for i := range 30 {
		h.complain(isp, arf("abuse", h.keyed(fmt.Sprintf("m%d@n.test", i))))
	}
	if n := h.Settings().Members; n != 35 {
		t.Errorf("%d of 40 members are left", n)
	}
	if n := len(h.Take()); n != 5+3 {
		t.Errorf("%d letters to the owner", n)
	}
	for i := range 30 { // whoever has the link may leave by it
		h.complain(isp, arf("abuse", link("team@lists.test", fmt.Sprintf("m%d@n.test", i))))
	}
	if n := h.Settings().Members; n != 10 {
		t.Errorf("%d of 40 members are left", n)
	}
	h.wait(day)
	h.complain(isp, arf("abuse", h.keyed("m37@n.test")))
	if n := h.Settings().Members; n != 9 {
		t.Errorf("the next day %d members are left", n)
	}
}

// The n-th call to the outside fails, and the mail comes again, or time does the rest. Law: the member is gone, it is
// remembered, and the owner was told once.
func TestComplaintFaults(t *testing.T) {
	t.Parallel()
	housetest.CallFault{}.EachStep(t, 8, func(c *housetest.Calls) {
		h := newHouse(t, 5)
		h.Fail = c.Step
		raw := arf("abuse", link("team@lists.test", "ann@m.test"))
		if err := h.desk.Complaint(t.Context(), isp, strings.NewReader(raw)); err != nil {
			if !errors.Is(err, errFault) {
				t.Fatal(err)
			}
			h.complain(isp, raw)
		}
		h.Fail = nil
		h.open()
		h.wait(time.Hour)
		h.wantSent("complaint owen@m.test")
		if _, found := h.Member("ann@m.test"); found || !h.complained("ann@m.test") {
			t.Errorf("a member: %v, remembered: %v", found, h.complained("ann@m.test"))
		}
		h.wait(day)
		h.wantSent()
	})
}

// A member who has come back by his own will is not removed by what was left undone.
func TestComplaintOfSomebodyWhoIsBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 5)
	h.Fail = func(step string) error {
		if step == "deliver" {
			return errFault
		}
		return nil
	}
	h.complain(isp, arf("abuse", link("team@lists.test", "ann@m.test")))
	h.Fail = nil
	must(t, h.desk.Forgive(t.Context(), h.List, parse(t, "ann@m.test")))
	h.Join(lists.Member{Address: parse(t, "ann@m.test")})
	h.wait(day)
	if _, found := h.Member("ann@m.test"); !found {
		t.Error("removed again")
	}
}

// While the book is damaged, who wants to be off is off.
func TestComplaintWithDamagedBook(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 20)
	must(t, os.WriteFile(filepath.Join(h.Data, "bounces.db"), []byte("damaged"), 0o600))
	h.complain(isp, arf("abuse", link("team@lists.test", "ann@m.test")))
	h.complain(isp, arf("abuse", h.keyed("bea@m.test")))
	h.wantSent("complaint owen@m.test")
	if h.complained("ann@m.test") {
		t.Error("read out of a damaged book")
	}
	must(t, h.desk.Forgive(t.Context(), h.List, parse(t, "ann@m.test"))) // nobody is kept from joining
	if _, found := h.Member("ann@m.test"); found {
		t.Error("she is still there")
	}
	if _, found := h.Member("bea@m.test"); !found {
		t.Error("nobody counts what is trusted, and it was")
	}
}

func TestComplains(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, kind string
		want       bool
	}{
		{"complaint", "multipart/report; report-type=Feedback-Report; boundary=a", true},
		{"without a type", "Multipart/Report; boundary=a", true},
		{"bounce", "multipart/report; report-type=delivery-status; boundary=a", false},
		{"mail", "text/plain", false},
		{"mail that names it", "multipart/mixed; report-type=feedback-report; boundary=a", false},
	} {
		if got := bouncing.Complains(message.ParseHeader([]byte("Content-Type: " + tt.kind + "\r\n\r\n"))); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
