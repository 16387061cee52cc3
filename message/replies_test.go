package message

import (
	"strings"
	"testing"
)

// TestReplies is every combination of reply_to, From rewritten or not, what Reply-To came, and whether the author is in Cc.
func TestReplies(t *testing.T) {
	t.Parallel()
	const (
		none   = ""
		author = "Reply-To: ann@example.net\r\n"
		desk   = "Reply-To: Desk <desk@example.net>\r\n"
		both   = "Reply-To: desk@example.net\r\nReply-To: ann@example.net\r\n"
		list   = "Reply-To: <team@lists.example.org>\r\n"

		l    = "team@lists.example.org"
		x    = "else@example.com"
		ann  = `"Ann" <ann@example.net>`
		dsk  = `"Desk" <desk@example.net>`
		bare = "desk@example.net"
	)
	for _, tt := range []struct {
		replyTo   string
		rewritten bool
		came      string
		want      string // Reply-To
		cc        string // what is in Cc besides Bob, when the author was not
		known     string // and when he was
	}{
		{"author", false, none, "", "", ""},
		{"author", false, author, "ann@example.net", "", ""},
		{"author", false, desk, "Desk <desk@example.net>", "", ""},
		{"author", false, both, "desk@example.net, ann@example.net", "", ""},
		{"author", false, list, "<team@lists.example.org>", "", ""},

		{"author", true, none, ann, "", ""},
		{"author", true, author, "ann@example.net", "", ""},
		{"author", true, desk, "Desk <desk@example.net>", ann, ""},
		{"author", true, both, "desk@example.net, ann@example.net", "", ""},
		{"author", true, list, "<team@lists.example.org>", ann, ""},

		{"list", false, none, l, "", ""},
		{"list", false, author, l, "", ""},
		{"list", false, desk, l, dsk, dsk},
		{"list", false, both, l, bare, bare},
		{"list", false, list, l, "", ""},

		{"list", true, none, l, ann, ""},
		{"list", true, author, l, ann, ""},
		{"list", true, desk, l, ann + ", " + dsk, dsk},
		{"list", true, both, l, ann + ", " + bare, bare},
		{"list", true, list, l, ann, ""},

		{x, false, none, x, "", ""},
		{x, false, author, x, "", ""},
		{x, false, desk, x, dsk, dsk},
		{x, false, both, x, bare, bare},
		{x, false, list, x, "", ""},

		{x, true, none, x, ann, ""},
		{x, true, author, x, ann, ""},
		{x, true, desk, x, ann + ", " + dsk, dsk},
		{x, true, both, x, ann + ", " + bare, bare},
		{x, true, list, x, ann, ""},
	} {
		for _, cc := range []struct{ name, came, value, want string }{
			{"no Cc", "", "", tt.cc},
			{"Bob in Cc", "Cc: Bob <bob@example.net>\r\n", "Bob <bob@example.net>", tt.cc},
			{"author in Cc", "Cc: Bob <bob@example.net>, ANN@example.NET\r\n", "Bob <bob@example.net>, ANN@example.NET", tt.known},
		} {
			from := map[bool]string{false: "keep", true: "list"}[tt.rewritten]
			came := strings.NewReplacer("Reply-To: ", "", "\r\n", " ").Replace(tt.came)
			t.Run(strings.Join([]string{"reply_to=" + tt.replyTo, "from=" + from, "came " + came, cc.name}, ", "), func(t *testing.T) {
				t.Parallel()
				for _, wrap := range []bool{false, tt.rewritten} {
					how := from
					if wrap {
						how = "wrap" // goes by the same rules
					}
					lst := testList(t, l, "reply_to="+tt.replyTo, "from="+how)
					h := ParseHeader([]byte("From: Ann <ann@example.net>\r\nTo: team@lists.example.org\r\n" + tt.came + cc.came + "\r\n"))
					out := Dress(h, lst, testTrace(t), Dressing{})
					again := ParseHeader(out.Head)
					if got := strings.Join(again.Values("Reply-To"), " AND "); got != tt.want {
						t.Errorf("Reply-To %q, want %q", got, tt.want)
					}
					want := strings.Trim(cc.value+", "+cc.want, ", ")
					if got := strings.Join(again.Values("Cc"), " AND "); got != want {
						t.Errorf("Cc %q, want %q", got, want)
					}
					if tt.rewritten && !strings.Contains(strings.Join(append(again.Values("Reply-To"), again.Values("Cc")...), ","), "ann@") &&
						!strings.Contains(cc.came, "ANN@") {
						t.Error("the author is nowhere")
					}
				}
			})
		}
	}
}

func TestCcIsExtended(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"one", "Cc: bob@example.net\r\n", "Cc: bob@example.net,\r\n ann@example.net\r\n"},
		{"folded, odd name", "CC:\tbob@example.net,\r\n\tcarol@example.net\r\n", "CC:\tbob@example.net,\r\n\tcarol@example.net,\r\n ann@example.net\r\n"},
		{"empty", "Cc: \r\n", "Cc: ann@example.net\r\n"},
		{"comma at the end", "Cc: bob@example.net,\r\n", "Cc: bob@example.net,\r\n ann@example.net\r\n"},
		{"group", "Cc: undisclosed-recipients:;\r\n", "Cc: undisclosed-recipients:;,\r\n ann@example.net\r\n"},
		{"two of them", "Cc: a@example.net\r\nCc: b@example.net\r\n", "Cc: a@example.net\r\nCc: b@example.net,\r\n ann@example.net\r\n"},
		{"open quote", "Cc: \"bob <bob@example.net>\r\n", "Cc: \"bob <bob@example.net>\r\nCc: ann@example.net\r\n"},
		{"open comment", "Cc: bob@example.net (bob\r\n", "Cc: bob@example.net (bob\r\nCc: ann@example.net\r\n"},
		{"backslash", "Cc: bob\\\r\n", "Cc: bob\\\r\nCc: ann@example.net\r\n"},
		{"named in To", "To: Ann <ANN@example.net>\r\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := ParseHeader([]byte("From: ann@example.net\r\n" + tt.in + "\r\n"))
			out := Dress(h, testList(t, "team@lists.example.org", "from=list", "reply_to=list"), testTrace(t), Dressing{})
			got := ""
			for _, f := range ParseHeader(out.Head).fields {
				if f.is("Cc") {
					got += string(f.raw)
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// What could be moved to Cc is bounded: Reply-To must not be a way around the limit for To and Cc.
func TestReplyToOfMany(t *testing.T) {
	t.Parallel()
	h := ParseHeader([]byte("From: ann@example.net\r\nReply-To: " + strings.Repeat("x@a.example.net, y@b.example.net, ", 50) + strings.Repeat("z@c.example.net,", 50) + "\r\n\r\n"))
	out := Dress(h, testList(t, "team@lists.example.org", "reply_to=list"), testTrace(t), Dressing{})
	if got := ParseHeader(out.Head).Values("Cc"); len(got) != 1 || got[0] != "x@a.example.net, y@b.example.net" {
		t.Errorf("Cc %q", got)
	}
}
