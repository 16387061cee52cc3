package lists_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"superlistd/lists"
	"superlistd/lists/memstore"
)

// counting is a store that counts what it is asked, and can be broken.
type counting struct {
	lists.Store
	reads, stamps atomic.Int32
	broken        atomic.Bool
}

func (c *counting) List(ctx context.Context, a lists.Address) (lists.List, error) {
	c.reads.Add(1)
	if c.broken.Load() {
		return lists.List{}, fmt.Errorf("disk: %w", lists.ErrStore)
	}
	return c.Store.List(ctx, a)
}

func (c *counting) Stamp(ctx context.Context) (lists.Stamp, error) {
	c.stamps.Add(1)
	return c.Store.Stamp(ctx)
}

// directory makes a Directory of lists.example.org and bücher.example with these lists.
func directory(t testing.TB, names ...string) (*lists.Directory, *counting) {
	t.Helper()
	store := &counting{Store: memstore.New()}
	for _, name := range names {
		if err := store.Create(t.Context(), lists.List{Address: mustParse(t, name)}, nil); err != nil {
			t.Fatal(err)
		}
	}
	d, err := lists.NewDirectory(store, []string{"Lists.example.org", "xn--bcher-kva.example"}, "+")
	if err != nil {
		t.Fatal(err)
	}
	return d, store
}

func TestNewDirectory(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		domains   []string
		delimiter string
	}{
		{"no domains", nil, "+"},
		{"bad domain", []string{"a b"}, "+"},
		{"empty domain", []string{"example.org", ""}, "+"},
		{"no delimiter", []string{"example.org"}, ""},
		{"hyphen", []string{"example.org"}, "-"},
		{"dot", []string{"example.org"}, "."},
		{"letter", []string{"example.org"}, "x"},
		{"two", []string{"example.org"}, "+="},
		{"needs quotes", []string{"example.org"}, `"`},
	} {
		if _, err := lists.NewDirectory(memstore.New(), tt.domains, tt.delimiter); err == nil {
			t.Errorf("%s: accepted", tt.name)
		}
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	d, _ := directory(t, "Team@lists.example.org", "a-b@lists.example.org", "a@lists.example.org",
		"odd-bounces@lists.example.org", "b@xn--bcher-kva.example")
	const post, service, postmaster = lists.Post, lists.ToService, lists.Postmaster
	for _, tt := range []struct {
		name, in  string
		kind      lists.Kind
		list      string
		service   lists.Service
		extension string
	}{
		{"foreign domain", "team@example.org", lists.Relay, "", "", ""},
		{"subdomain is foreign", "team@x.lists.example.org", lists.Relay, "", "", ""},
		{"list", "team@lists.example.org", post, "Team@lists.example.org", "", ""},
		{"list in any case", "TEAM@LISTS.example.org", post, "Team@lists.example.org", "", ""},
		{"list in quotes", `"team"@lists.example.org`, post, "Team@lists.example.org", "", ""},
		{"A-label domain", "b@XN--bcher-kva.example", post, "b@xn--bcher-kva.example", "", ""},
		{"owner", "team-owner@lists.example.org", service, "Team@lists.example.org", lists.ServiceOwner, ""},
		{"owner in any case", "TEAM-Owner@lists.example.org", service, "Team@lists.example.org", lists.ServiceOwner, ""},
		{"request", "team-request@lists.example.org", service, "Team@lists.example.org", lists.ServiceRequest, ""},
		{"subscribe", "team-subscribe@lists.example.org", service, "Team@lists.example.org", lists.ServiceSubscribe, ""},
		{"join", "team-join@lists.example.org", service, "Team@lists.example.org", lists.ServiceSubscribe, ""},
		{"unsubscribe", "team-unsubscribe@lists.example.org", service, "Team@lists.example.org", lists.ServiceUnsubscribe, ""},
		{"leave", "team-leave@lists.example.org", service, "Team@lists.example.org", lists.ServiceUnsubscribe, ""},
		{"help", "team-help@lists.example.org", service, "Team@lists.example.org", lists.ServiceHelp, ""},
		{"bounces", "team-bounces@lists.example.org", service, "Team@lists.example.org", lists.ServiceBounces, ""},
		{"bounces with key and member", "team-bounces+Key+Ann=example.org@lists.example.org", service, "Team@lists.example.org", lists.ServiceBounces, "Key+Ann=example.org"},
		{"confirm keeps the token's case", "Team-Confirm+aBc@lists.example.org", service, "Team@lists.example.org", lists.ServiceConfirm, "aBc"},
		{"empty extension", "team-confirm+@lists.example.org", service, "Team@lists.example.org", lists.ServiceConfirm, ""},
		{"service words in the extension", "a-bounces+k-owner=x@lists.example.org", service, "a@lists.example.org", lists.ServiceBounces, "k-owner=x"},
		{"longest list wins", "a-b-owner@lists.example.org", service, "a-b@lists.example.org", lists.ServiceOwner, ""},
		{"the shorter list has its own", "a-owner@lists.example.org", service, "a@lists.example.org", lists.ServiceOwner, ""},
		{"list named like a service", "odd-bounces@lists.example.org", post, "odd-bounces@lists.example.org", "", ""},
		{"service of such a list", "odd-bounces-owner@lists.example.org", service, "odd-bounces@lists.example.org", lists.ServiceOwner, ""},
		{"bounces of such a list", "odd-bounces-bounces+k@lists.example.org", service, "odd-bounces@lists.example.org", lists.ServiceBounces, "k"},
		{"postmaster", "PostMaster@lists.example.org", postmaster, "", "", ""},
		{"no such list", "nolist@lists.example.org", -1, "", "", ""},
		{"service of no list", "nolist-owner@lists.example.org", -1, "", "", ""},
		{"list of the other domain", "team@xn--bcher-kva.example", -1, "", "", ""},
		{"no such service", "team-info@lists.example.org", -1, "", "", ""},
		{"owner takes no extension", "team-owner+x@lists.example.org", -1, "", "", ""},
		{"list takes no extension", "team+x@lists.example.org", -1, "", "", ""},
		{"bounces run on", "team-bouncesx@lists.example.org", -1, "", "", ""},
		{"another delimiter", "team-bounces=x@lists.example.org", -1, "", "", ""},
		{"only the suffix", "-owner@lists.example.org", -1, "", "", ""},
		{"postmaster with suffix", "postmaster-owner@lists.example.org", -1, "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := d.Resolve(t.Context(), mustParse(t, tt.in))
			if tt.kind == -1 {
				if !errors.Is(err, lists.ErrNoList) {
					t.Errorf("Resolve(%s) = %+v, %v; want ErrNoList", tt.in, got, err)
				}
				return
			}
			list := ""
			if got.List != nil {
				list = got.List.Address.String()
			}
			if err != nil || got.Kind != tt.kind || list != tt.list || got.Service != tt.service || got.Extension != tt.extension {
				t.Errorf("Resolve(%s) = %v %s %s %q, %v", tt.in, got.Kind, list, got.Service, got.Extension, err)
			}
		})
	}
}

func TestPostmasterMayBeAList(t *testing.T) {
	t.Parallel()
	d, _ := directory(t, "postmaster@lists.example.org")
	got, err := d.Resolve(t.Context(), mustParse(t, "Postmaster@lists.example.org"))
	if err != nil || got.Kind != lists.Post {
		t.Errorf("got %v, %v; want a post", got.Kind, err)
	}
}

func TestResolveReadsOnce(t *testing.T) {
	t.Parallel()
	d, store := directory(t, "team@lists.example.org")
	resolve := func(s string) lists.Target {
		target, err := d.Resolve(t.Context(), mustParse(t, s))
		if err != nil && !errors.Is(err, lists.ErrNoList) {
			t.Fatal(err)
		}
		return target
	}
	resolve("somebody@example.com")
	if r, s := store.reads.Load(), store.stamps.Load(); r != 0 || s != 0 {
		t.Errorf("a foreign address cost %d reads and %d stamps", r, s)
	}
	for range 3 {
		resolve("team@lists.example.org")
		resolve("team-owner@lists.example.org")
		resolve("nolist@lists.example.org")
	}
	if n := store.reads.Load(); n != 3 {
		t.Errorf("three names cost %d reads, want 3", n)
	}
	_, err := store.Update(t.Context(), mustParse(t, "team@lists.example.org"), func(s *lists.Settings) error {
		s.Post = lists.PostNobody
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := resolve("team@lists.example.org").List.Settings.Post; got != lists.PostNobody {
		t.Errorf("after a change Post is %q", got)
	}
	if err := store.Create(t.Context(), lists.List{Address: mustParse(t, "nolist@lists.example.org")}, nil); err != nil {
		t.Fatal(err)
	}
	if got := resolve("nolist@lists.example.org"); got.Kind != lists.Post {
		t.Errorf("a list that was created is still %v", got.Kind)
	}
}

func TestResolveStoreError(t *testing.T) {
	t.Parallel()
	d, store := directory(t, "team@lists.example.org")
	store.broken.Store(true)
	for _, s := range []string{"team@lists.example.org", "team-owner@lists.example.org", "postmaster@lists.example.org", "no@lists.example.org"} {
		if _, err := d.Resolve(t.Context(), mustParse(t, s)); !errors.Is(err, lists.ErrStore) || errors.Is(err, lists.ErrNoList) {
			t.Errorf("%s: got %v, want ErrStore and nothing else", s, err)
		}
	}
	store.broken.Store(false)
	if _, err := d.Resolve(t.Context(), mustParse(t, "team@lists.example.org")); err != nil {
		t.Errorf("the error was kept: %v", err)
	}
}

// Names that a stranger tries do not fill the memory, and lists are found all the same.
func TestResolveManyNames(t *testing.T) {
	t.Parallel()
	d, _ := directory(t, "team@lists.example.org")
	for i := range 25_000 {
		a := lists.Address{Local: fmt.Sprintf("no%d", i), Domain: "lists.example.org"}
		if _, err := d.Resolve(t.Context(), a); !errors.Is(err, lists.ErrNoList) {
			t.Fatal(err)
		}
	}
	if n := d.Cached(); n > 10_000 {
		t.Errorf("%d names are kept", n)
	}
	if _, err := d.Resolve(t.Context(), mustParse(t, "team@lists.example.org")); err != nil {
		t.Error(err)
	}
}

// After a commit no goroutine may be given what was before it.
func TestResolveManyGoroutines(t *testing.T) {
	t.Parallel()
	d, store := directory(t, "team@lists.example.org")
	team := mustParse(t, "team@lists.example.org")
	var committed atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for committed.Load() < 200 {
				least := committed.Load()
				target, err := d.Resolve(t.Context(), team)
				if err != nil {
					t.Error(err)
					return
				}
				if got := target.List.Settings.MaxSize; got < least {
					t.Errorf("state %d was seen after state %d was committed", got, least)
					return
				}
			}
		})
	}
	for range 200 {
		l, err := store.Update(t.Context(), team, func(s *lists.Settings) error { s.MaxSize++; return nil })
		if err != nil {
			t.Error(err)
		}
		committed.Store(l.Settings.MaxSize)
	}
	wg.Wait()
}

func TestKindString(t *testing.T) {
	t.Parallel()
	for kind, want := range map[lists.Kind]string{lists.Relay: "relay", lists.Post: "post", lists.ToService: "service", lists.Postmaster: "postmaster", 99: "unknown"} {
		if kind.String() != want {
			t.Errorf("%d is %q, want %q", kind, kind, want)
		}
	}
}
