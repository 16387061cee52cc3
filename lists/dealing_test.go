package lists_test

import (
	"encoding/binary"
	"errors"
	"testing"

	"superlistd/lists"
)

func TestVerp(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		v       lists.Verp
		members int
		want    int // of 1000 posts
	}{
		{lists.VerpAuto, 0, 1000},
		{lists.VerpAuto, 1000, 1000},
		{lists.VerpAuto, 1001, 100},
		{lists.VerpAlways, 1_000_000, 1000},
		{lists.VerpNever, 1, 0},
		{4, 1, 250},
		{1000, 1_000_000, 1},
	} {
		got := 0
		for i := range 1000 {
			var key [16]byte
			binary.BigEndian.PutUint64(key[:], uint64(i))
			key[15] = byte(i * 7) // what is behind counts nothing
			if tt.v.Chosen(tt.members, key) {
				got++
			}
		}
		if got != tt.want {
			t.Errorf("%d, %d members: %d of 1000 posts, want %d", tt.v, tt.members, got, tt.want)
		}
	}
}

func TestOwnersNotice(t *testing.T) {
	t.Parallel()
	for n, want := range map[lists.OwnersNotice][2]bool{
		"": {false, true}, lists.NoticeOff: {false, false}, lists.NoticeDaily: {false, true}, lists.NoticeOn: {true, true},
	} {
		if got := [2]bool{n.AtOnce(), n.Daily()}; got != want {
			t.Errorf("%q: at once and daily %v, want %v", n, got, want)
		}
	}
}

// One reason to send a digest is left, in whatever order they are taken away.
func TestDigestReasons(t *testing.T) {
	t.Parallel()
	names := []string{"digest_size", "digest_count", "digest_hours"}
	for i := range names {
		s := lists.DefaultSettings()
		for j := range names {
			setting, err := lists.LookupSetting(names[(i+j)%3])
			if err != nil {
				t.Fatal(err)
			}
			before := s
			err = setting.Set(&s, "none")
			if last := j == 2; errors.Is(err, lists.ErrSetting) != last || !last && setting.Get(s) != "none" || last && setting.Get(s) != setting.Get(before) {
				t.Errorf("%s: %v, %s", setting.Name, err, setting.Get(s))
			}
		}
		if checked, err := s.Checked(); err != nil || checked.DigestSize != s.DigestSize || checked.DigestHours != s.DigestHours {
			t.Errorf("%+v, %v", checked, err)
		}
	}
}
