package proxy

import (
	"fmt"
	"strings"
	"testing"

	"superlistd/delivery"
)

// A list that is a member of a list is expanded here: its members get the copy of their own list, whoever is in both gets
// one, and the inner list's address gets none.
func TestNestedList(t *testing.T) {
	t.Parallel()
	guarded := func(o *delivery.Options) { o.Guard = delivery.NewGuard(t.TempDir()) }
	h := start(t, setup{armed: guarded, lists: []roster{
		{address: "all@lists.example.org", members: []string{"ann@example.net", "bob@example.net", "Devs@lists.example.org"}},
		{address: "devs@lists.example.org", settings: []string{"subject_prefix=[devs]", "post=nobody"}, members: []string{"bob@example.net", "cat@example.net"}},
	}})
	post := "From: ann@example.net\nTo: all@lists.example.org\nSubject: hello\nMessage-ID: <n@example.net>\n\nHi.\n"
	h.talk("smtp/tcp", hello+say("ann@example.net", []string{"all@lists.example.org"}, post, "250..."))
	for member, subject := range map[string]string{"ann@example.net": "Subject: hello", "bob@example.net": "Subject: hello", "cat@example.net": "Subject: [devs] hello"} {
		if got := h.to(member); len(got) != 1 || !strings.Contains(got[0], subject+"\r\n") {
			t.Errorf("%s got %q", member, got)
		}
	}
	if got := h.to("Devs@lists.example.org"); len(got) != 0 {
		t.Errorf("the inner list itself got %q", got)
	}
	// The client comes again: nobody gets a second one.
	h.talk("smtp/tcp", hello+say("ann@example.net", []string{"all@lists.example.org"}, post, "250..."))
	for _, member := range []string{"ann@example.net", "bob@example.net", "cat@example.net"} {
		if got := h.to(member); len(got) != 1 {
			t.Errorf("%s has %d copies", member, len(got))
		}
	}
}

// Lists that are members of each other, and of themselves by a detour, give each member one copy.
func TestListsInCircles(t *testing.T) {
	t.Parallel()
	h := start(t, setup{lists: []roster{
		{address: "a@lists.example.org", members: []string{"ann@example.net", "b@lists.example.org", "c@lists.example.org"}},
		{address: "b@lists.example.org", members: []string{"bob@example.net", "c@lists.example.org", "a@lists.example.org"}},
		{address: "c@lists.example.org", members: []string{"cat@example.net", "a@lists.example.org", "ann@example.net"}},
	}})
	post := "From: ann@example.net\nTo: a@lists.example.org\nMessage-ID: <c@example.net>\n\nHi.\n"
	h.talk("smtp/tcp", hello+say("ann@example.net", []string{"a@lists.example.org", "b@lists.example.org"}, post, "550..."))
	h.talk("smtp/tcp", hello+say("ann@example.net", []string{"a@lists.example.org"}, post, "250..."))
	for rcpt, n := range h.peer.Queued() {
		want := 1
		if strings.HasSuffix(rcpt, "@lists.example.org") {
			want = 0
		}
		if n != want {
			t.Errorf("%s got %d copies", rcpt, n)
		}
	}
	if len(h.peer.Queued()) != 3 {
		t.Errorf("copies: %v", h.peer.Queued())
	}
}

// Beyond the depth, a list is a member like any other.
func TestNestingIsBounded(t *testing.T) {
	t.Parallel()
	var chain []roster
	for i := range maxNesting + 3 {
		chain = append(chain, roster{address: fmt.Sprintf("l%d@lists.example.org", i), members: []string{
			"ann@example.net", fmt.Sprintf("m%d@example.net", i), fmt.Sprintf("l%d@lists.example.org", i+1),
		}})
	}
	h := start(t, setup{lists: chain})
	h.talk("smtp/tcp", hello+say("ann@example.net", []string{"l0@lists.example.org"}, "From: ann@example.net\nMessage-ID: <d@example.net>\n\nHi.\n", "250..."))
	got := h.peer.Queued()
	for i := range maxNesting + 1 {
		if got[fmt.Sprintf("m%d@example.net", i)] != 1 {
			t.Errorf("level %d got none: %v", i, got)
		}
	}
	if got[fmt.Sprintf("m%d@example.net", maxNesting+1)] != 0 || got[fmt.Sprintf("l%d@lists.example.org", maxNesting+1)] != 1 {
		t.Errorf("what is deeper: %v", got)
	}
}

// An inner list that To names gets the post in its own name, as a member would.
func TestNestedListThatIsNamed(t *testing.T) {
	t.Parallel()
	h := start(t, setup{lists: []roster{
		{address: "all@lists.example.org", members: []string{"ann@example.net", "devs@lists.example.org"}},
		{address: "devs@lists.example.org", members: []string{"cat@example.net"}},
	}})
	post := "From: ann@example.net\nTo: all@lists.example.org, devs@lists.example.org\nMessage-ID: <n@example.net>\n\nHi.\n"
	h.talk("smtp/tcp", hello+say("ann@example.net", []string{"all@lists.example.org"}, post, "250..."))
	if got := h.peer.Queued(); got["cat@example.net"] != 0 || got["ann@example.net"] != 1 || len(got) != 1 {
		t.Errorf("copies: %v", got)
	}
}
