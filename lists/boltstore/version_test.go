package boltstore_test

import (
	"bytes"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"superlistd/lists"
	"superlistd/lists/boltstore"
)

// What an older program has written is read, with defaults for what it did not know.
func TestOldRecords(t *testing.T) {
	t.Parallel()
	path := filled(t, 1)
	key := []byte(team.Key())
	edit(t, path, func(tx *bolt.Tx) error {
		record := `{"v":1,"address":"team@lists.example.org","created":"2026-11-01T12:00:00Z","description":"The team","post":"anyone",` +
			`"max_size":1000,"max_recipients":5,"owners":["ann@example.org"],"members":2}`
		b := tx.Bucket([]byte("members")).Bucket(key)
		for k, _ := b.Cursor().First(); k != nil; k, _ = b.Cursor().First() {
			if err := b.Delete(k); err != nil {
				return err
			}
		}
		for k, v := range map[string]string{
			"bob@x": "\x01\x02\x05Bob@xBob B",
			"cat@x": "\x02\x02\x00\x01\x05\x02de\x00Cat C",
		} {
			if err := b.Put([]byte(k), []byte(v)); err != nil {
				return err
			}
		}
		return tx.Bucket([]byte("lists")).Put(key, []byte(record))
	})
	if err := boltstore.Check(path); err != nil {
		t.Fatal(err)
	}
	s := open(t, path, boltstore.Options{})
	l, err := s.List(t.Context(), team)
	if err != nil {
		t.Fatal(err)
	}
	want := lists.DefaultSettings()
	want.Description, want.Post, want.MaxSize, want.MaxRecipients = "The team", lists.PostAnyone, 1000, 5
	want.Owners = []lists.Address{{Local: "ann", Domain: "example.org"}}
	if !reflect.DeepEqual(l.Settings, want) {
		t.Errorf("settings %+v, want %+v", l.Settings, want)
	}
	bob := lists.Member{Address: lists.Address{Local: "Bob", Domain: "x"}, Name: "Bob B", Since: time.Unix(1, 0).UTC()}
	if m, ok, err := s.Member(t.Context(), team, bob.Address); err != nil || !ok || !reflect.DeepEqual(m, bob) {
		t.Errorf("member %+v, %v, %v; want %+v", m, ok, err, bob)
	}
	cat := lists.Member{
		Address: lists.Address{Local: "cat", Domain: "x"}, Name: "Cat C", Since: bob.Since,
		Moderated: true, Posts: 5, Language: "de",
	}
	if m, ok, err := s.Member(t.Context(), team, cat.Address); err != nil || !ok || !reflect.DeepEqual(m, cat) {
		t.Errorf("member %+v, %v, %v; want %+v", m, ok, err, cat)
	}
	var r lists.Recipients
	if err := s.Recipients(t.Context(), team, &r, 10); err != nil || r.Len() != 2 {
		t.Errorf("%d recipients, %v; want both", r.Len(), err)
	}
}

// A record is of a later version only when an older program would lose something of it.
func TestRecordVersions(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lists.db")
	s := open(t, path, boltstore.Options{})
	if err := s.Create(t.Context(), lists.List{Address: team}, nil); err != nil {
		t.Fatal(err)
	}
	ann := lists.Address{Local: "ann", Domain: "x"}
	if _, err := s.Change(t.Context(), team, lists.Change{Add: []lists.Member{{Address: ann, Name: "Ann"}}}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		setting, value string
		list           byte
	}{
		{"post", "anyone", '1'},
		{"max_size", "1MB", '1'},
		{"post", "owners", '2'},
		{"post", "nobody", '1'},
		{"hold_days", "forever", '2'},
		{"hold_days", "14", '1'},
		{"footer", "a", '2'},
		{"footer", "", '1'},
		{"from_domains", "none", '2'},
		{"from_domains", "gmail.com, googlemail.com, yahoo.*, ymail.com, rocketmail.com, aol.com", '1'},
		{"verp", "never", '2'},
		{"verp", "auto", '1'},
	} {
		_, err := s.Update(t.Context(), team, func(v *lists.Settings) error {
			setting, err := lists.LookupSetting(tt.setting)
			if err != nil {
				return err
			}
			return setting.Set(v, tt.value)
		})
		if err != nil {
			t.Fatal(err)
		}
		if value := raw(t, path, "lists", team.Key()); !bytes.HasPrefix(value, []byte(`{"v":`+string(tt.list)+`,`)) {
			t.Errorf("%s=%s: %s", tt.setting, tt.value, value)
		}
	}
	for _, tt := range []struct {
		option, value string
		want          byte
	}{
		{"moderated", "off", 1},
		{"moderated", "on", 2},
		{"moderated", "off", 1},
		{"post_ok", "on", 2},
		{"post_ok", "off", 1},
		{"metoo", "off", 2},
		{"metoo", "on", 1},
		{"language", "de", 2},
		{"language", "list", 1},
		{"posts", "3", 2},
		{"posts", "none", 1},
		{"aliases", "a@x", 2},
		{"aliases", "none", 1},
		{"delivery", "nomail", 3},
		{"metoo", "off", 3},
		{"delivery", "mail", 2},
		{"metoo", "on", 1},
		{"suspend", "2026-12-01..2026-12-15", 3},
		{"suspend", "none", 1},
		{"disabled", "2026-12-01T10:00:00Z no such mailbox", 3},
		{"disabled", "none", 1},
		{"delivery", "digest", 4},
		{"delivery", "mail", 1}, // in the same issue
		{"delivery", "nomail", 3},
		{"delivery", "plain", 4},
		{"delivery", "nomail", 3},
		{"delivery", "mail", 1},
	} {
		_, err := s.UpdateMember(t.Context(), team, ann, func(m *lists.Member) error {
			option, err := lists.LookupMemberOption(tt.option)
			if err != nil {
				return err
			}
			return option.Set(m, tt.value)
		})
		if err != nil {
			t.Fatal(err)
		}
		if value := raw(t, path, "members", team.Key(), "ann@x"); value[0] != tt.want || !bytes.HasSuffix(value, []byte("Ann")) {
			t.Errorf("%s=%s: %q", tt.option, tt.value, value)
		}
	}
	if value := raw(t, path, "lists", team.Key()); !bytes.HasPrefix(value, []byte(`{"v":3,`)) {
		t.Errorf("a list that somebody had digests of: %s", value)
	}
	if err := boltstore.Check(path); err != nil {
		t.Error(err)
	}
}

// raw reads a value with bbolt alone.
func raw(t *testing.T, path string, names ...string) (value []byte) {
	t.Helper()
	edit(t, path, func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(names[0]))
		for _, name := range names[1 : len(names)-1] {
			b = b.Bucket([]byte(name))
		}
		value = bytes.Clone(b.Get([]byte(names[len(names)-1])))
		return nil
	})
	return value
}

// The aliases of a list that an older program has deleted are not those of the next one.
func TestAliasesOfAnOlderList(t *testing.T) {
	t.Parallel()
	path := filled(t, 1)
	s := open(t, path, boltstore.Options{})
	add := lists.Change{Add: []lists.Member{{Address: lists.Address{Local: "ann", Domain: "x"}, Aliases: []lists.Address{{Local: "a", Domain: "x"}}}}}
	if _, err := s.Change(t.Context(), team, add); err != nil {
		t.Fatal(err)
	}
	edit(t, path, func(tx *bolt.Tx) error {
		if err := tx.Bucket([]byte("lists")).Delete([]byte(team.Key())); err != nil {
			return err
		}
		return tx.Bucket([]byte("members")).DeleteBucket([]byte(team.Key()))
	})
	if err := boltstore.Check(path); err != nil {
		t.Error(err)
	}
	if err := s.Create(t.Context(), lists.List{Address: team}, nil); err != nil {
		t.Fatal(err)
	}
	add.Add[0].Address.Local = "bob"
	if _, err := s.Change(t.Context(), team, add); err != nil {
		t.Error(err)
	}
}
