package held_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"superlistd/internal/housetest"
	"superlistd/moderation/held"
	"superlistd/wire"
)

const post = "Subject: Lunch\r\n\r\nAt noon?\r\n"

var must, wantError, address, start = housetest.Must, housetest.WantError, housetest.Address, housetest.Start

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

// factsFor are facts with something in every field.
func factsFor(t testing.TB, list, key string) held.Facts {
	t.Helper()
	return held.Facts{
		Key: key, List: address(t, list),
		Envelope: held.Envelope{
			ReversePath: "ann@example.org", Client: wire.ClientInfo{Name: "mx.example.org", Addr: "192.0.2.1", Helo: "mx"}, EightBit: true,
		},
		Author: address(t, "Ann@example.org"), AuthorName: "Änn", Proof: "proven", Results: "mx.lists.test; spf=pass",
		Subject: "Lunch", MessageID: "1@example.org", Reason: "moderated", Text: "Held for the moderators", Remove: []int{1, 3},
	}
}

func put(t testing.TB, s *held.Store, f held.Facts) string {
	t.Helper()
	id, existed, err := s.Put(f, strings.NewReader(post), int64(len(post)))
	must(t, err)
	if existed || !held.Valid(id) {
		t.Fatalf("put: %q, existed %v", id, existed)
	}
	return id
}

// finish carries out a decision.
func finish(t testing.TB, s *held.Store, id string) {
	t.Helper()
	p, err := s.Claim(id)
	must(t, err)
	must(t, p.Finish())
	must(t, p.Close())
}

func wantContent(t testing.TB, s *held.Store, id string) {
	t.Helper()
	p, err := s.Open(id)
	must(t, err)
	defer p.Close()
	for _, off := range []int64{0, 5, p.Size(), p.Size() + 1} {
		got, err := io.ReadAll(p.Reader(off))
		if want := post[min(off, int64(len(post))):]; err != nil || string(got) != want {
			t.Errorf("content from %d: %q, %v; want %q", off, got, err, want)
		}
	}
}

// files are the names in the folder.
func files(t testing.TB, data string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(data, "held"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func ids(all []held.Facts) []string {
	var out []string
	for _, f := range all {
		out = append(out, f.ID)
	}
	return out
}

func sorted(ids ...string) []string {
	slices.Sort(ids)
	return ids
}
