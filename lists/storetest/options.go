package storetest

import (
	"errors"
	"testing"

	"superlistd/lists"
)

// found is who has an address, "" for nobody.
func found(t testing.TB, s lists.Store, list lists.Address, text string) string {
	t.Helper()
	m, ok, err := s.Member(t.Context(), list, mustParse(t, text))
	if err != nil || ok == m.Address.IsZero() {
		t.Fatalf("Member %s: %+v, %v, %v", text, m, ok, err)
	}
	return m.Address.String()
}

func update(t testing.TB, s lists.Store, list lists.Address, who string, edit func(*lists.Member)) lists.Member {
	t.Helper()
	m, err := s.UpdateMember(t.Context(), list, mustParse(t, who), func(m *lists.Member) error { edit(m); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func testOptions(t *testing.T, s lists.Store) {
	list := create(t, s, "a@example.org")
	change(t, s, list, lists.Change{Add: members(t, "Ann@x", "bob@x")})
	want := lists.Member{
		Address: mustParse(t, "Ann@x"), Name: "Ann", Since: day(1),
		Moderated: true, NoMeToo: true, Posts: 300, Language: "de", Aliases: addresses(t, "ann@home", `"a b"@x`, "Änne@x"),
	}
	got := update(t, s, list, "ann@x", func(m *lists.Member) {
		equal(t, "what change is given", *m, members(t, "Ann@x")[0])
		*m = want
	})
	equal(t, "returned", got, want)
	got.Aliases[0] = lists.Address{} // a copy
	all, err := roster(t.Context(), s, list, 10)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "roster", all, []lists.Member{want, members(t, "bob@x")[0]})
	all[0].Aliases[0] = lists.Address{}
	got, _, err = s.Member(t.Context(), list, want.Address)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "member", got, want)
	equal(t, "counts", get(t, s, list).Members, 2)
	equal(t, "recipients do not change", recipientsOf(t, s, list), []string{"Ann@x ann@x", "bob@x bob@x"})

	change(t, s, list, lists.Change{Add: []lists.Member{{Address: mustParse(t, "ANN@x"), Name: "Anna", PostOK: true}}})
	want.Name = "Anna"
	got, _, err = s.Member(t.Context(), list, want.Address)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "added again: the options stay", got, want)
	got = update(t, s, list, "ann@x", func(m *lists.Member) { *m = members(t, "ann@X")[0] })
	equal(t, "another spelling, and no options", got, members(t, "ann@x")[0])

	added := lists.Member{Address: mustParse(t, "cat@x"), Since: day(2), PostOK: true, Posts: 7, Aliases: addresses(t, "c@x")}
	change(t, s, list, lists.Change{Add: []lists.Member{added}})
	got, _, err = s.Member(t.Context(), list, added.Address)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "added with options", got, added)
}

func recipientsOf(t *testing.T, s lists.Store, list lists.Address) []string {
	t.Helper()
	texts, err := recipients(t, s, list, 10)
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

func testBadUpdate(t *testing.T, s lists.Store) {
	list := create(t, s, "a@example.org")
	change(t, s, list, lists.Change{Add: []lists.Member{
		{Address: mustParse(t, "ann@x"), Aliases: addresses(t, "a@x")},
		{Address: mustParse(t, "bob@x"), Aliases: addresses(t, "b@x")},
	}})
	before, err := s.Stamp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	refused := errors.New("no, thank you")
	for _, tt := range []struct {
		name, who string
		edit      func(*lists.Member) error
		want      error
	}{
		{"the error of change", "ann@x", func(m *lists.Member) error { m.Aliases[0] = lists.Address{}; return refused }, refused},
		{"nobody", "zoe@x", func(*lists.Member) error { return nil }, lists.ErrNoMember},
		{"an alias is nobody's address", "a@x", func(*lists.Member) error { return nil }, lists.ErrNoMember},
		{"another address", "ann@x", func(m *lists.Member) error { m.Address.Local = "anna"; return nil }, lists.ErrAddress},
		{"name with lines", "ann@x", func(m *lists.Member) error { m.Name = "a\r\nb"; return nil }, lists.ErrAddress},
		{"alias that cannot be", "ann@x", func(m *lists.Member) error { m.Aliases = []lists.Address{{}}; return nil }, lists.ErrAddress},
		{"posts below 0", "ann@x", func(m *lists.Member) error { m.Posts = -1; return nil }, lists.ErrSetting},
		{"language", "ann@x", func(m *lists.Member) error { m.Language = "tlh"; return nil }, lists.ErrSetting},
		{"options that exclude each other", "ann@x", func(m *lists.Member) error { m.Moderated, m.PostOK = true, true; return nil }, lists.ErrSetting},
		{"alias is another's address", "ann@x", func(m *lists.Member) error { m.Aliases = addresses(t, "new@x", "BOB@x"); return nil }, lists.ErrAliasTaken},
		{"alias is another's", "ann@x", func(m *lists.Member) error { m.Aliases = addresses(t, "new@x", "B@x"); return nil }, lists.ErrAliasTaken},
		{"alias is his own address", "ann@x", func(m *lists.Member) error { m.Aliases = addresses(t, "ANN@x"); return nil }, lists.ErrSetting},
		{"alias twice", "ann@x", func(m *lists.Member) error { m.Aliases = addresses(t, "z@x", "Z@x"); return nil }, lists.ErrSetting},
	} {
		_, err := s.UpdateMember(t.Context(), list, mustParse(t, tt.who), tt.edit)
		wantErr(t, tt.name, err, tt.want)
	}
	if after, err := s.Stamp(t.Context()); err != nil || after != before {
		t.Errorf("something was committed: %v, %v, %v", before, after, err)
	}
	for alias, who := range map[string]string{"a@x": "ann@x", "b@x": "bob@x", "new@x": ""} {
		equal(t, alias, found(t, s, list, alias), who)
	}
}

func testAliases(t *testing.T, s lists.Store) {
	list, other := create(t, s, "a@example.org"), create(t, s, "b@example.org")
	change(t, s, list, lists.Change{Add: members(t, "ann@x", "bob@x")})
	change(t, s, other, lists.Change{Add: members(t, "cat@x")})
	set := func(who string, aliases ...string) {
		t.Helper()
		update(t, s, list, who, func(m *lists.Member) { m.Aliases = addresses(t, aliases...) })
	}
	want := func(what string, who map[string]string) {
		t.Helper()
		for alias, name := range who {
			equal(t, what+": "+alias, found(t, s, list, alias), name)
		}
	}
	set("ann@x", "A1@x", "a2@x")
	set("bob@x", "b1@x")
	want("given", map[string]string{"a1@x": "ann@x", "A2@x": "ann@x", "b1@x": "bob@x", "ANN@x": "ann@x", "c@x": ""})
	in := []bool{true}
	if err := s.Contains(t.Context(), list, lists.PresentIssue, [][]byte{[]byte("a1@x")}, in); err != nil || in[0] {
		t.Errorf("an alias gets no posts: %v, %v", in, err)
	}
	if m, ok, err := s.Member(t.Context(), other, mustParse(t, "a1@x")); ok || err != nil {
		t.Errorf("an alias of another list: %v, %v", m, err)
	}
	set("ann@x", "a2@x", "a3@x")
	want("changed", map[string]string{"a1@x": "", "a2@x": "ann@x", "a3@x": "ann@x"})
	set("bob@x", "a1@x")
	want("given to another", map[string]string{"a1@x": "bob@x", "b1@x": ""})

	change(t, s, list, lists.Change{Add: members(t, "a2@x")})
	want("somebody comes with an alias: his address counts", map[string]string{"a2@x": "a2@x"})
	update(t, s, list, "ann@x", func(m *lists.Member) { m.Posts++ })
	change(t, s, list, lists.Change{Remove: addresses(t, "a2@x")})
	want("and goes again", map[string]string{"a2@x": "ann@x"})

	change(t, s, list, lists.Change{Remove: addresses(t, "ann@x"), Add: members(t, "a3@x")})
	want("ann goes", map[string]string{"a2@x": "", "a3@x": "a3@x", "a1@x": "bob@x"})
	change(t, s, list, lists.Change{Replace: true, Add: members(t, "dan@x")})
	want("all others go", map[string]string{"a1@x": "", "a3@x": ""})
	set("dan@x", "a1@x", "a3@x")
	if err := s.Delete(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	create(t, s, "a@example.org")
	want("the list is another one", map[string]string{"a1@x": "", "dan@x": ""})
	change(t, s, list, lists.Change{Add: members(t, "eve@x")})
	set("eve@x", "a1@x")
}

// Aliases that come with an addition are checked when all is done, whatever the order.
func testAddedAliases(t *testing.T, s lists.Store) {
	list := create(t, s, "a@example.org")
	with := func(who string, aliases ...string) lists.Member {
		return lists.Member{Address: mustParse(t, who), Since: day(1), Aliases: addresses(t, aliases...)}
	}
	change(t, s, list, lists.Change{Add: []lists.Member{with("ann@x", "a1@x"), with("bob@x")}})
	for _, tt := range []struct {
		name string
		c    lists.Change
		ok   bool
	}{
		{"alias of a member", lists.Change{Add: []lists.Member{with("zoe@x"), with("cat@x", "A1@x")}}, false},
		{"address of a member", lists.Change{Add: []lists.Member{with("cat@x", "bob@x")}}, false},
		{"address of one who is added", lists.Change{Add: []lists.Member{with("cat@x", "zoe@x"), with("zoe@x")}}, false},
		{"of two who are added", lists.Change{Add: []lists.Member{with("cat@x", "z@x"), with("zoe@x", "z@x")}}, false},
		{"who is there keeps what he has", lists.Change{Add: []lists.Member{with("ann@x", "bob@x")}}, true},
		{"of one who goes", lists.Change{Remove: addresses(t, "ann@x"), Add: []lists.Member{with("cat@x", "a1@x")}}, true},
		{"of one who is replaced", lists.Change{Replace: true, Add: []lists.Member{with("ann@x", "a1@x")}}, true},
	} {
		before := names(t, s, list)
		_, err := s.Change(t.Context(), list, tt.c)
		if tt.ok {
			wantErr(t, tt.name, err, nil)
			continue
		}
		wantErr(t, tt.name, err, lists.ErrAliasTaken)
		equal(t, tt.name+": roster", names(t, s, list), before)
		equal(t, tt.name+": counts", get(t, s, list).Members, len(before))
		equal(t, tt.name+": index", found(t, s, list, "a1@x"), "ann@x")
	}
	equal(t, "in the end", []string{found(t, s, list, "a1@x"), found(t, s, list, "cat@x")}, []string{"ann@x", ""})
}

func testCountPost(t *testing.T, s lists.Store) {
	list := create(t, s, "a@example.org")
	change(t, s, list, lists.Change{Add: members(t, "ann@x")})
	for range 3 {
		if err := lists.CountPost(t.Context(), s, list, mustParse(t, "ANN@x")); err != nil {
			t.Fatal(err)
		}
	}
	m, _, err := s.Member(t.Context(), list, mustParse(t, "ann@x"))
	if err != nil || m.Posts != 3 {
		t.Errorf("posts: %d, %v; want 3", m.Posts, err)
	}
	if err := lists.CountPost(t.Context(), s, list, mustParse(t, "zoe@x")); err != nil {
		t.Errorf("one who has left: %v", err)
	}
	wantErr(t, "no list", lists.CountPost(t.Context(), s, mustParse(t, "no@x"), mustParse(t, "ann@x")), lists.ErrNoList)
}
