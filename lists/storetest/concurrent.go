package storetest

import (
	"fmt"
	"sync"
	"testing"

	"superlistd/lists"
)

// No change is lost when many write at once.
func testWriters(t *testing.T, s lists.Store) {
	const writers, each = 8, 10
	list := create(t, s, "a@example.org")
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				m := lists.Member{Address: lists.Address{Local: fmt.Sprintf("w%d-%d", w, i), Domain: "x"}}
				if _, err := s.Change(t.Context(), list, lists.Change{Add: []lists.Member{m}}); err != nil {
					t.Error(err)
				}
				_, err := s.Update(t.Context(), list, func(v *lists.Settings) error { v.MaxRecipients++; return nil })
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	l := get(t, s, list)
	equal(t, "members, updates", [2]int{l.Members, l.Settings.MaxRecipients}, [2]int{writers * each, writers * each})
	equal(t, "roster", len(names(t, s, list)), writers*each)
}

// Two members are always added and removed together: no reader may see one of them, nor
// counts that are not those of the roster.
func testReaders(t *testing.T, s lists.Store) {
	list := create(t, s, "a@example.org")
	pair := members(t, "a@x", "z@x")
	change(t, s, list, lists.Change{Add: members(t, "m@x")})
	stop := make(chan struct{})
	var readers, writer sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					readPair(t, s, list)
				}
			}
		})
	}
	writer.Go(func() {
		for range 60 {
			if _, err := s.Change(t.Context(), list, lists.Change{Add: pair}); err != nil {
				t.Error(err)
			}
			if _, err := s.Change(t.Context(), list, lists.Change{Remove: []lists.Address{pair[0].Address, pair[1].Address}}); err != nil {
				t.Error(err)
			}
		}
	})
	writer.Wait()
	close(stop)
	readers.Wait()
}

func readPair(t *testing.T, s lists.Store, list lists.Address) {
	in := make([]bool, 3)
	if err := s.Contains(t.Context(), list, lists.PresentIssue, [][]byte{[]byte("a@x"), []byte("m@x"), []byte("z@x")}, in); err != nil {
		t.Error(err)
	}
	if in[0] != in[2] || !in[1] {
		t.Errorf("half a change was seen by Contains: %v", in)
	}
	var r lists.Recipients
	if err := s.Recipients(t.Context(), list, &r, 10); err != nil {
		t.Error(err)
	}
	ms, err := s.Members(t.Context(), list, lists.Address{}, 10)
	if err != nil {
		t.Error(err)
	}
	l, err := s.List(t.Context(), list)
	if err != nil {
		t.Error(err)
	}
	for _, n := range []int{r.Len(), len(ms), l.Members} {
		if n != 1 && n != 3 {
			t.Errorf("half a change was seen: %d members", n)
		}
	}
}
