// Package housetest is what the tests of the desks share: a house with one list, a clock and a next hop, in which each call to
// the outside may fail; and loops that break the first step, then the second, until a fault is not reached. It knows no desk.
//
// A desk's own house embeds a House, and adds the desk and its words:
//
//	type house struct {
//		*housetest.House
//		desk *enrol.Desk
//	}
package housetest

import (
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"superlistd/delivery"
	"superlistd/lists"
	"superlistd/lists/memstore"
	"superlistd/templates"
)

// Start is when a House's clock begins.
var Start = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// House is a list in a store in memory, a clock that stands until it is told to go on, and a next hop.
type House struct {
	T     testing.TB
	Data  string        // a folder, with a secret that nobody has to sync
	Store lists.Store   // never fails; Shaky does
	List  lists.Address // team@lists.test

	// Fail is asked before each call to the outside, and after some; nil: nothing fails.
	Fail func(step string) error
	// Refuse is what the next hop has against a mail, one mail at a time; nil: nothing.
	Refuse func(r delivery.Route) error

	mu   sync.Mutex
	now  time.Time
	sent []Letter
	done map[delivery.Key]bool
}

// New makes a house whose list has no members yet. The settings are as in Set.
func New(t testing.TB, settings ...string) *House {
	t.Helper()
	h := &House{T: t, Data: t.TempDir(), Store: memstore.New(), List: Address(t, "team@lists.test"), now: Start, done: map[delivery.Key]bool{}}
	Must(t, os.WriteFile(filepath.Join(h.Data, "secret"), []byte("a secret that nobody has to sync"), 0o600))
	Must(t, h.Store.Create(t.Context(), lists.List{Address: h.List, Created: Start}, nil))
	h.Set(settings...)
	return h
}

// Step asks Fail. The names of a House's own are "deliver", "list", "update", "member", "update member" and "change", and
// "after " those that change something for a reader or a member.
func (h *House) Step(name string) error {
	if h.Fail == nil {
		return nil
	}
	return h.Fail(name)
}

// Now is the time.
func (h *House) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// SetNow sets the clock.
func (h *House) SetNow(t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = t
}

// Wait moves the clock on.
func (h *House) Wait(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// Set changes settings of the list: name, value, name, value…
func (h *House) Set(words ...string) {
	h.T.Helper()
	_, err := h.Store.Update(h.T.Context(), h.List, func(s *lists.Settings) error {
		for pair := range slices.Chunk(words, 2) {
			setting, err := lists.LookupSetting(pair[0])
			if err == nil {
				err = setting.Set(s, pair[1])
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	Must(h.T, err)
}

// Settings are the list as it is now.
func (h *House) Settings() lists.List {
	h.T.Helper()
	l, err := h.Store.List(h.T.Context(), h.List)
	Must(h.T, err)
	return l
}

// Join adds members.
func (h *House) Join(members ...lists.Member) {
	h.T.Helper()
	_, err := h.Store.Change(h.T.Context(), h.List, lists.Change{Add: members})
	Must(h.T, err)
}

// Member looks somebody up.
func (h *House) Member(who string) (m lists.Member, found bool) {
	h.T.Helper()
	m, found, err := h.Store.Member(h.T.Context(), h.List, Address(h.T, who))
	Must(h.T, err)
	return m, found
}

// embedded are read once for all tests.
var embedded = sync.OnceValues(func() (*templates.Set, error) { return templates.New("") })

// Texts are the built-in ones.
func Texts(t testing.TB) *templates.Set {
	t.Helper()
	texts, err := embedded()
	Must(t, err)
	return texts
}
