package audit_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"superlistd/audit"
	"superlistd/lists"
	"superlistd/lists/memstore"
	"superlistd/lists/storetest"
)

// A store with a log is a store like any other.
func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) lists.Store {
		return audit.Store(memstore.New(), audit.Open(t.TempDir(), audit.Options{Fault: fails(t)}))
	})
}

func fails(t *testing.T) func(lists.Address, error) {
	return func(list lists.Address, err error) { t.Errorf("%s: %v", list, err) }
}

func address(t *testing.T, s string) lists.Address {
	t.Helper()
	a, err := lists.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func noon() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

// said are all events of a list in short: what, of whom, the option, old > new, (way, by): why.
func said(t *testing.T, l *audit.Log, list lists.Address) (all []string) {
	t.Helper()
	if err := l.Read(list, time.Time{}, func(e audit.Event) error {
		all = append(all, short(e))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func short(e audit.Event) string {
	words := []string{string(e.What)}
	for _, w := range []string{e.Member, e.Option} {
		if w != "" {
			words = append(words, w)
		}
	}
	if e.Old != "" || e.New != "" {
		words = append(words, "["+e.Old+">"+e.New+"]")
	}
	if e.Way != "" {
		words = append(words, "("+string(e.Way)+","+e.By+")")
	}
	if e.Why != "" {
		words = append(words, ": "+e.Why)
	}
	return strings.Join(words, " ")
}

func member(t *testing.T, s string) lists.Member {
	return lists.Member{Address: address(t, s), Since: noon()}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAStoreWritesWhatWasChangedAndByWhom(t *testing.T) {
	t.Parallel()
	log := audit.Open(t.TempDir(), audit.Options{Fault: fails(t)})
	s := audit.Store(memstore.New(), log)
	team := address(t, "team@m.test")
	ctx := audit.With(t.Context(), audit.Actor{By: "root", Way: audit.ByListctl})
	settings := lists.DefaultSettings()
	settings.Post = lists.PostAnyone
	must(t, s.Create(ctx, lists.List{Address: team, Settings: settings}, nil))
	if err := s.Create(ctx, lists.List{Address: team}, nil); !errors.Is(err, lists.ErrListExists) {
		t.Fatal(err)
	}

	silent := member(t, "Cy@m.test")
	silent.Delivery = lists.DeliveryNone
	_, err := s.Change(ctx, team, lists.Change{Add: []lists.Member{member(t, "ann@m.test"), silent, member(t, "bob@m.test"), member(t, "ann@m.test")}})
	must(t, err)
	named := member(t, "ann@m.test")
	named.Name = "Ann"
	_, err = s.Change(ctx, team, lists.Change{Add: []lists.Member{named}})
	must(t, err)
	_, err = s.Update(ctx, team, func(s *lists.Settings) error {
		s.Emergency = true
		return nil
	})
	must(t, err)
	_, err = s.Update(ctx, team, func(*lists.Settings) error { return nil })
	must(t, err)

	bounces := audit.With(t.Context(), audit.Actor{Way: audit.ByBounces})
	disable := func(d lists.Disabled) {
		_, err := s.UpdateMember(bounces, team, address(t, "bob@m.test"), func(m *lists.Member) error {
			m.Disabled = d
			return nil
		})
		must(t, err)
	}
	disable(lists.Disable("550 gone", noon()))
	disable(lists.Disabled{})
	must(t, lists.CountPost(t.Context(), s, team, address(t, "ann@m.test")))
	_, err = s.UpdateMember(ctx, team, address(t, "ann@m.test"), func(m *lists.Member) error {
		m.Moderated, m.Posts = true, 7
		return nil
	})
	must(t, err)

	own := audit.With(t.Context(), audit.Actor{By: "192.0.2.1", Way: audit.ByWeb, Own: true})
	_, err = s.Change(own, team, lists.Change{Remove: []lists.Address{address(t, "ann@m.test"), address(t, "nobody@m.test")}})
	must(t, err)
	why := audit.With(t.Context(), audit.Actor{Way: audit.ByBounces, Why: "550 gone"})
	_, err = s.Change(why, team, lists.Change{Replace: true})
	must(t, err)
	must(t, s.Delete(ctx, team))

	want := []string{
		"created [>post=anyone] (listctl,root)",
		"joined Cy@m.test [>delivery=nomail] (listctl,root)",
		"joined ann@m.test (listctl,root)",
		"joined bob@m.test (listctl,root)",
		"changed ann@m.test name [>Ann] (listctl,root)",
		"setting emergency [off>on] (listctl,root)",
		"disabled bob@m.test [>2026-11-21T12:00:00Z 550 gone] (bounces,)",
		"enabled bob@m.test [2026-11-21T12:00:00Z 550 gone>] (bounces,)",
		"changed ann@m.test moderated [off>on] (listctl,root)",
		"changed ann@m.test posts [1>7] (listctl,root)",
		"left ann@m.test (web,192.0.2.1)",
		"removed bob@m.test (bounces,) : 550 gone",
		"removed Cy@m.test (bounces,) : 550 gone",
		"deleted [0>] (listctl,root)",
	}
	if got := said(t, log, team); !reflect.DeepEqual(got, want) {
		t.Errorf("the log says\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// What fails is not written, and that writing fails stops nothing.
func TestAChangeAndItsLineFailEachByItself(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	var faults []error
	log := audit.Open(data, audit.Options{Fault: func(_ lists.Address, err error) { faults = append(faults, err) }})
	s := audit.Store(memstore.New(), log)
	team := address(t, "team@m.test")
	must(t, s.Create(t.Context(), lists.List{Address: team}, nil))
	refused := errors.New("refused")
	for _, err := range []error{
		second(s.Update(t.Context(), team, func(s *lists.Settings) error {
			s.Emergency = true
			return refused
		})),
		second(s.UpdateMember(t.Context(), team, team, func(*lists.Member) error { return nil })),
		second(s.Change(t.Context(), address(t, "other@m.test"), lists.Change{Add: []lists.Member{member(t, "ann@m.test")}})),
		s.Delete(t.Context(), address(t, "other@m.test")),
	} {
		if err == nil {
			t.Error("what must fail did not")
		}
	}
	if got := said(t, log, team); len(got) != 1 || len(faults) != 0 {
		t.Errorf("the log says %q after failures, faults %v", got, faults)
	}

	must(t, os.RemoveAll(filepath.Join(data, "audit")))
	must(t, os.WriteFile(filepath.Join(data, "audit"), nil, 0o600))
	_, err := s.Change(t.Context(), team, lists.Change{Add: []lists.Member{member(t, "ann@m.test")}})
	must(t, err)
	if _, found, err := s.Member(t.Context(), team, address(t, "ann@m.test")); err != nil || !found || len(faults) != 1 {
		t.Errorf("without a log: member %v, %v, faults %v", found, err, faults)
	}
}

func second[T any](_ T, err error) error { return err }

// A change of very many is few lines, each of a bounded length, and tells of each.
func TestManyAtATime(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	log := audit.Open(data, audit.Options{Fault: fails(t)})
	s := audit.Store(memstore.New(), log)
	team := address(t, "team@m.test")
	must(t, s.Create(t.Context(), lists.List{Address: team}, nil))
	const n = 5000
	local := strings.Repeat("x", 50)
	var c lists.Change
	for i := range n {
		c.Add = append(c.Add, member(t, local+string(rune('a'+i%26))+string(rune('a'+i/26%26))+string(rune('a'+i/676))+"@m.test"))
	}
	_, err := s.Change(context.Background(), team, c)
	must(t, err)
	got := said(t, log, team)
	if len(got) != n+1 || got[1] != "joined "+c.Add[0].Address.String() || got[n] != "joined "+c.Add[n-1].Address.String() {
		t.Errorf("%d events", len(got))
	}
	files, err := filepath.Glob(filepath.Join(data, "audit", "*", "*.jsonl"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	text, err := os.ReadFile(files[0])
	must(t, err)
	for line := range strings.Lines(string(text)) {
		if len(line) > 64<<10 {
			t.Errorf("a line of %d octets", len(line))
		}
	}
	if lines := strings.Count(string(text), "\n"); lines > 20 {
		t.Errorf("%d lines", lines)
	}
}

// What is recorded beside the changes goes into the log of a Store that has one.
func TestRecord(t *testing.T) {
	t.Parallel()
	log := audit.Open(t.TempDir(), audit.Options{Fault: fails(t)})
	team := address(t, "team@m.test")
	ctx := audit.With(t.Context(), audit.Actor{By: "owen@m.test", Way: audit.ByMail})
	for _, s := range []lists.Store{audit.Store(memstore.New(), log), memstore.New()} {
		audit.Record(ctx, s, team, audit.Invited, address(t, "ann@m.test"))
	}
	var all []audit.Event
	must(t, log.Read(team, time.Time{}, func(e audit.Event) error {
		all = append(all, e)
		return nil
	}))
	if len(all) != 1 || all[0].What != audit.Invited || all[0].Member != "ann@m.test" || all[0].By != "owen@m.test" || all[0].Way != audit.ByMail {
		t.Errorf("%+v", all)
	}
}
