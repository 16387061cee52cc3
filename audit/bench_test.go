package audit_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"superlistd/audit"
	"superlistd/lists"
	"superlistd/lists/boltstore"
	"superlistd/lists/memstore"
)

func million() (c lists.Change) {
	for i := range 1_000_000 {
		c.Add = append(c.Add, lists.Member{Address: lists.Address{Local: fmt.Sprintf("member%07d", i), Domain: "example.org"}, Since: noon()})
	}
	return c
}

// How much longer a change of a million members takes with the log.
func BenchmarkChangeMillion(b *testing.B) {
	team, c := lists.Address{Local: "team", Domain: "m.test"}, million()
	for _, bb := range []struct {
		name string
		wrap func(s lists.Store, data string) lists.Store
	}{
		{"without", func(s lists.Store, _ string) lists.Store { return s }},
		{"with", func(s lists.Store, data string) lists.Store { return audit.Store(s, audit.Open(data, audit.Options{})) }},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				data := b.TempDir()
				inner, err := boltstore.Open(filepath.Join(data, "lists.db"), boltstore.Options{})
				if err != nil {
					b.Fatal(err)
				}
				s := bb.wrap(inner, data)
				if err := s.Create(b.Context(), lists.List{Address: team}, nil); err != nil {
					b.Fatal(err)
				}
				if _, err := s.Change(b.Context(), team, c); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				inner.Close()
				os.RemoveAll(data)
				b.StartTimer()
			}
		})
	}
}

// added is a store that adds everybody, in no time.
type added struct {
	lists.Store
	out lists.Outcome
}

func (a added) Change(context.Context, lists.Address, lists.Change) (lists.Outcome, error) {
	return a.out, nil
}

// What of that is the log's.
func BenchmarkLinesOfMillion(b *testing.B) {
	c := million()
	var out lists.Outcome
	for _, m := range c.Add {
		out.Added = append(out.Added, m.Address)
	}
	for b.Loop() {
		data := b.TempDir()
		s := audit.Store(added{out: out}, audit.Open(data, audit.Options{}))
		if _, err := s.Change(b.Context(), lists.Address{Local: "team", Domain: "m.test"}, c); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		os.RemoveAll(data)
		b.StartTimer()
	}
}

func BenchmarkAppend(b *testing.B) {
	log := audit.Open(b.TempDir(), audit.Options{})
	team := lists.Address{Local: "team", Domain: "m.test"}
	b.ReportAllocs()
	for b.Loop() {
		if err := log.Append(team, audit.Event{What: audit.Joined, Member: "ann@example.org", By: "ann@example.org", Way: audit.ByMail}); err != nil {
			b.Fatal(err)
		}
	}
}

// What an update of a member that changes nothing costs besides.
func BenchmarkUpdateMember(b *testing.B) {
	team, ann := lists.Address{Local: "team", Domain: "m.test"}, lists.Address{Local: "ann", Domain: "m.test"}
	s := audit.Store(memstore.New(), audit.Open(b.TempDir(), audit.Options{}))
	if err := s.Create(b.Context(), lists.List{Address: team}, nil); err != nil {
		b.Fatal(err)
	}
	if _, err := s.Change(b.Context(), team, lists.Change{Add: []lists.Member{{Address: ann, Since: noon()}}}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := lists.CountPost(b.Context(), s, team, ann); err != nil {
			b.Fatal(err)
		}
	}
}
