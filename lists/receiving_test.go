package lists_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"superlistd/lists"
	"superlistd/lists/memstore"
)

func instant(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestGets(t *testing.T) {
	t.Parallel()
	away, err := lists.ParseSuspension("2026-12-01..2026-12-15")
	if err != nil {
		t.Fatal(err)
	}
	one, err := lists.ParseSuspension("2026-12-01..2026-12-01")
	if err != nil {
		t.Fatal(err)
	}
	const first = "2026-12-01T00:00:00Z"
	for _, tt := range []struct {
		name, now string
		m         lists.Member
		want      bool
	}{
		{"an ordinary member", first, lists.Member{}, true},
		{"nomail", first, lists.Member{Delivery: lists.DeliveryNone}, false},
		{"digest", first, lists.Member{Delivery: lists.DeliveryDigest}, false},
		{"digest from the next issue on", first, lists.Member{Delivery: lists.DeliveryDigest, From: 1}, true},
		{"the last second before", "2026-11-30T23:59:59Z", lists.Member{Suspended: away}, true},
		{"the first day begins", first, lists.Member{Suspended: away}, false},
		{"the last day ends", "2026-12-15T23:59:59Z", lists.Member{Suspended: away}, false},
		{"the day after", "2026-12-16T00:00:00Z", lists.Member{Suspended: away}, true},
		{"days are those of UTC, west", "2026-11-30T20:00:00-05:00", lists.Member{Suspended: away}, false},
		{"days are those of UTC, east", "2026-12-01T00:30:00+01:00", lists.Member{Suspended: away}, true},
		{"one day", "2026-12-01T23:59:59Z", lists.Member{Suspended: one}, false},
		{"after one day", "2026-12-02T00:00:00Z", lists.Member{Suspended: one}, true},
		{"nomail after the days", "2026-12-16T00:00:00Z", lists.Member{Suspended: away, Delivery: lists.DeliveryNone}, false},
		{"disabled, even if the clock went back", first, lists.Member{Disabled: lists.Disable("gone", instant("2027-01-01T00:00:00Z"))}, false},
	} {
		if got := tt.m.Gets(lists.Selection{}, instant(tt.now)); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestReceivingOptions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ option, value, want string }{ // "": refused
		{"delivery", "mail", "mail"},
		{"delivery", "nomail", "nomail"},
		{"delivery", "digest", "digest"},
		{"delivery", "plain", "plain"},
		{"delivery", "weekly", ""},
		{"delivery", "", ""},
		{"delivery", "NoMail", ""},
		{"suspend", " 2026-12-01 .. 2026-12-15 ", "2026-12-01..2026-12-15"},
		{"suspend", "2026-12-15..2026-12-01", ""},
		{"suspend", "2026-12-01", ""},
		{"suspend", "2026-12-01..", ""},
		{"suspend", "2026-02-30..2026-03-01", ""},
		{"suspend", "0000-01-01..2026-03-01", ""},
		{"suspend", "2026-12-01..2026-12-15..2026-12-16", ""},
		{"suspend", "", ""},
		{"disabled", "2026-12-01T11:00:00+01:00   no  such mailbox ", "2026-12-01T10:00:00Z no  such mailbox"},
		{"disabled", "2026-12-01T10:00:00Z", ""},
		{"disabled", "2026-12-01T10:00:00Z a\r\nb", ""},
		{"disabled", "2026-12-01T10:00:00Z " + strings.Repeat("x", 201), ""},
		{"disabled", "no such mailbox", ""},
		{"disabled", "none", "none"},
	} {
		o, err := lists.LookupMemberOption(tt.option)
		if err != nil {
			t.Fatal(err)
		}
		m := lists.Member{Address: address("ann@x")}
		before := o.Get(m)
		err = o.Set(&m, tt.value)
		if tt.want == "" {
			if !errors.Is(err, lists.ErrSetting) || o.Get(m) != before {
				t.Errorf("%s=%s: %v, %s; want ErrSetting and no change", tt.option, tt.value, err, o.Get(m))
			}
			continue
		}
		if err != nil || o.Get(m) != tt.want || m.Check() != nil {
			t.Errorf("%s=%s: %s, %v, %v; want %s", tt.option, tt.value, o.Get(m), err, m.Check(), tt.want)
		}
	}
}

// The law: whatever a reason holds, what Disable makes of it is kept, in one line.
func FuzzDisable(f *testing.F) {
	for _, why := range []string{"", "550 5.1.1 no such user", "a\r\n\tb\u2028c\x00", "\xff\xfe", strings.Repeat("ä", 150), "  x ", strings.Repeat(" ", 300) + "y"} {
		f.Add(why)
	}
	o, err := lists.LookupMemberOption("disabled")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, why string) {
		m := lists.Member{Address: address("ann@x"), Disabled: lists.Disable(why, instant("2026-12-01T10:00:00+01:00"))}
		if err := m.Check(); err != nil || m.Disabled.Why == "" || !utf8.ValidString(m.Disabled.Why) {
			t.Fatalf("%q: %+v, %v", why, m.Disabled, err)
		}
		var again lists.Member
		if err := o.Set(&again, o.Get(m)); err != nil || again.Disabled != m.Disabled {
			t.Fatalf("%q: %+v, and then %+v, %v", why, m.Disabled, again.Disabled, err)
		}
	})
}

// The law: days that are read are written, and read as the same.
func FuzzSuspension(f *testing.F) {
	for _, text := range []string{"none", "2026-12-01..2026-12-15", "1970-01-01..9999-12-31", "2026-12-15..2026-12-01", "..", "2026-12-01...2026-12-15"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := lists.ParseSuspension(text)
		if err != nil {
			return
		}
		if again, err := lists.ParseSuspension(s.String()); err != nil || again != s || s.Covers(s.Until) == s.IsZero() {
			t.Fatalf("%q: %v, and then %v, %v", text, s, again, err)
		}
	})
}

// A list that gets no posts from another does not pass them on, and is left out by nobody else.
func TestNestedReceiving(t *testing.T) {
	t.Parallel()
	store, ctx := memstore.New(), t.Context()
	outer, inner := address("outer@lists.example.org"), address("inner@lists.example.org")
	for _, a := range []lists.Address{outer, inner} {
		if err := store.Create(ctx, lists.List{Address: a}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.Change(ctx, outer, lists.Change{Add: []lists.Member{{Address: inner}}}); err != nil {
		t.Fatal(err)
	}
	d, err := lists.NewDirectory(store, []string{outer.Domain}, "+")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		option, value string
		want          int
	}{
		{"delivery", "mail", 1},
		{"delivery", "nomail", 0},
		{"delivery", "mail", 1},
		{"suspend", "2000-01-01..9999-12-31", 0},
		{"suspend", "2000-01-01..2000-01-31", 1},
	} {
		if err := setOption(ctx, store, outer, inner, tt.option, tt.value); err != nil {
			t.Fatal(err)
		}
		if found, err := d.Nested(ctx, outer); err != nil || len(found) != tt.want {
			t.Errorf("%s=%s: %d lists, %v; want %d", tt.option, tt.value, len(found), err, tt.want)
		}
	}
}

// Days come and go without a commit, and count all the same.
func TestNestedOverDays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // it is midnight, the first day of the year 2000
		store, ctx := memstore.New(), t.Context()
		outer, inner := address("outer@lists.example.org"), address("inner@lists.example.org")
		for _, a := range []lists.Address{outer, inner} {
			if err := store.Create(ctx, lists.List{Address: a}, nil); err != nil {
				t.Fatal(err)
			}
		}
		away := lists.Suspension{From: time.Now().AddDate(0, 0, 1), Until: time.Now().AddDate(0, 0, 2)}
		if _, err := store.Change(ctx, outer, lists.Change{Add: []lists.Member{{Address: inner, Suspended: away}}}); err != nil {
			t.Fatal(err)
		}
		d, err := lists.NewDirectory(store, []string{outer.Domain}, "+")
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []int{1, 0, 0, 1} {
			var r lists.Recipients
			if err := store.Recipients(ctx, outer, &r, 5); err != nil || r.Len() != want {
				t.Errorf("day %d: %d recipients, %v; want %d", i, r.Len(), err, want)
			}
			if found, err := d.Nested(ctx, outer); err != nil || len(found) != want {
				t.Errorf("day %d: %d lists, %v; want %d", i, len(found), err, want)
			}
			time.Sleep(24 * time.Hour)
		}
	})
}

func setOption(ctx context.Context, s lists.Store, list, member lists.Address, name, value string) error {
	o, err := lists.LookupMemberOption(name)
	if err != nil {
		return err
	}
	_, err = s.UpdateMember(ctx, list, member, func(m *lists.Member) error { return o.Set(m, value) })
	return err
}
