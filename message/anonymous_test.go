package message

import (
	"slices"
	"strings"
	"testing"
)

// dressWith dresses a header for team@lists.example.org and reads what came out.
func dressWith(t *testing.T, head string, d Dressing, settings ...string) Header {
	t.Helper()
	out := Dress(ParseHeader([]byte(head+"\r\n")), testList(t, "team@lists.example.org", settings...), testTrace(t), d)
	return ParseHeader(out.Head)
}

// Three posts of a thread still refer to each other: by what their authors have, and by what members got to see.
func TestAnonymousThreads(t *testing.T) {
	t.Parallel()
	d := Dressing{Key: []byte("key")}
	dress := func(head string) Header { return dressWith(t, "From: ann@example.net\r\n"+head, d, "anonymous=on") }
	id := func(h Header) string { return h.Values("Message-ID")[0] }
	first := dress("Message-ID: <1@example.net>\r\n")
	second := dress("Message-ID: <2@example.com>\r\nIn-Reply-To: " + id(first) + "\r\nReferences: " + id(first) + "\r\n")
	third := dress("Message-ID: 3@example.net\r\nIn-Reply-To: " + id(second) + "\r\nReferences: <1@example.net>\r\n " + id(second) + "\r\n")
	if got, want := second.Values("In-Reply-To"), []string{id(first)}; !slices.Equal(got, want) {
		t.Errorf("second answers %q, want %q", got, want)
	}
	if got, want := third.Values("References"), []string{id(first) + " " + id(second)}; !slices.Equal(got, want) {
		t.Errorf("third refers to %q, want %q", got, want)
	}
	seen := map[string]bool{id(first): true, id(second): true, id(third): true}
	other := ParseHeader(Dress(ParseHeader([]byte("Message-ID: <1@example.net>\r\n\r\n")), testList(t, "b@lists.example.org", "anonymous=on"), testTrace(t), d).Head)
	seen[id(other)] = true // the same post on another list
	seen[id(dressWith(t, "Message-ID: <1@example.net>\r\n", Dressing{Key: []byte("other")}, "anonymous=on"))] = true
	seen[id(dress("Message-ID: "+id(first)+"\r\n"))] = true // a post that takes the id of another
	if len(seen) != 6 {
		t.Errorf("%d ids, want 6: %v", len(seen), seen)
	}
}

func TestAnonymousReferencesAreBounded(t *testing.T) {
	t.Parallel()
	h := dressWith(t, "References:"+strings.Repeat(" <x@y>", 10_000)+"\r\n", Dressing{}, "anonymous=on")
	if got := strings.Count(h.Values("References")[0], "<"); got != maxReferences+1 {
		t.Errorf("%d references, want %d", got, maxReferences+1)
	}
}

func TestAnonymousHasNoTrace(t *testing.T) {
	t.Parallel()
	head := "X-Sender: ann@example.net\r\nFrom: Ann <ANN@example.net>\r\nSubject: of =?utf-8?b?YW5uQGV4YW1wbGUubmV0?= and Ann@Example.NET\r\n" +
		"Content-Language: ann@example.net\r\nDate: x\r\nCc: bob@example.net\r\nMessage-ID: <ann@example.net>\r\nReferences: ann@example.net\r\n"
	for _, settings := range [][]string{{"anonymous=on"}, {"anonymous=on", "from=wrap", "reply_to=else@example.com", "subject_prefix=[t]"}} {
		h := dressWith(t, head, Dressing{Results: "mx.example.org; spf=pass smtp.mailfrom=ann@example.net", Rewrite: true}, settings...)
		text := strings.ToLower(string(h.Bytes()))
		for _, trace := range []string{"ann", "bob", "sea.example.net", "192.0.2.7", "yw5u"} {
			if strings.Contains(text, trace) {
				t.Errorf("%v: %q is left in\n%s", settings, trace, text)
			}
		}
	}
}
