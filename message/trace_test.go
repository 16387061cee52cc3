package message

import (
	"errors"
	"strings"
	"testing"
	"time"

	"superlistd/lists"
)

// mustAddress reads an address of a test.
func mustAddress(tb testing.TB, s string) lists.Address {
	tb.Helper()
	a, err := lists.ParseAddress(s)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

// testTrace is the trace of all tests that want one.
func testTrace(tb testing.TB) Trace {
	return Trace{
		Hostname: "mx.example.org", SID: "4Xy7", Client: "sea.example.net [192.0.2.7]", Helo: "sea.example.net", Proto: "ESMTP",
		For: mustAddress(tb, "team@lists.example.org"), Time: time.Date(2026, 11, 20, 9, 0, 0, 0, time.FixedZone("", 3600)),
	}
}

func TestReceived(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		edit func(*Trace)
		want string
	}{
		{
			"all of it", func(*Trace) {},
			"Received: from sea.example.net (sea.example.net [192.0.2.7])\r\n\tby mx.example.org (superlistd) with ESMTP id 4Xy7\r\n" +
				"\tfor <team@lists.example.org>; Fri, 20 Nov 2026 09:00:00 +0100\r\n",
		},
		{
			"nothing is known of the client", func(tr *Trace) { tr.Helo, tr.Client, tr.For, tr.Proto, tr.SID = "", "", lists.Address{}, "", "" },
			"Received: from unknown\r\n\tby mx.example.org (superlistd) with SMTP;\r\n\tFri, 20 Nov 2026 09:00:00 +0100\r\n",
		},
		{
			"octets that could end something", func(tr *Trace) { tr.Helo, tr.Client = "a\r\nBcc: x;(y)", "n) by evil (superlistd\\ [1]\x00" },
			"Received: from a??Bcc:?x??y? (n? by evil ?superlistd? [1]?)\r\n\tby mx.example.org (superlistd) with ESMTP id 4Xy7\r\n" +
				"\tfor <team@lists.example.org>; Fri, 20 Nov 2026 09:00:00 +0100\r\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tr := testTrace(t)
			tt.edit(&tr)
			if got := Received(tr); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestReceivedLinesAreShort(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5000)
	for line := range strings.SplitSeq(Received(Trace{Hostname: long, SID: long, Client: long, Helo: long, Proto: long}), "\r\n") {
		if len(line) > 998 {
			t.Errorf("a line of %d octets", len(line))
		}
	}
}

func TestCheckLoop(t *testing.T) {
	t.Parallel()
	tr := testTrace(t)
	other := tr
	other.For = mustAddress(t, "other@lists.example.org")
	elsewhere := tr
	elsewhere.Hostname = "mx2.example.org"
	ours := Received(tr)
	refolded := strings.ReplaceAll(strings.ReplaceAll(ours, "\r\n\t", "  "), "; ", ";\r\n   ")
	odd := tr
	odd.For = lists.Address{Local: "a  b>c", Domain: "lists.example.org"}
	for _, tt := range []struct {
		name, header string
		list, id     string
		want         error
	}{
		{"nothing", "Subject: x\r\n", "", "", nil},
		{"our Received", ours, "", "", ErrLoop},
		{"our Received, folded anew", refolded + "\r\n", "", "", ErrLoop},
		{"our Received in other case", strings.ToUpper(ours), "", "", ErrLoop},
		{"our Received of another list", Received(other), "", "", nil},
		{"a name that ends like the list's", Received(tr), "eam@lists.example.org", "eam.lists.example.org", nil},
		{"another host of superlistd", Received(elsewhere), "", "", nil},
		{"Received of Postfix", "Received: by mx.example.org (Postfix)\r\n\tfor <team@lists.example.org>; today\r\n", "", "", nil},
		{"a quoted list", Received(odd), `"a  b>c"@lists.example.org`, "x", ErrLoop},
		{"List-Id", "List-ID: \"a <b>\" <Team.lists.example.org>\r\n", "", "", ErrLoop},
		{"List-Id folded", "List-Id: x\r\n <team.lists.example.org>\r\n", "", "", ErrLoop},
		{"List-Id without brackets", "List-Id: team.lists.example.org\r\n", "", "", ErrLoop},
		{"List-Id of another", "List-Id: <my-team.lists.example.org>\r\n", "", "", nil},
		{"second List-Id", "List-Id: <x.example.org>\r\nList-Id: <team.lists.example.org>\r\n", "", "", ErrLoop},
		{"50 hops", strings.Repeat("Received: x\r\n", 50), "", "", nil},
		{"51 hops", strings.Repeat("Received: x\r\n", 51), "", "", ErrHops},
		{"51 hops and a loop", strings.Repeat("Received: x\r\n", 51) + ours, "", "", ErrLoop},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			list, id := "team@lists.example.org", "team.lists.example.org"
			if tt.list != "" {
				list, id = tt.list, tt.id
			}
			if got := CheckLoop(ParseHeader([]byte(tt.header)), "MX.example.org", mustAddress(t, list), id); !errors.Is(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
