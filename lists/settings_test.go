package lists_test

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"superlistd/lists"
)

func TestSettingTable(t *testing.T) {
	t.Parallel()
	// Settings are known to scripts by these names: removing one breaks them.
	want := []string{"description", "post", "max_size", "max_recipients", "owners"}
	var got []string
	for _, s := range lists.SettingTable() {
		got = append(got, s.Name)
		if s.Type == "" || s.Help == "" {
			t.Errorf("%s is not described", s.Name)
		}
		// A default can be set, and is what a new list has.
		v := lists.Settings{Description: "x", Post: lists.PostNobody, MaxSize: 1, MaxRecipients: 1, Owners: []lists.Address{mustParse(t, "a@b")}}
		if err := s.Set(&v, s.Default); err != nil || s.Get(v) != s.Get(lists.DefaultSettings()) {
			t.Errorf("%s: setting the default %q gives %q, %v", s.Name, s.Default, s.Get(v), err)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("settings %q, want %q", got, want)
	}
	if n := reflect.TypeFor[lists.Settings]().NumField(); n != len(got) {
		t.Errorf("Settings has %d fields, the table %d settings", n, len(got))
	}
}

func TestLookupSetting(t *testing.T) {
	t.Parallel()
	if s, err := lists.LookupSetting("post"); err != nil || s.Name != "post" {
		t.Errorf("post: %v, %v", s.Name, err)
	}
	for _, name := range []string{"", "Post", "posts"} {
		_, err := lists.LookupSetting(name)
		if !errors.Is(err, lists.ErrUnknownSetting) || !strings.Contains(err.Error(), "max_size") {
			t.Errorf("%q: got %v, want ErrUnknownSetting with the names of all", name, err)
		}
	}
}

func TestSetSettings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, setting, in, want string
		bad                     bool
	}{
		{name: "text", setting: "description", in: " Grüße, \"alle\" ", want: "Grüße, \"alle\""},
		{name: "text of 200 characters", setting: "description", in: strings.Repeat("ü", 200), want: strings.Repeat("ü", 200)},
		{name: "text of 201 characters", setting: "description", in: strings.Repeat("ü", 201), bad: true},
		{name: "two lines", setting: "description", in: "a\r\nBcc: b", bad: true},
		{name: "line separator", setting: "description", in: "a\u2028b", bad: true},
		{name: "not UTF-8", setting: "description", in: "a\xff", bad: true},
		{name: "no text", setting: "description", in: "", want: ""},
		{name: "policy", setting: "post", in: "nobody", want: "nobody"},
		{name: "policy in another case", setting: "post", in: "Nobody", bad: true},
		{name: "no policy", setting: "post", in: "", bad: true},
		{name: "size", setting: "max_size", in: "10MB", want: "10MB"},
		{name: "size in another unit", setting: "max_size", in: "2000kB", want: "2MB"},
		{name: "no limit", setting: "max_size", in: "none", want: "none"},
		{name: "0 is no limit", setting: "max_size", in: "0", want: "none"},
		{name: "not a size", setting: "max_size", in: "5 parsecs", bad: true},
		{name: "number", setting: "max_recipients", in: "12", want: "12"},
		{name: "no number", setting: "max_recipients", in: "none", want: "none"},
		{name: "number 0", setting: "max_recipients", in: "0", want: "none"},
		{name: "below 0", setting: "max_recipients", in: "-1", bad: true},
		{name: "not a number", setting: "max_recipients", in: "many", bad: true},
		{name: "too large", setting: "max_recipients", in: "4294967296", bad: true},
		{name: "owners", setting: "owners", in: "Ann@example.org,bob@EXAMPLE.org", want: "Ann@example.org, bob@example.org"},
		{name: "owner twice", setting: "owners", in: "ann@example.org, Ann@example.org", want: "ann@example.org"},
		{name: "comma in quotes", setting: "owners", in: `"a,\"b"@example.org, c@example.org`, want: `"a,\"b"@example.org, c@example.org`},
		{name: "no owners", setting: "owners", in: "none", want: "none"},
		{name: "empty", setting: "owners", in: "", want: "none"},
		{name: "one owner is no address", setting: "owners", in: "ann@example.org, bob", bad: true},
		{name: "comma at the end", setting: "owners", in: "ann@example.org,", bad: true},
	} {
		t.Run(tt.setting+" "+tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := lists.LookupSetting(tt.setting)
			if err != nil {
				t.Fatal(err)
			}
			before := lists.Settings{Description: "before", Post: lists.PostAnyone, MaxSize: 7, MaxRecipients: 7, Owners: []lists.Address{mustParse(t, "x@y")}}
			v := before.Clone()
			err = s.Set(&v, tt.in)
			switch {
			case tt.bad && (!errors.Is(err, lists.ErrSetting) || !reflect.DeepEqual(v, before)):
				t.Errorf("Set(%q) = %v, settings %+v; want ErrSetting and no change", tt.in, err, v)
			case !tt.bad && (err != nil || s.Get(v) != tt.want):
				t.Errorf("Set(%q): got %q, %v; want %q", tt.in, s.Get(v), err, tt.want)
			}
			if checked, err := v.Checked(); err != nil || !reflect.DeepEqual(checked, v) {
				t.Errorf("what Set made is not accepted by Checked: %+v, %v", checked, err)
			}
		})
	}
}

func TestSettingsClone(t *testing.T) {
	t.Parallel()
	a := lists.Settings{Owners: []lists.Address{mustParse(t, "a@b")}}
	a.Clone().Owners[0] = lists.Address{}
	if a.Owners[0].IsZero() {
		t.Error("the clone shares its owners")
	}
}

func TestParseSize(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   string
		want int64
		text string
	}{
		{"0", 0, "none"},
		{"none", 0, "none"},
		{"1", 1, "1B"},
		{"512kB", 512_000, "512kB"},
		{"512 KB", 512_000, "512kB"},
		{"1KiB", 1024, "1KiB"},
		{"10MB", 10_000_000, "10MB"},
		{"10mb", 10_000_000, "10MB"},
		{"16MiB", 16 << 20, "16MiB"},
		{"2GB", 2_000_000_000, "2GB"},
		{"1GiB", 1 << 30, "1GiB"},
		{"1001", 1001, "1001B"},
		{"9223372036854775807", math.MaxInt64, "9223372036854775807B"},
	} {
		if got, err := lists.ParseSize(tt.in); err != nil || got != tt.want {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", tt.in, got, err, tt.want)
		}
		if got := lists.FormatSize(tt.want); got != tt.text {
			t.Errorf("FormatSize(%d) = %q, want %q", tt.want, got, tt.text)
		}
	}
	for _, in := range []string{"", "MB", "-1", "+1", "1.5MB", "1TB", "1kMB", "1 0", "10MBit", "9223372036854775808", "9223372036854776kB", "1M", "0x10", "1_000", "None"} {
		if got, err := lists.ParseSize(in); !errors.Is(err, lists.ErrSetting) {
			t.Errorf("ParseSize(%q) = %d, %v; want ErrSetting", in, got, err)
		}
	}
}

// The law: a size is never negative, and what FormatSize writes, ParseSize reads.
func FuzzSize(f *testing.F) {
	for _, s := range []string{"none", "0", "1MiB", "500 kB", "9223372036854775807B", "18446744073709551615"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		n, err := lists.ParseSize(in)
		if err != nil {
			return
		}
		if again, err := lists.ParseSize(lists.FormatSize(n)); n < 0 || again != n || err != nil {
			t.Fatalf("%q is %d, written %q, read %d, %v", in, n, lists.FormatSize(n), again, err)
		}
	})
}
