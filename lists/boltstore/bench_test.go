package boltstore_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"superlistd/lists"
	"superlistd/lists/boltstore"
)

const benchMembers = 100_000

func benchDirectory(b *testing.B) (*lists.Directory, *boltstore.Store) {
	s := open(b, filled(b, benchMembers), boltstore.Options{})
	d, err := lists.NewDirectory(s, []string{team.Domain}, "+")
	if err != nil {
		b.Fatal(err)
	}
	return d, s
}

func BenchmarkResolveCached(b *testing.B) {
	d, _ := benchDirectory(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Resolve(b.Context(), team); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkResolveCold(b *testing.B) {
	_, s := benchDirectory(b)
	b.ReportAllocs()
	for b.Loop() {
		d, err := lists.NewDirectory(s, []string{team.Domain}, "+")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := d.Resolve(b.Context(), team); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStamp(b *testing.B) {
	_, s := benchDirectory(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Stamp(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// recipients1000 reads slices of 1,000, round and round.
func recipients1000(b *testing.B, s *boltstore.Store) {
	b.Helper()
	var r lists.Recipients
	b.ReportAllocs()
	for b.Loop() {
		r.Reset()
		if err := s.Recipients(b.Context(), team, &r, 1000); err != nil {
			b.Fatal(err)
		}
		if r.Done() {
			r.Rewind()
		}
	}
}

func BenchmarkRecipients1000(b *testing.B) {
	_, s := benchDirectory(b)
	recipients1000(b, s)
}

// eachNth is a store of many members, of whom each n-th is changed.
func eachNth(b *testing.B, n int, change func(*lists.Member)) *boltstore.Store {
	b.Helper()
	ms := manyMembers(benchMembers)
	for i := 0; i < len(ms); i += n {
		change(&ms[i])
	}
	return open(b, filledWith(b, ms), boltstore.Options{})
}

// Every other member is suspended: a slice passes as many as it gives.
func BenchmarkRecipients1000HalfSuspended(b *testing.B) {
	recipients1000(b, eachNth(b, 2, func(m *lists.Member) {
		m.Suspended = lists.Suspension{From: time.Unix(0, 0), Until: time.Now().AddDate(1, 0, 0)}
	}))
}

// One member in ten takes digests: those are read from among all.
func BenchmarkRecipientsOfDigest100000(b *testing.B) {
	s := eachNth(b, 10, func(m *lists.Member) { m.Delivery = lists.DeliveryDigest })
	r := lists.Recipients{Select: lists.Selection{Delivery: lists.DeliveryDigest}}
	b.ReportAllocs()
	for b.Loop() {
		got := 0
		for r.Rewind(); !r.Done(); r.Reset() {
			if err := s.Recipients(b.Context(), team, &r, 1000); err != nil {
				b.Fatal(err)
			}
			got += r.Len()
		}
		if got != benchMembers/10 {
			b.Fatalf("%d recipients", got)
		}
	}
}

// The next issue begins, and somebody has waited for it: all members are looked at.
func BenchmarkDigest100000(b *testing.B) {
	_, s := benchDirectory(b)
	who, n := manyMembers(1)[0].Address, 0
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		_, err := s.UpdateMember(b.Context(), team, who, func(m *lists.Member) error {
			n++
			m.Delivery = []lists.Delivery{lists.DeliveryMail, lists.DeliveryDigest}[n%2]
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if _, err := s.Digest(b.Context(), team, func(d *lists.Digests) error { d.Number++; return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkContains1000(b *testing.B) {
	_, s := benchDirectory(b)
	keys, in := make([][]byte, 1000), make([]bool, 1000)
	for i, m := range manyMembers(1000) {
		keys[i] = m.Address.AppendKey(nil)
		if i%2 == 0 {
			keys[i] = fmt.Appendf(nil, "%07d.nobody@example.org", i)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Contains(b.Context(), team, lists.PresentIssue, keys, in); err != nil {
			b.Fatal(err)
		}
	}
	if in[0] || !in[1] {
		b.Error("wrong answer")
	}
}

func BenchmarkChange100000(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "lists.db"), boltstore.Options{})
	ms := manyMembers(benchMembers)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		_ = s.Delete(b.Context(), team) // the first time there is none
		if err := s.Create(b.Context(), lists.List{Address: team}, nil); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		out, err := s.Change(b.Context(), team, lists.Change{Add: ms})
		if err != nil || len(out.Added) != benchMembers {
			b.Fatal(err, len(out.Added))
		}
	}
}

func BenchmarkChange1(b *testing.B) {
	_, s := benchDirectory(b)
	one := lists.Change{Add: []lists.Member{{Address: mustParse(b, "ann@example.org")}}}
	none := lists.Change{Remove: []lists.Address{one.Add[0].Address}}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		c := one
		if n%2 == 1 {
			c = none
		}
		if _, err := s.Change(b.Context(), team, c); err != nil {
			b.Fatal(err)
		}
	}
}
