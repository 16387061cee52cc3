package boltstore_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"superlistd/lists"
	"superlistd/lists/boltstore"
)

// edit changes the file with bbolt alone.
func edit(t *testing.T, path string, change func(*bolt.Tx) error) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(change); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// editList replaces text in the record of the team, and makes it of the newest version.
func editList(tx *bolt.Tx, old, text string) error {
	b, key := tx.Bucket([]byte("lists")), []byte(team.Key())
	value := bytes.Replace(b.Get(key), []byte(`"v":1`), []byte(`"v":3`), 1)
	return b.Put(key, bytes.Replace(value, []byte(old), []byte(text), 1))
}

func TestNewerSchema(t *testing.T) {
	t.Parallel()
	bucket := func(tx *bolt.Tx, names ...string) *bolt.Bucket {
		b := tx.Bucket([]byte(names[0]))
		for _, name := range names[1:] {
			b = b.Bucket([]byte(name))
		}
		return b
	}
	key := []byte(team.Key())
	for _, tt := range []struct {
		name string
		edit func(*bolt.Tx) error
		want error
		only string // the one method that is looked at; all when empty
	}{
		{"newer file", func(tx *bolt.Tx) error { return bucket(tx, "meta").Put([]byte("schema"), []byte("2")) }, lists.ErrSchema, ""},
		{"newer file without our buckets", func(tx *bolt.Tx) error {
			return errors.Join(bucket(tx, "meta").Put([]byte("schema"), []byte("17")), tx.DeleteBucket([]byte("members")))
		}, lists.ErrSchema, ""},
		{"schema is not a number", func(tx *bolt.Tx) error { return bucket(tx, "meta").Put([]byte("schema"), []byte("x")) }, lists.ErrStore, ""},
		{"no schema", func(tx *bolt.Tx) error { return bucket(tx, "meta").Delete([]byte("schema")) }, lists.ErrStore, ""},
		{"a bucket is missing", func(tx *bolt.Tx) error { return tx.DeleteBucket([]byte("lists")) }, lists.ErrStore, ""},
		{"newer list record", func(tx *bolt.Tx) error { return bucket(tx, "lists").Put(key, []byte(`{"v":4,"address":7}`)) }, lists.ErrSchema, "List"},
		{"list record with a setting of later", func(tx *bolt.Tx) error {
			b := bucket(tx, "lists")
			return b.Put(key, bytes.Replace(b.Get(key), []byte(`"members":`), []byte(`"settings":{"html":"text","colour":"blue"},"members":`), 1))
		}, lists.ErrSchema, "Update"},
		{"list record with a setting that is none", func(tx *bolt.Tx) error {
			b := bucket(tx, "lists")
			return b.Put(key, bytes.Replace(b.Get(key), []byte(`"members":`), []byte(`"settings":{"bans":"/(/"},"members":`), 1))
		}, lists.ErrStore, "Update"},
		{"list record is no JSON", func(tx *bolt.Tx) error { return bucket(tx, "lists").Put(key, []byte(`{`)) }, lists.ErrStore, "List"},
		{"list record with a policy that is none", func(tx *bolt.Tx) error {
			b := bucket(tx, "lists")
			return b.Put(key, bytes.Replace(b.Get(key), []byte(`"members"`), []byte(`"membeIs"`), 1))
		}, lists.ErrStore, "Update"},
		{"list record with an owner that is none", func(tx *bolt.Tx) error {
			b := bucket(tx, "lists")
			return b.Put(key, bytes.Replace(b.Get(key), []byte(`"post"`), []byte(`"owners":["x"],"post"`), 1))
		}, lists.ErrStore, "Update"},
		{"list record without version", func(tx *bolt.Tx) error { return bucket(tx, "lists").Put(key, []byte(`{}`)) }, lists.ErrStore, "List"},
		{"newer member record", func(tx *bolt.Tx) error {
			return bucket(tx, "members", string(key)).Put([]byte("a@x"), []byte{5, 1, 2, 3})
		}, lists.ErrSchema, "Recipients"},
		{"member record is cut", func(tx *bolt.Tx) error {
			return bucket(tx, "members", string(key)).Put([]byte("a@x"), []byte{1, 0, 9, 'a'})
		}, lists.ErrStore, "Members"},
		{"member record of version 2 is cut", func(tx *bolt.Tx) error {
			return bucket(tx, "members", string(key)).Put([]byte("a@x"), []byte{2, 0, 0, 1, 0, 0, 3})
		}, lists.ErrStore, "Members"},
		{"member record with flags of later", func(tx *bolt.Tx) error {
			return bucket(tx, "members", string(key)).Put([]byte("a@x"), []byte{2, 0, 0, 128, 0, 0, 0})
		}, lists.ErrStore, "Members"},
		{"member record of version 3 is cut", func(tx *bolt.Tx) error {
			return bucket(tx, "members", string(key)).Put([]byte("a@x"), []byte{3, 0, 0})
		}, lists.ErrStore, "Recipients"},
		{"member record with days that are cut", func(tx *bolt.Tx) error {
			return bucket(tx, "members", string(key)).Put([]byte("a@x"), []byte{3, 0, 0, 2, 0x80})
		}, lists.ErrStore, "Recipients"},
		{"member record that says nothing of what keeps posts away", func(tx *bolt.Tx) error {
			return bucket(tx, "members", string(key)).Put([]byte("a@x"), []byte{3, 0, 0, 0, 0, 0, 0, 0})
		}, lists.ErrStore, "Members"},
		{"member record of version 3 with what version 4 knows", func(tx *bolt.Tx) error {
			return bucket(tx, "members", string(key)).Put([]byte("a@x"), []byte{3, 0, 0, 8, 0, 0, 0, 0})
		}, lists.ErrStore, "Members"},
		{"member record with two ways of delivery", func(tx *bolt.Tx) error {
			return bucket(tx, "members", string(key)).Put([]byte("a@x"), []byte{4, 0, 0, 24, 0, 0, 0, 0})
		}, lists.ErrStore, "Recipients"},
		{"member record with a switch that is cut", func(tx *bolt.Tx) error {
			return bucket(tx, "members", string(key)).Put([]byte("a@x"), []byte{4, 0, 0, 32, 2, 0, 1, 8})
		}, lists.ErrStore, "Recipients"},
		{"member record with a switch to nothing", func(tx *bolt.Tx) error {
			return bucket(tx, "members", string(key)).Put([]byte("a@x"), []byte{4, 0, 0, 32, 0, 0, 0, 0, 0})
		}, lists.ErrStore, "Recipients"},
		{"empty member record", func(tx *bolt.Tx) error { return bucket(tx, "members", string(key)).Put([]byte("a@x"), nil) }, lists.ErrStore, "Recipients"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filled(t, 3)
			edit(t, path, tt.edit)
			if err := boltstore.Check(path); !errors.Is(err, tt.want) {
				t.Errorf("Check: got %v, want %v", err, tt.want)
			}
			for name, err := range everyMethod(t.Context(), open(t, path, boltstore.Options{}), team) {
				if (tt.only == "" || tt.only == name) && !errors.Is(err, tt.want) {
					t.Errorf("%s: got %v, want %v", name, err, tt.want)
				}
				if errors.Is(err, lists.ErrAddress) || errors.Is(err, lists.ErrSetting) {
					t.Errorf("%s: %v looks like a mistake of the caller", name, err)
				}
			}
		})
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	path := filled(t, 1000)
	if err := boltstore.Check(path); err != nil {
		t.Fatalf("a good file: %v", err)
	}
	if err := boltstore.Check(filepath.Join(t.TempDir(), "missing", "lists.db")); !errors.Is(err, lists.ErrStore) {
		t.Errorf("no folder: %v", err)
	}
	key := []byte(team.Key())
	members := func(tx *bolt.Tx) *bolt.Bucket { return tx.Bucket([]byte("members")) }
	for _, tt := range []struct {
		name string
		edit func(*bolt.Tx) error
	}{
		{"a member is lost", func(tx *bolt.Tx) error { return members(tx).Bucket(key).Delete([]byte("0000001.member@example.org")) }},
		{"a member too many", func(tx *bolt.Tx) error { return members(tx).Bucket(key).Put([]byte("x@x"), []byte{1, 0, 0}) }},
		{"a member under another key", func(tx *bolt.Tx) error {
			b := members(tx).Bucket(key)
			return errors.Join(b.Delete([]byte("0000001.member@example.org")), b.Put([]byte("a@x"), []byte("\x01\x00\x03b@x")))
		}},
		{"nobody takes digests", func(tx *bolt.Tx) error { return editList(tx, `"members":10`, `"members":10,"digests":{"members":1}`) }},
		{"a digest is not counted", func(tx *bolt.Tx) error {
			return members(tx).Bucket(key).Put([]byte("0000001.member@example.org"), []byte{4, 0, 0, 8, 0, 0, 0, 0})
		}},
		{"a switch is not noted", func(tx *bolt.Tx) error {
			err := editList(tx, `"members":10`, `"members":10,"digests":{"members":1}`)
			return errors.Join(err, members(tx).Bucket(key).Put([]byte("0000001.member@example.org"), []byte{4, 0, 0, 32 + 8, 1, 0, 1, 0, 0, 0, 0}))
		}},
		{"an alias is not in the index", func(tx *bolt.Tx) error {
			return members(tx).Bucket(key).Put([]byte("0000001.member@example.org"), []byte("\x02\x00\x00\x00\x00\x00\x01\x03b@x"))
		}},
		{"the index has an alias of nobody", func(tx *bolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte("aliases"))
			if err == nil {
				b, err = b.CreateBucketIfNotExists(key)
			}
			if err == nil {
				err = b.Put([]byte("b@x"), []byte("0000001.member@example.org"))
			}
			return err
		}},
		{"roster without a list", func(tx *bolt.Tx) error {
			_, err := members(tx).CreateBucket([]byte("lost@x"))
			return err
		}},
		{"list without a roster", func(tx *bolt.Tx) error { return members(tx).DeleteBucket(key) }},
		{"list under another key", func(tx *bolt.Tx) error {
			b := tx.Bucket([]byte("lists"))
			v := bytes.Clone(b.Get(key))
			_, err := members(tx).CreateBucket([]byte("x@x"))
			return errors.Join(err, b.Put([]byte("x@x"), v))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filled(t, 10)
			edit(t, path, tt.edit)
			if err := boltstore.Check(path); !errors.Is(err, lists.ErrStore) {
				t.Errorf("Check = %v, want ErrStore", err)
			}
		})
	}
}
