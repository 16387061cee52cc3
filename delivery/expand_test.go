package delivery_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"superlistd/delivery"
	"superlistd/internal/smtptest"
	"superlistd/wire"
)

func TestNewRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		o    delivery.Options
	}{
		{"no batch", delivery.Options{MaxArmed: 1, Connections: 4, RelayShare: 1}},
		{"nothing armed", delivery.Options{Batch: 1, Connections: 4, RelayShare: 1}},
		{"no relay share", delivery.Options{Batch: 1, MaxArmed: 1, Connections: 4}},
		{"a post that could never get its slots", delivery.Options{Batch: 1, MaxArmed: 4, Connections: 4, RelayShare: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := delivery.New(nil, nil, tt.o, discard()); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestExpandIsDividedIntoBatches(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ members, batch, want int }{
		{1, 10, 1}, {9, 10, 1}, {10, 10, 1}, {11, 10, 2}, {100, 10, 10}, {2500, 1000, 3}, {7, 1, 7}, {20000, 1000, 20},
	} {
		t.Run(fmt.Sprintf("%d by %d", tt.members, tt.batch), func(t *testing.T) {
			t.Parallel()
			o := usual
			o.Batch = tt.batch
			h := newHouse(t, o)
			members := numbered(tt.members)
			team := h.list("team@lists.test", members...)
			out := h.mustExpand(h.route(team))
			if want := []delivery.Outcome{{List: team, Transactions: tt.want, Accepted: tt.members}}; !slices.Equal(out, want) {
				t.Errorf("outcome %v, want %v", out, want)
			}
			h.wantOnce(members...)
			if got := len(h.peer.Messages()); got != tt.want {
				t.Errorf("%d transactions, want %d", got, tt.want)
			}
			for _, m := range h.peer.Messages() {
				if m.Sender != "team-bounces@lists.test" || m.Client["NAME"] != "client.test" || len(m.Rcpts) > tt.batch {
					t.Errorf("from %s for %d recipients, client %v", m.Sender, len(m.Rcpts), m.Client)
				}
			}
		})
	}
}

// A peer that answers late shows that transactions do not wait for one another: each needs at
// least ten answers here.
func TestTransactionsAreArmedSideBySide(t *testing.T) {
	t.Parallel()
	const delay = 15 * time.Millisecond
	o := usual
	o.Batch = 2
	h := newHouse(t, o, smtptest.Delay(delay))
	team := h.list("team@lists.test", numbered(40)...)
	start := time.Now()
	e, err := h.d.Expand(t.Context(), wire.ClientInfo{}, []delivery.Route{h.route(team)})
	took := time.Since(start)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Abort()
	if h.peer.Open() != 20 {
		t.Errorf("%d connections armed, want 20", h.peer.Open())
	}
	if alone := 20 * 7 * delay; took > alone/2 {
		t.Errorf("took %v; one after the other would be %v", took, alone)
	}
}

// The dots come after the last content, the first one alone, and the smallest transaction is first.
func TestNothingIsCommittedBeforeAllIsArmed(t *testing.T) {
	t.Parallel()
	o := usual
	o.Batch = 4
	h := newHouse(t, o, smtptest.Delay(time.Millisecond))
	small := h.list("small@lists.test", "one@m.test")
	large := h.list("large@lists.test", numbered(11)...)
	e, err := h.d.Expand(t.Context(), wire.ClientInfo{}, []delivery.Route{h.route(large), h.route(small, large)})
	if err != nil {
		t.Fatal(err)
	}
	armed := h.peer.Transcript()
	if n := strings.Count(armed, "S: 354"); n != 4 || strings.Contains(armed, "<content") {
		t.Errorf("%d transactions in content, want 4; no dot before that\n%s", n, armed)
	}
	if n := len(h.peer.Messages()); n != 0 {
		t.Errorf("%d messages queued before the commit", n)
	}
	outcomes, reply, err := e.Commit(t.Context(), true)
	if err != nil || !strings.HasPrefix(reply.String(), "250 2.0.0 Ok: queued as") {
		t.Fatalf("%v, %v", reply, err)
	}
	if want := []delivery.Outcome{{List: large, Transactions: 3, Accepted: 11}, {List: small, Transactions: 1, Accepted: 1}}; !slices.Equal(outcomes, want) {
		t.Errorf("outcomes %v, want %v", outcomes, want)
	}
	h.wantOnce(append(numbered(11), "one@m.test")...)
	dots := h.peer.Transcript()[len(armed):]
	firstReply, secondDot := strings.Index(dots, "S: 250"), nth(dots, "<content", 2)
	if firstReply < 0 || secondDot < firstReply {
		t.Errorf("the second dot did not wait for the first answer\n%s", dots)
	}
	if first := h.peer.Messages()[0]; !slices.Equal(first.Rcpts, []string{"one@m.test"}) {
		t.Errorf("first commit for %q, want the smallest transaction", first.Rcpts)
	}
}

func nth(s, sub string, n int) int {
	at := regexp.MustCompile(regexp.QuoteMeta(sub)).FindAllStringIndex(s, n)
	if len(at) < n {
		return -1
	}
	return at[n-1][0]
}

func TestEmptyRoster(t *testing.T) {
	t.Parallel()
	h := newHouse(t, usual)
	empty := h.list("empty@lists.test")
	full := h.list("full@lists.test", "ann@m.test")
	out, reply, err := h.expand(h.route(empty))
	if err != nil || reply.Code != 0 || !slices.Equal(out, []delivery.Outcome{{List: empty}}) {
		t.Errorf("%v, %v, %v", out, reply, err)
	}
	if h.peer.Conns() != 0 {
		t.Error("connected for nobody")
	}
	if out := h.mustExpand(h.route(empty), h.route(full, empty)); out[1].Accepted != 1 {
		t.Errorf("outcome %v", out)
	}
	if out, reply, err := h.expand(); err != nil || len(out) != 0 || reply.Code != 0 {
		t.Errorf("no route: %v, %v, %v", out, reply, err)
	}
	h.wantOnce("ann@m.test")
}

// Everybody is on the other list, or is named himself: nothing is left to send, and that is no failure.
func TestNobodyIsLeft(t *testing.T) {
	t.Parallel()
	h := newHouse(t, usual)
	a := h.list("a@lists.test", "ann@m.test", "bob@m.test")
	b := h.list("b@lists.test", "Bob@m.test")
	r := h.route(b, a)
	if out := h.mustExpand(h.route(a), r); out[1] != (delivery.Outcome{List: b}) {
		t.Errorf("outcome %v", out)
	}
	h.wantOnce("ann@m.test", "bob@m.test")
}

func TestMailParameters(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		hop   []smtptest.Option
		eight bool
		want  string // SIZE is the copy's own, not the one that came
	}{
		{"7 bit", nil, false, "FROM:<team-bounces@lists.test> SIZE="},
		{"8 bit", nil, true, "FROM:<team-bounces@lists.test> SIZE= BODY=8BITMIME"},
		{"8 bit to a hop without 8BITMIME", []smtptest.Option{smtptest.Ext("SIZE", "PIPELINING")}, true, "FROM:<team-bounces@lists.test> SIZE="},
		{"a hop that offers nothing", []smtptest.Option{smtptest.Ext()}, true, "FROM:<team-bounces@lists.test>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, usual, tt.hop...)
			team := h.list("team@lists.test", "ann@m.test", "bob@m.test")
			r := h.route(team)
			r.EightBit = tt.eight
			h.mustExpand(r)
			size := strconv.Itoa(len(r.Head) + len(body))
			if got, want := h.peer.Messages()[0].Mail, strings.Replace(tt.want, "SIZE=", "SIZE="+size, 1); got != want {
				t.Errorf("MAIL %s, want %s", got, want)
			}
			h.wantOnce("ann@m.test", "bob@m.test")
		})
	}
}
