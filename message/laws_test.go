package message

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"superlistd/lists"
)

// listFieldNames is what every copy has once.
func listFieldNames() []string {
	return []string{"List-Id", "List-Post", "List-Help", "List-Subscribe", "List-Unsubscribe", "List-Owner", "Precedence"}
}

// checkDress holds the laws of Dress for one header and one list.
func checkDress(t *testing.T, h Header, l lists.List, tr Trace, d Dressing) {
	t.Helper()
	before := h.Bytes()
	out := Dress(h, l, tr, d)
	if !bytes.Equal(before, h.Bytes()) {
		t.Fatal("Dress changed its input")
	}
	again := ParseHeader(append(slices.Clip(out.Head), "body"...))
	if again.Len() != out.Outer || string(again.blank) != "\r\n" {
		t.Fatalf("the header ends at %d, want %d: %q", again.Len(), out.Outer, out.Head)
	}
	for _, name := range listFieldNames() {
		if got := len(again.Values(name)); got != 1 {
			t.Fatalf("%d fields %s in %q", got, name, out.Head)
		}
	}
	checkUnsubscribe(t, again, l, d)
	if got := listIdentifier(again.Values("List-Id")[0]); got != l.ID() {
		t.Fatalf("List-Id %q, want %q", got, l.ID())
	}
	if err := CheckLoop(again, tr.Hostname, l.Address, l.ID()); !errors.Is(err, ErrLoop) {
		t.Fatalf("CheckLoop by List-Id: %v", err)
	}
	if err := CheckLoop(again, tr.Hostname, l.Address, ""); !errors.Is(err, ErrLoop) {
		t.Fatalf("CheckLoop by Received: %v", err)
	}
	checkEdits(t, h, out)
	wrapped := out.Outer < len(out.Head)
	if want := l.Settings.From == lists.FromWrap && !l.Settings.Anonymous; wrapped != want {
		t.Fatalf("wrapped %v, want %v", wrapped, want)
	}
	checkSize(t, h, out, wrapped)
	checkNames(t, h, again, l, d)
	if l.Settings.Anonymous {
		checkAnonymous(t, h, again, l)
	} else if !wrapped {
		checkUntouched(t, h, again, out.Edits)
	}
	checkForward(t, h, tr)
}

// checkUnsubscribe: there is always a way out by mail, and beside it the page that fits a line. A click is never offered.
func checkUnsubscribe(t *testing.T, again Header, l lists.List, d Dressing) {
	t.Helper()
	want := strings.TrimSuffix(strings.TrimPrefix(string(appendMailto(nil, "X", l.Unsubscribe())), "X: "), "\r\n")
	got, page, paged := strings.Cut(again.Values("List-Unsubscribe")[0], ",")
	if page = strings.TrimSpace(page); got != want || paged && page != "<"+d.Unsubscribe+">" {
		t.Fatalf("List-Unsubscribe %q, want %q and %q", again.Values("List-Unsubscribe"), want, d.Unsubscribe)
	}
	if again.Has("List-Unsubscribe-Post") {
		t.Fatal("a click is offered that takes nobody off")
	}
	if plain := "https://lists.example.org/u/x"; d.Unsubscribe == plain && !paged {
		t.Fatalf("%s is left out", plain)
	}
}

// checkEdits: the edits can be undone, each wrote one whole field, and none wrote a control.
func checkEdits(t *testing.T, h Header, out Dressed) {
	t.Helper()
	if back, ok := Undo(out.Head, out.Edits); !ok || !bytes.Equal(back, h.Bytes()) {
		t.Fatalf("undone to %q, %v; want %q", back, ok, h.Bytes())
	}
	wrapped := out.Outer < len(out.Head)
	for _, e := range out.Edits {
		switch {
		case e.New == nil && e.Op == Remove, e.Field == "", e.Field == "X-Mailbox-Line":
			continue
		case e.New == nil || e.Op == Remove || (e.Op == Add) != (e.Old == nil):
			t.Fatalf("edit %v of %q: %q became %q", e.Op, e.Field, e.Old, e.New)
		}
		one := ParseHeader(append(slices.Clip(e.New), "\r\n"...))
		if len(one.fields) != 1 || len(one.fields[0].raw) != len(e.New) || !one.fields[0].is(strings.TrimRight(e.Field, " \t")) {
			t.Fatalf("edit of %q wrote %q", e.Field, e.New)
		}
		if bad := controls(e.New); bad > 0 && bad > controls(e.Old) && (!wrapped || bad > controls(h.Bytes())) {
			t.Fatalf("control in %q, which was %q", e.New, e.Old)
		}
	}
}

// controls counts the octets that must not be in a field.
func controls(raw []byte) (n int) {
	for i, c := range raw {
		if c < ' ' && c != '\r' && c != '\n' && c != '\t' || c == 0x7f || c == '\n' && (i == 0 || raw[i-1] != '\r') || c == '\r' && (i+1 == len(raw) || raw[i+1] != '\n') {
			n++
		}
	}
	return n
}

// checkSize: no post makes a header that is out of proportion.
func checkSize(t *testing.T, h Header, out Dressed, wrapped bool) {
	t.Helper()
	const ours, octets = 16, 8 << 10
	fields, size := len(h.fields)+ours, 3*h.Len()+octets
	if wrapped {
		fields, size = 2*fields, 2*size
	}
	got := ParseHeader(out.Head)
	if n := len(got.fields) + len(ParseHeader(out.Head[out.Outer:]).fields); n > fields {
		t.Fatalf("%d fields of %d", n, len(h.fields))
	}
	if len(out.Head) > size {
		t.Fatalf("%d octets of %d", len(out.Head), h.Len())
	}
}

// checkNames: a rewritten From names the list, and shows no address; there is one Reply-To.
func checkNames(t *testing.T, h, again Header, l lists.List, d Dressing) {
	t.Helper()
	if n := len(again.Values("Reply-To")); n > 1 {
		t.Fatalf("%d Reply-To", n)
	}
	rewritten := l.Settings.Anonymous || l.Settings.From == lists.FromList || l.Settings.From == lists.FromWrap ||
		l.Settings.From == lists.FromDMARC && d.Rewrite
	if !rewritten {
		if l.Settings.From == lists.FromKeep && !slices.Equal(Authors(h), Authors(again)) {
			t.Fatalf("authors were %v, are %v", Authors(h), Authors(again))
		}
		return
	}
	from := again.Values("From")
	if len(from) != 1 {
		t.Fatalf("From is %q", from)
	}
	if got := Authors(again); len(got) != 1 || got[0] != l.Address {
		t.Fatalf("From %q names %v, want %v", from, got, l.Address)
	}
	name, _, ok := strings.Cut(strings.TrimSuffix(from[0], l.Address.String()+">"), "<")
	if !ok || name == "" {
		return // the address alone
	}
	shownName := string(readWords([]byte(name)).text)
	if strings.ContainsFunc(shownName, atSign) || strings.ContainsFunc(shownName, unicode.IsControl) {
		t.Fatalf("From %q shows %q", from, shownName)
	}
}

// checkAnonymous: only what is allowed is left, and the author's address in none of it.
func checkAnonymous(t *testing.T, h, again Header, l lists.List) {
	t.Helper()
	allowed := append(listFieldNames(), "Received", "From", "Reply-To", "To", "Date", "Subject", "MIME-Version", "Content-Type",
		"Content-Transfer-Encoding", "Content-Disposition", "Content-Language", "Message-ID", "In-Reply-To", "References",
		"Archived-At", "Require-TLS-ESMTP")
	authors, _ := h.mailboxesOf("From", maxNamed)
	for _, f := range again.fields {
		if !slices.ContainsFunc(allowed, f.is) {
			t.Fatalf("%q is left", f.raw)
		}
		shownValue := folded(shown(readWords(f.raw[f.value:]).text))
		for _, a := range authors {
			own := a.address.Key() == l.Address.Key() || strings.Contains(a.address.Local, `"`) || f.is("Content-Type")
			for _, s := range []string{l.Settings.Description, l.Settings.SubjectPrefix, l.Settings.ReplyTo, l.Address.String(), "mx.example.org"} {
				s = shown([]byte(s))
				own = own || strings.Contains(folded(s), folded(a.address.String())) || strings.Contains(folded(a.address.String()), folded(s)) && s != ""
			}
			if !own && strings.Contains(shownValue, folded(a.address.String())) {
				t.Fatalf("%q names %v", f.raw, a.address)
			}
		}
	}
}

// checkUntouched: what no edit names is there as it came, in its order.
func checkUntouched(t *testing.T, h, again Header, edits []Edit) {
	t.Helper()
	touched := map[string]int{}
	for _, e := range edits {
		if e.Op == Add {
			touched[string(e.New)]++
		} else {
			touched[string(e.Old)]++
			touched[string(e.New)]++
		}
	}
	var want, got []string
	for _, f := range h.fields {
		if touched[string(f.raw)] == 0 && f.name > 0 {
			want = append(want, string(endLine(f.raw)))
		}
	}
	for _, f := range again.fields {
		if touched[string(f.raw)] == 0 && !strings.HasPrefix(string(f.raw), "X-Mailbox-Line: ") {
			got = append(got, string(f.raw))
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("untouched fields are %q, want %q", got, want)
	}
}

// everyList is one list for each way to dress a post.
func everyList(tb testing.TB) map[string]lists.List {
	tb.Helper()
	all := map[string]lists.List{}
	for _, from := range []string{lists.FromKeep, lists.FromDMARC, lists.FromList, lists.FromWrap} {
		for _, replyTo := range []string{"author", "list", "else@example.com"} {
			for _, more := range []string{"", "subject_prefix=[team]", "subject_prefix=[équipe]", "anonymous=on", "keep_dkim=off", "archive_url=https://a.example.org/{hash}"} {
				settings := []string{"description=Tea & talk", "from=" + from, "reply_to=" + replyTo}
				if more != "" {
					settings = append(settings, more)
				}
				all[strings.Join(settings[1:], " ")] = testList(tb, "team@lists.example.org", settings...)
			}
		}
	}
	return all
}

func TestDressSamples(t *testing.T) {
	t.Parallel()
	all := everyList(t)
	for name, raw := range samples(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for how, l := range all {
				t.Log(how)
				checkDress(t, ParseHeader(raw), l, testTrace(t), Dressing{Rewrite: true, Unsubscribe: "https://lists.example.org/u/x"})
			}
		})
	}
}

// FuzzDress: whatever the header, the list, its settings and the client are, the laws hold.
func FuzzDress(f *testing.F) {
	i := uint16(0)
	for _, raw := range samples(f) {
		if len(raw) < 4096 {
			f.Add(raw, "Tea & talk", "team", "[team]", "", i)
			i += 37
		}
	}
	f.Add([]byte("List-Id: x\r"), "Grüße\r\nBcc: x", "a b\"c", "a\r\nb)(", "Ann", uint16(3))
	f.Add([]byte("From \r"), strings.Repeat("long ", 50), "ä%", strings.Repeat("x", 300), "boss@example.com", uint16(7))
	f.Add([]byte("From: =?utf-8?q?a=0D=0ABcc:_x@y?= <a@b>\r\nSubject: =?koi8-r?B?79TXOiD0xdPU?=\r\nReply-To: x@y, \"z\" <z@b>\r\nReply-To: q@b\r\nCc: a@b,\r\n\r\n"), "d", "team", "[é]", "=?utf-8?q?=0D=0A?=", uint16(2))
	f.Add([]byte("From: a@b.c (A (b) c), =?x?q?y?= <d@e>\r\nSubject: Re: =?iso-2022-jp?B?GyRCMnEbKEI=?= =?utf-8?q??=x\r\nSubject:\r\nReferences: <a@b> <c@d\r\nMessage-Id: x@y\r\n\r\n"), "", "list", "t:", "", uint16(0x1fff))
	f.Add([]byte("From: Ann <ann@example.net>\r\nSubject: =?utf-8?q?call_ANN=40example.net?=\r\nContent-Disposition: attachment; filename=ann@example.net\r\n\r\n"), "Team", "team", "x", "", uint16(1<<4))
	f.Fuzz(func(t *testing.T, raw []byte, description, local, prefix, name string, how uint16) {
		a := lists.Address{Local: local, Domain: "lists.example.org"}
		if b, err := lists.ParseAddress(a.String()); err != nil || a != b || len(description) > 400 || len(prefix) > 120 || len(name) > 400 {
			return // no setting would have it
		}
		s := lists.DefaultSettings()
		s.Description, s.SubjectPrefix = description, prefix
		s.From = []string{lists.FromKeep, lists.FromDMARC, lists.FromList, lists.FromWrap}[how&3]
		s.ReplyTo = []string{lists.ReplyToAuthor, lists.ReplyToList, "else@example.com", "x"}[how>>2&3]
		s.Anonymous, s.KeepDKIM = how&(1<<4) != 0, how&(1<<5) == 0
		if how&(1<<6) != 0 {
			s.ArchiveURL = "https://a.example.org/"
		}
		tr := Trace{Hostname: "mx.example.org", SID: name, Client: name, Helo: name, Proto: "ESMTP", For: a, Time: time.Unix(0, 0).UTC()}
		d := Dressing{AuthorName: name, Rewrite: how&(1<<7) != 0, EightBit: how&(1<<8) != 0}
		if how&(1<<11) != 0 {
			d.Unsubscribe = "https://" + name
		} else if how&(1<<10) != 0 {
			d.Unsubscribe = "https://lists.example.org/u/x"
		}
		if how&(1<<9) != 0 {
			d.Results = "mx.example.org; spf=pass smtp.mailfrom=" + name
		}
		checkDress(t, ParseHeader(raw), lists.List{Address: a, Settings: s}, tr, d)
	})
}
