package delivery_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"superlistd/delivery"
	"superlistd/internal/housetest"
	"superlistd/internal/smtptest"
	"superlistd/lists"
	"superlistd/lists/memstore"
	"superlistd/smtpclient"
	"superlistd/wire"
)

// house is a Deliverer between a store in memory and a peer.
type house struct {
	t     testing.TB
	peer  *smtptest.Peer
	store *memstore.Store
	pool  *smtpclient.Pool
	d     *delivery.Deliverer

	mu      sync.Mutex
	refused []string // "list recipient"
	why     []string
}

// usual are options that no test of another thing runs into.
var usual = delivery.Options{Batch: 1000, MaxArmed: 20, Connections: 40, RelayShare: 4}

func newHouse(t testing.TB, o delivery.Options, opts ...smtptest.Option) *house {
	t.Helper()
	return newHouseWith(t, o, nil, opts...)
}

// newHouseWith lets rosters stand between the Deliverer and the store.
func newHouseWith(t testing.TB, o delivery.Options, rosters func(delivery.Rosters) delivery.Rosters, opts ...smtptest.Option) *house {
	t.Helper()
	h := &house{t: t, peer: smtptest.Start(t, opts...), store: memstore.New()}
	hop, err := smtpclient.ParseHop(h.peer.Hop())
	if err != nil {
		t.Fatal(err)
	}
	h.pool = smtpclient.NewPool(smtpclient.Options{Hop: hop, Hostname: "mx.lists.test", Timeout: 20 * time.Second}, o.Connections, time.Minute)
	t.Cleanup(h.pool.Close)
	o.Refused = h.note
	var r delivery.Rosters = h.store
	if rosters != nil {
		r = rosters(r)
	}
	if h.d, err = delivery.New(h.pool, r, o, zerolog.Nop()); err != nil {
		t.Fatal(err)
	}
	return h
}

// note hears of members who are refused.
func (h *house) note(list lists.Address, rcpt, why string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refused = append(h.refused, list.String()+" "+rcpt)
	h.why = append(h.why, why)
}

var wantError, address = housetest.WantError, housetest.Address

// numbered makes n members, in the order of their keys.
func numbered(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("member%06d@m.test", i)
	}
	return out
}

// list makes a list of members.
func (h *house) list(name string, members ...string) lists.Address {
	h.t.Helper()
	a := address(h.t, name)
	if err := h.store.Create(context.Background(), lists.List{Address: a, Settings: lists.DefaultSettings()}, nil); err != nil {
		h.t.Fatal(err)
	}
	h.join(a, members...)
	return a
}

func (h *house) join(list lists.Address, members ...string) {
	h.t.Helper()
	change := lists.Change{Add: make([]lists.Member, len(members))}
	for i, m := range members {
		change.Add[i].Address = address(h.t, m)
	}
	if _, err := h.store.Change(context.Background(), list, change); err != nil {
		h.t.Fatal(err)
	}
}

// body is content that must arrive whole.
const body = "Hello.\r\n.dots\r\nlast line\r\n"

type content string

func (c content) Size() int64                { return int64(len(c)) }
func (c content) Reader(off int64) io.Reader { return strings.NewReader(string(c)[off:]) }

// route addresses a post to a list as it is now.
func (h *house) route(list lists.Address, not ...lists.Address) delivery.Route {
	h.t.Helper()
	l, err := h.store.List(context.Background(), list)
	if err != nil {
		h.t.Fatal(err)
	}
	return delivery.Route{
		List: list, ReversePath: l.Bounces(), Head: []byte("List-Id: <" + l.ID() + ">\r\n\r\n"),
		Body: content("old header\r\n\r\n" + body), BodyOffset: int64(len("old header\r\n\r\n")),
		AnyUTF8:  l.UTF8Members > 0,
		Audience: delivery.Audience{List: list, Members: l.Members, Not: not, NotAt: h.issuesOf(not)},
	}
}

// issuesOf are the issues that lists gather now.
func (h *house) issuesOf(all []lists.Address) (out []int) {
	h.t.Helper()
	for _, a := range all {
		l, err := h.store.List(context.Background(), a)
		if err != nil {
			h.t.Fatal(err)
		}
		out = append(out, l.Digests.Number)
	}
	return out
}

// expand arms and commits.
func (h *house) expand(routes ...delivery.Route) ([]delivery.Outcome, wire.Reply, error) {
	e, err := h.d.Expand(h.t.Context(), wire.ClientInfo{Name: "client.test", Addr: "192.0.2.1"}, routes)
	if err != nil {
		return nil, wire.Reply{}, err
	}
	return e.Commit(h.t.Context(), true)
}

// mustExpand is expand where nothing may fail.
func (h *house) mustExpand(routes ...delivery.Route) []delivery.Outcome {
	h.t.Helper()
	outcomes, _, err := h.expand(routes...)
	if err != nil {
		h.t.Fatalf("%v\n%s", err, h.tail())
	}
	return outcomes
}

// tail is the end of the peer's transcript.
func (h *house) tail() string {
	s := h.peer.Transcript()
	return s[max(0, len(s)-4000):]
}

// wantOnce checks that these, and nobody else, have the post exactly once and whole.
func (h *house) wantOnce(want ...string) {
	h.t.Helper()
	got := h.peer.Queued()
	for _, w := range want {
		if got[w] != 1 {
			h.t.Errorf("%s has the post %d times", w, got[w])
		}
	}
	if len(got) != len(want) {
		h.t.Errorf("%d recipients queued, want %d", len(got), len(want))
	}
	for _, m := range h.peer.Messages() {
		if !strings.HasPrefix(m.Content, "List-Id: <") || !strings.HasSuffix(m.Content, "\r\n\r\n"+body) {
			h.t.Errorf("content of a copy: %q", m.Content)
		}
	}
	h.wantClean()
}

// wantNothing checks that a failure left no trace: nothing queued, no dot sent, no slot taken.
func (h *house) wantNothing() {
	h.t.Helper()
	if got := h.peer.Messages(); len(got) > 0 {
		h.t.Errorf("%d messages queued", len(got))
	}
	if strings.Contains(h.peer.Transcript(), "complete: true") {
		h.t.Errorf("a dot was sent\n%s", h.tail())
	}
	h.wantClean()
}

func (h *house) wantClean() {
	h.t.Helper()
	if !h.d.AllFree() {
		h.t.Error("slots are not given back")
	}
	if v := h.peer.Violations(); len(v) > 0 {
		h.t.Errorf("violations: %q", v)
	}
}

// wantRefused checks who was reported as refused, in any order.
func (h *house) wantRefused(want ...string) {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	got := slices.Sorted(slices.Values(h.refused))
	slices.Sort(want)
	if !slices.Equal(got, want) {
		h.t.Errorf("refused: %d %.200q, want %d %.200q", len(got), got, len(want), want)
	}
}

// grown waits until there are no more goroutines than before, and returns the stacks of the rest.
func grown(before int) string {
	var now int
	for range 500 {
		if now = runtime.NumGoroutine(); now <= before {
			return ""
		}
		time.Sleep(10 * time.Millisecond)
	}
	buf := make([]byte, 1<<20)
	return fmt.Sprintf("%d goroutines before, %d now\n%s", before, now, bytes.TrimSpace(buf[:runtime.Stack(buf, true)]))
}
