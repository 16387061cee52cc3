package lists_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"superlistd/lists"
)

func TestMemberOptionTable(t *testing.T) {
	t.Parallel()
	var names []string
	for _, o := range lists.MemberOptionTable() {
		names = append(names, o.Name)
		m := lists.Member{Address: address("ann@example.org")}
		before := m
		if err := o.Set(&m, o.Example); err != nil || o.Get(m) != o.Example || reflect.DeepEqual(m, before) || m.Check() != nil {
			t.Errorf("%s: the example %q gives %q, %v, %v", o.Name, o.Example, o.Get(m), err, m.Check())
		}
		if err := o.Set(&m, o.Default); err != nil || !reflect.DeepEqual(m, before) || o.Type == "" || o.Help == "" {
			t.Errorf("%s: the default %q gives %+v, %v", o.Name, o.Default, m, err)
		}
		if err := o.Set(&m, "\x00"); !errors.Is(err, lists.ErrSetting) || !reflect.DeepEqual(m, before) {
			t.Errorf("%s: a bad value gives %+v, %v", o.Name, m, err)
		}
	}
	if got := strings.Join(names, " "); got != "moderated post_ok aliases metoo language posts delivery suspend disabled" {
		t.Errorf("options %s", got)
	}
	if o, err := lists.LookupMemberOption("metoo"); err != nil || o.Get(lists.Member{}) != "on" || !(lists.Member{}).MeToo() {
		t.Errorf("metoo is not on by default: %v", err)
	}
	if _, err := lists.LookupMemberOption("MeToo"); !errors.Is(err, lists.ErrUnknownSetting) || !strings.Contains(err.Error(), "post_ok") {
		t.Errorf("got %v, want ErrUnknownSetting with the names of all", err)
	}
}

func TestMemberCheck(t *testing.T) {
	t.Parallel()
	ann := lists.Member{Address: address("ann@example.org"), Name: "Ann", Language: "fr", Posts: 5, Aliases: []lists.Address{address("a@x")}}
	if err := ann.Check(); err != nil {
		t.Fatal(err)
	}
	clone := ann.Clone()
	clone.Aliases[0] = lists.Address{}
	if ann.Check() != nil {
		t.Error("the clone shares its aliases")
	}
	for name, tt := range map[string]struct {
		spoil func(*lists.Member)
		want  error
	}{
		"no address":            {func(m *lists.Member) { m.Address = lists.Address{} }, lists.ErrAddress},
		"name with lines":       {func(m *lists.Member) { m.Name = "a\r\nBcc: b" }, lists.ErrAddress},
		"bad alias":             {func(m *lists.Member) { m.Aliases = []lists.Address{{Local: "a\n", Domain: "x"}} }, lists.ErrAddress},
		"alias twice":           {func(m *lists.Member) { m.Aliases = append(m.Aliases, address("A@x")) }, lists.ErrSetting},
		"alias of himself":      {func(m *lists.Member) { m.Aliases[0] = address("ANN@example.org") }, lists.ErrSetting},
		"many aliases":          {func(m *lists.Member) { m.Aliases = addressesOf(21) }, lists.ErrSetting},
		"posts below 0":         {func(m *lists.Member) { m.Posts = -1 }, lists.ErrSetting},
		"language":              {func(m *lists.Member) { m.Language = "list" }, lists.ErrSetting},
		"delivery":              {func(m *lists.Member) { m.Delivery = "weekly" }, lists.ErrSetting},
		"half switched":         {func(m *lists.Member) { m.Before = lists.DeliveryPlain }, lists.ErrSetting},
		"switched from nomail":  {func(m *lists.Member) { m.Before, m.From = lists.DeliveryNone, 3 }, lists.ErrSetting},
		"switched to nomail":    {func(m *lists.Member) { m.Delivery, m.From = lists.DeliveryNone, 3 }, lists.ErrSetting},
		"switches out of order": {func(m *lists.Member) { m.From, m.Earlier = 3, []lists.Switch{{Until: 3}} }, lists.ErrSetting},
		"many switches": {func(m *lists.Member) {
			for m.From = 10; len(m.Earlier) < 9; {
				m.Earlier = append(m.Earlier, lists.Switch{Until: len(m.Earlier) + 1})
			}
		}, lists.ErrSetting},
		"half suspended":         {func(m *lists.Member) { m.Suspended.From = time.Unix(1e9, 0) }, lists.ErrSetting},
		"disabled for no reason": {func(m *lists.Member) { m.Disabled.Since = time.Unix(1e9, 0) }, lists.ErrSetting},
		"disabled with lines":    {func(m *lists.Member) { m.Disabled = lists.Disabled{Why: "a\nb", Since: time.Unix(1e9, 0)} }, lists.ErrSetting},
		"both":                   {func(m *lists.Member) { m.Moderated, m.PostOK = true, true }, lists.ErrSetting},
	} {
		m := ann.Clone()
		tt.spoil(&m)
		if err := m.Check(); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
}

func addressesOf(n int) []lists.Address {
	all := make([]lists.Address, n)
	for i := range all {
		all[i] = lists.Address{Local: "a" + strings.Repeat("x", i), Domain: "x"}
	}
	return all
}
