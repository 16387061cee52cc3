package storetest

import (
	"errors"
	"testing"
	"time"

	"superlistd/lists"
)

func testEmpty(t *testing.T, s lists.Store) {
	all, err := s.Lists(t.Context(), lists.Address{}, 10)
	if err != nil || len(all) != 0 {
		t.Errorf("Lists = %v, %v", all, err)
	}
	if _, err := s.Stamp(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func testCreate(t *testing.T, s lists.Store) {
	l := lists.List{
		Address: mustParse(t, "Team@lists.example.org"),
		Created: time.Date(2026, 11, 20, 10, 11, 12, 987654321, time.FixedZone("CET", 3600)),
		Members: 99, UTF8Members: 9,
	}
	l.Settings = lists.DefaultSettings()
	l.Settings.Description, l.Settings.Post = "The \"team\", für alle", lists.PostAnyone
	l.Settings.MaxSize, l.Settings.MaxRecipients = 1<<40, 12
	l.Settings.Owners = addresses(t, `"o o"@example.org`, "Ö@example.org")
	if err := s.Create(t.Context(), l, nil); err != nil {
		t.Fatal(err)
	}
	want := l
	want.Created = time.Date(2026, 11, 20, 9, 11, 12, 0, time.UTC)
	want.Members, want.UTF8Members = 0, 0
	equal(t, "kept as given, time in UTC to the second, no members", get(t, s, l.Address), want)
	equal(t, "found by key", get(t, s, mustParse(t, "tEAM@lists.example.org")), want)

	l.Address = mustParse(t, "TEAM@lists.example.org")
	wantErr(t, "same key", s.Create(t.Context(), l, nil), lists.ErrListExists)
	equal(t, "still the first", get(t, s, l.Address), want)

	wantErr(t, "zero address", s.Create(t.Context(), lists.List{}, nil), lists.ErrAddress)
	wantErr(t, "address that cannot be", s.Create(t.Context(), lists.List{Address: lists.Address{Local: "a\n", Domain: "b"}}, nil), lists.ErrAddress)
	bad := lists.List{Address: mustParse(t, "bad@example.org"), Settings: lists.Settings{Post: "everyone"}}
	wantErr(t, "bad settings", s.Create(t.Context(), bad, nil), lists.ErrSetting)
	_, err := s.List(t.Context(), bad.Address)
	wantErr(t, "not created", err, lists.ErrNoList)

	plain := lists.List{Address: mustParse(t, "plain@example.org")}
	if err := s.Create(t.Context(), plain, nil); err != nil {
		t.Fatal(err)
	}
	got := get(t, s, plain.Address)
	equal(t, "zero settings are the defaults", got.Settings, lists.DefaultSettings())
	if !got.Created.IsZero() {
		t.Errorf("Created = %v, want zero as given", got.Created)
	}
}

func testCreateCheck(t *testing.T, s lists.Store) {
	a := create(t, s, "a@example.org")
	b := mustParse(t, "b@example.org")
	refused := errors.New("no, thank you")
	asked := 0
	check := func(exists func(lists.Address) bool) error {
		asked++
		if !exists(a) || !exists(mustParse(t, "A@example.org")) || exists(b) {
			t.Error("exists does not tell what is there")
		}
		return refused
	}
	wantErr(t, "the error of check", s.Create(t.Context(), lists.List{Address: b}, check), refused)
	_, err := s.List(t.Context(), b)
	wantErr(t, "not created", err, lists.ErrNoList)
	wantErr(t, "exists before check", s.Create(t.Context(), lists.List{Address: a}, check), lists.ErrListExists)
	if asked != 1 {
		t.Errorf("check ran %d times, want 1", asked)
	}
	if err := s.Create(t.Context(), lists.List{Address: b}, func(func(lists.Address) bool) error { return nil }); err != nil {
		t.Error(err)
	}
	get(t, s, b)
}

func testLists(t *testing.T, s lists.Store) {
	for _, name := range []string{"c@example.org", "B@example.org", "a@example.org", "d@example.com", `"x y"@example.org`} {
		create(t, s, name)
	}
	order := []string{"a@example.org", "B@example.org", "c@example.org", "d@example.com", `"x y"@example.org`}
	for n := 1; n < 7; n++ {
		var got []string
		var after lists.Address
		for {
			slice, err := s.Lists(t.Context(), after, n)
			if err != nil {
				t.Fatal(err)
			}
			if len(slice) == 0 {
				break
			}
			if len(slice) > n {
				t.Fatalf("%d lists, asked for at most %d", len(slice), n)
			}
			for _, l := range slice {
				got = append(got, l.Address.String())
			}
			after = slice[len(slice)-1].Address
		}
		equal(t, "lists by key", got, order)
	}
	slice, err := s.Lists(t.Context(), mustParse(t, "bb@example.org"), 1)
	if err != nil || len(slice) != 1 || slice[0].Address.Local != "c" {
		t.Errorf("after a name that is not there: %v, %v", slice, err)
	}
	if slice, err := s.Lists(t.Context(), lists.Address{}, 0); err != nil || len(slice) != 0 {
		t.Errorf("at most 0 lists: %v, %v", slice, err)
	}
}

func testSettings(t *testing.T, s lists.Store) {
	a := create(t, s, "a@example.org")
	other := create(t, s, "b@example.org")
	change(t, s, a, lists.Change{Add: members(t, "ann@example.org")})
	l, err := s.Update(t.Context(), mustParse(t, "A@example.org"), func(v *lists.Settings) error {
		equal(t, "what change is given", *v, lists.DefaultSettings())
		v.Description, v.Post, v.Owners = "new", lists.PostNobody, addresses(t, "o@example.org")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := lists.List{Address: a, Created: day(1), Members: 1, Settings: lists.DefaultSettings()}
	want.Settings.Description, want.Settings.Post = "new", lists.PostNobody
	want.Settings.Owners = addresses(t, "o@example.org")
	equal(t, "returned", l, want)
	equal(t, "kept", get(t, s, a), want)
	equal(t, "the other list", get(t, s, other).Settings, lists.DefaultSettings())

	refused := errors.New("no, thank you")
	_, err = s.Update(t.Context(), a, func(v *lists.Settings) error {
		v.Description = "half"
		v.Owners[0] = lists.Address{}
		return refused
	})
	wantErr(t, "the error of change", err, refused)
	equal(t, "kept after a refusal", get(t, s, a), want)

	for name, spoil := range map[string]func(*lists.Settings){
		"policy": func(v *lists.Settings) { v.Post = "x" },
		"lines":  func(v *lists.Settings) { v.Description = "a\r\nb" },
		"size":   func(v *lists.Settings) { v.MaxSize = -1 },
		"number": func(v *lists.Settings) { v.MaxRecipients = -1 },
		"owner":  func(v *lists.Settings) { v.Owners = []lists.Address{{Local: "a\n", Domain: "b"}} },
		"rule":   func(v *lists.Settings) { v.HeaderRules = []lists.HeaderRule{{Field: "Subject", Action: lists.Hold}} },
		"ban":    func(v *lists.Settings) { v.Bans = []lists.Pattern{{}} },
	} {
		_, err := s.Update(t.Context(), a, func(v *lists.Settings) error { spoil(v); return nil })
		wantErr(t, name, err, lists.ErrSetting)
	}
	equal(t, "kept after bad values", get(t, s, a), want)
}

// Every setting is kept, whatever it is set to.
func testEverySetting(t *testing.T, s lists.Store) {
	a := create(t, s, "a@example.org")
	want := lists.DefaultSettings()
	for _, setting := range lists.SettingTable() {
		if err := setting.Set(&want, setting.Example); err != nil {
			t.Fatal(err)
		}
		l, err := s.Update(t.Context(), a, func(v *lists.Settings) error { return setting.Set(v, setting.Example) })
		if err != nil {
			t.Fatal(err)
		}
		equal(t, setting.Name+": returned", l.Settings, want)
		equal(t, setting.Name+": kept", get(t, s, a).Settings, want)
	}
	b := lists.List{Address: mustParse(t, "b@example.org"), Settings: want}
	if err := s.Create(t.Context(), b, nil); err != nil {
		t.Fatal(err)
	}
	equal(t, "created with", get(t, s, b.Address).Settings, want)
	off := lists.Settings{Post: lists.PostMembers} // every switch is off, though some are on by default
	l, err := s.Update(t.Context(), a, func(v *lists.Settings) error { *v = off; return nil })
	if err != nil {
		t.Fatal(err)
	}
	want, err = off.Checked()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "all off", l.Settings, want)
	equal(t, "all off, kept", get(t, s, a).Settings, want)
}

func testDelete(t *testing.T, s lists.Store) {
	a, b := create(t, s, "a@example.org"), create(t, s, "b@example.org")
	change(t, s, a, lists.Change{Add: members(t, "ann@example.org", "bob@example.org")})
	change(t, s, b, lists.Change{Add: members(t, "cat@example.org")})
	if err := s.Delete(t.Context(), mustParse(t, "A@example.org")); err != nil {
		t.Fatal(err)
	}
	_, err := s.List(t.Context(), a)
	wantErr(t, "deleted", err, lists.ErrNoList)
	wantErr(t, "again", s.Delete(t.Context(), a), lists.ErrNoList)
	equal(t, "the other list", names(t, s, b), []string{"cat@example.org"})
	create(t, s, "a@example.org")
	equal(t, "a new list of that name has no old members", names(t, s, a), []string{})
	equal(t, "nor counts", get(t, s, a).Members, 0)
}

func testCopies(t *testing.T, s lists.Store) {
	owners := addresses(t, "o@example.org")
	a := mustParse(t, "a@example.org")
	if err := s.Create(t.Context(), lists.List{Address: a, Settings: lists.Settings{Owners: owners}}, nil); err != nil {
		t.Fatal(err)
	}
	spoil := func(as []lists.Address) { as[0] = lists.Address{Local: "spoilt", Domain: "example.org"} }
	spoil(owners)
	spoil(get(t, s, a).Settings.Owners)
	all, err := s.Lists(t.Context(), lists.Address{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	spoil(all[0].Settings.Owners)
	given := addresses(t, "p@example.org")
	l, err := s.Update(t.Context(), a, func(v *lists.Settings) error {
		equal(t, "owners", v.Owners, addresses(t, "o@example.org"))
		v.Owners = given
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	spoil(given)
	spoil(l.Settings.Owners)
	equal(t, "owners after all that", get(t, s, a).Settings.Owners, addresses(t, "p@example.org"))
}
