// Package storetest is the contract that every lists.Store passes: what each method
// does and refuses, what readers see beside writers, and long random runs that are
// compared with memstore. It knows no engine; an engine's own tests call Run.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"superlistd/lists"
)

// Run runs the contract. open returns a new, empty store each time, and closes it at
// the end of the test that it is given.
func Run(t *testing.T, open func(t *testing.T) lists.Store) {
	for _, part := range []struct {
		name string
		test func(*testing.T, lists.Store)
	}{
		{"an empty store has no lists", testEmpty},
		{"create", testCreate},
		{"create asks in its transaction", testCreateCheck},
		{"lists come in slices", testLists},
		{"settings", testSettings},
		{"every setting is kept", testEverySetting},
		{"delete", testDelete},
		{"changes", testChanges},
		{"a bad change changes nothing", testBadChange},
		{"progress", testProgress},
		{"members are kept as given", testMemberFields},
		{"members come in slices", testMembers},
		{"options of a member", testOptions},
		{"an update of a member that is refused", testBadUpdate},
		{"aliases", testAliases},
		{"aliases of those who are added", testAddedAliases},
		{"posts are counted", testCountPost},
		{"who receives posts", testReceiving},
		{"the cursor passes who receives none", testReceivingCursor},
		{"many who receive none", testManyWithoutPosts},
		{"what keeps posts away is checked", testReceivingFields},
		{"how far a list is with its digests", testDigest},
		{"another delivery from the next issue on", testSwitches},
		{"copies of what was before", testSwitchCopies},
		{"nobody loses a post, or has it twice", testNobodyLoses},
		{"contains", testContains},
		{"recipients", testRecipients},
		{"recipients across changes", testRecipientsAcrossChanges},
		{"copies", testCopies},
		{"stamp", testStamp},
		{"the context ends every method", testContext},
		{"no list", testNoList},
		{"concurrent writers", testWriters},
		{"readers see whole transactions", testReaders},
		{"random operations", testRandom},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.test(t, open(t))
		})
	}
}

func mustParse(t testing.TB, s string) lists.Address {
	t.Helper()
	a, err := lists.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// addresses parses several.
func addresses(t testing.TB, texts ...string) []lists.Address {
	t.Helper()
	var as []lists.Address
	for _, s := range texts {
		as = append(as, mustParse(t, s))
	}
	return as
}

// members makes members without names who came on one day.
func members(t testing.TB, texts ...string) []lists.Member {
	t.Helper()
	var ms []lists.Member
	for _, a := range addresses(t, texts...) {
		ms = append(ms, lists.Member{Address: a, Since: day(1)})
	}
	return ms
}

func day(n int) time.Time { return time.Date(2026, 11, n, 12, 0, 0, 0, time.UTC) }

// create makes a list and returns its address.
func create(t testing.TB, s lists.Store, name string) lists.Address {
	t.Helper()
	a := mustParse(t, name)
	l := lists.List{Address: a, Created: day(1), Settings: lists.DefaultSettings()}
	if err := s.Create(t.Context(), l, nil); err != nil {
		t.Fatal(err)
	}
	return a
}

func change(t testing.TB, s lists.Store, list lists.Address, c lists.Change) lists.Outcome {
	t.Helper()
	out, err := s.Change(t.Context(), list, c)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func get(t testing.TB, s lists.Store, list lists.Address) lists.List {
	t.Helper()
	l, err := s.List(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// roster returns all members, read in slices of n.
func roster(ctx context.Context, s lists.Store, list lists.Address, n int) ([]lists.Member, error) {
	var all []lists.Member
	var after lists.Address
	for {
		slice, err := s.Members(ctx, list, after, n)
		if err != nil || len(slice) == 0 {
			return all, err
		}
		if len(slice) > n {
			return nil, fmt.Errorf("%d members, asked for at most %d", len(slice), n)
		}
		all = append(all, slice...)
		after = slice[len(slice)-1].Address
	}
}

// names are the members' addresses as text, in order.
func names(t testing.TB, s lists.Store, list lists.Address) []string {
	t.Helper()
	all, err := roster(t.Context(), s, list, 7)
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{}
	for _, m := range all {
		texts = append(texts, m.Address.String())
	}
	return texts
}

func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

func wantErr(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", what, err, want)
	}
}
