package boltstore_test

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"superlistd/lists"
	"superlistd/lists/boltstore"
)

// The law: no value panics, and what is read is written and read again as it was.
func FuzzMemberRecord(f *testing.F) {
	key := []byte("ann@x")
	for _, m := range []lists.Member{
		{Address: lists.Address{Local: "ann", Domain: "x"}},
		{Address: lists.Address{Local: "Ann", Domain: "x"}, Name: "Ann Ä", Since: time.Unix(-5, 0)},
		{
			Address: lists.Address{Local: "Ann", Domain: "x"}, Name: "Ann", Moderated: true, NoMeToo: true, Posts: 300, Language: "de",
			Aliases: []lists.Address{{Local: "a b", Domain: "x"}, {Local: "ü", Domain: "[192.0.2.1]"}},
		},
		{Address: lists.Address{Local: "ann", Domain: "x"}, Name: "Ann", Delivery: lists.DeliveryNone},
		{
			Address: lists.Address{Local: "Ann", Domain: "x"}, PostOK: true,
			Suspended: lists.Suspension{From: time.Unix(0, 0), Until: time.Unix(86400*400, 0)},
			Disabled:  lists.Disable("550 5.1.1 no such user", time.Unix(1e9, 0)),
		},
		{Address: lists.Address{Local: "ann", Domain: "x"}, Name: "Ann", Delivery: lists.DeliveryDigest},
		{
			Address: lists.Address{Local: "ann", Domain: "x"}, Delivery: lists.DeliveryMail, Before: lists.DeliveryPlain, From: 300,
			Earlier:   []lists.Switch{{Until: 7}, {Delivery: lists.DeliveryDigest, Until: 200}},
			Suspended: lists.Suspension{From: time.Unix(0, 0), Until: time.Unix(86400*400, 0)},
		},
	} {
		f.Add(boltstore.AppendMember(nil, m, key))
	}
	f.Add([]byte{3, 0, 0, 6, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 1, 'x', 0, 0, 0, 0})
	f.Add([]byte{2, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, value []byte) {
		m, err := boltstore.DecodeMember(key, value)
		if err != nil {
			return
		}
		if !bytes.Equal([]byte(m.Address.Key()), key) {
			return // Check finds those
		}
		again, err := boltstore.DecodeMember(key, boltstore.AppendMember(nil, m, key))
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("%q is %+v, and then %+v, %v", value, m, again, err)
		}
	})
}
