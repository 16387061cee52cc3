package wire

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParseMail(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in string
		want     Path
		params   []Param
		err      error
	}{
		{"plain", "FROM:<a@b.example>", Path{Mailbox: "a@b.example"}, nil, nil},
		{"null", "FROM:<>", Path{Null: true}, nil, nil},
		{"null with blanks inside", "from: < > SIZE=1", Path{Null: true}, []Param{{"SIZE", "1", true}}, nil},
		{"any case, blank after the colon", "from: <a@b>", Path{Mailbox: "a@b"}, nil, nil},
		{"tab after the colon", "From:\t<a@b>\tsize=1", Path{Mailbox: "a@b"}, []Param{{"SIZE", "1", true}}, nil},
		{"no brackets", "FROM:a@b SIZE=1", Path{Mailbox: "a@b"}, []Param{{"SIZE", "1", true}}, nil},
		{"no brackets, quoted blank", `FROM:"a b"@c SIZE=1`, Path{Mailbox: `"a b"@c`}, []Param{{"SIZE", "1", true}}, nil},
		{"Postfix's own", "FROM:<a@b.test> SIZE=1000 BODY=8BITMIME RET=HDRS ENVID=xyz+2B", Path{Mailbox: "a@b.test"},
			[]Param{{"SIZE", "1000", true}, {"BODY", "8BITMIME", true}, {"RET", "HDRS", true}, {"ENVID", "xyz+2B", true}}, nil},
		{"a value with =", "FROM:<a@b> XVERP=-=", Path{Mailbox: "a@b"}, []Param{{"XVERP", "-=", true}}, nil},
		{"without a value", "FROM:<a@b>  XVERP smtputf8 ", Path{Mailbox: "a@b"}, []Param{{"XVERP", "", false}, {"SMTPUTF8", "", false}}, nil},
		{"empty value", "FROM:<a@b> SIZE=", Path{Mailbox: "a@b"}, []Param{{"SIZE", "", true}}, nil},
		{"source route", "FROM:<@one.example,@[IPv6:::1]:a@b>", Path{Mailbox: "a@b"}, nil, nil},
		{"UTF-8", "FROM:<jürgen@müller.example>", Path{Mailbox: "jürgen@müller.example"}, nil, nil},
		{"literal", "FROM:<a@[IPv6:2001:db8::1]>", Path{Mailbox: "a@[IPv6:2001:db8::1]"}, nil, nil},
		{"backslash in a local part", `FROM:<DOMAIN\user@b>`, Path{Mailbox: `DOMAIN\user@b`}, nil, nil},
		{"quoted bracket", `FROM:<"a> NOTIFY=NEVER"@d>`, Path{Mailbox: `"a> NOTIFY=NEVER"@d`}, nil, nil},
		{"quoted quote", `FROM:<"a\" > b"@d> SIZE=1`, Path{Mailbox: `"a\" > b"@d`}, []Param{{"SIZE", "1", true}}, nil},
		{"not FROM", "TO:<a@b>", Path{}, nil, ErrSyntax},
		{"blank before the colon", "FROM :<a@b>", Path{}, nil, ErrSyntax},
		{"nothing", "", Path{}, nil, ErrSyntax},
		{"no address", "FROM:", Path{}, nil, ErrPath},
		{"no end", "FROM:<a@b", Path{}, nil, ErrPath},
		{"no end of quotes", `FROM:<"a@b>`, Path{}, nil, ErrPath},
		{"no end of quotes, no brackets", `FROM:"a@b`, Path{}, nil, ErrPath},
		{"escaped end", `FROM:<a\>`, Path{}, nil, ErrPath},
		{"escape at the end", `FROM:a\`, Path{}, nil, ErrPath},
		{"escaped blank outside quotes", `FROM:<a\ b@c>`, Path{}, nil, ErrPath},
		{"escaped bracket outside quotes", `FROM:<a\> SIZE=1 b@c>`, Path{}, nil, ErrPath},
		{"escaped quote outside quotes", `FROM:<a\"b@c>`, Path{}, nil, ErrPath},
		{"nested", "FROM:<<a@b>>", Path{}, nil, ErrPath},
		{"bracket in the middle", "FROM:a<b@c>", Path{}, nil, ErrPath},
		{"blank outside quotes", "FROM:<a b@c>", Path{}, nil, ErrPath},
		{"route only", "FROM:<@a.example:>", Path{}, nil, ErrPath},
		{"domain only", "FROM:<@a.example>", Path{}, nil, ErrPath},
		{"two routes", "FROM:<@a:@b:c@d>", Path{}, nil, ErrPath},
		{"quotes in a route", `FROM:<@"a:b>`, Path{}, nil, ErrPath},
		{"NUL", "FROM:<a\x00@b>", Path{}, nil, ErrPath},
		{"CR in quotes", "FROM:<\"a\rb\"@b>", Path{}, nil, ErrPath},
		{"tab in quotes", "FROM:<\"a\tb\"@b>", Path{}, nil, ErrPath},
		{"control in the route", "FROM:<@a\x01:a@b>", Path{}, nil, ErrPath},
		{"text after the bracket", "FROM:<a@b>SIZE=1", Path{}, nil, ErrSyntax},
		{"CR after the bracket", "FROM:<a@b>\r", Path{}, nil, ErrSyntax},
		{"parameter without a name", "FROM:<a@b> =1", Path{}, nil, ErrSyntax},
		{"parameter with a bad name", "FROM:<a@b> SI;ZE=1", Path{}, nil, ErrSyntax},
		{"control in a value", "FROM:<a@b> ENVID=a\x7f", Path{}, nil, ErrSyntax},
		{"LF in a value", "FROM:<a@b> ENVID=a\nRCPT", Path{}, nil, ErrSyntax},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path, params, err := ParseMail(tt.in)
			if path != tt.want || !reflect.DeepEqual(params, tt.params) || !errors.Is(err, tt.err) {
				t.Errorf("ParseMail(%q) = %+v, %+v, %v, want %+v, %+v, %v", tt.in, path, params, err, tt.want, tt.params, tt.err)
			}
		})
	}
}

func TestParseRcpt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in, want string
		params   int
		err      error
	}{
		{"TO:<postmaster>", "postmaster", 0, nil},
		{"to: <root>", "root", 0, nil},
		{"TO:Postmaster", "Postmaster", 0, nil},
		{"to: <l1@lists.test> NOTIFY=FAILURE ORCPT=rfc822;l1@lists.test", "l1@lists.test", 2, nil},
		{"TO:<@relay.example:a@b>", "a@b", 0, nil},
		{`TO:<"a> NOTIFY=NEVER ORCPT=rfc822;x"@d.test>`, `"a> NOTIFY=NEVER ORCPT=rfc822;x"@d.test`, 0, nil},
		{"TO:<>", "", 0, ErrPath},
		{"FROM:<a@b>", "", 0, ErrSyntax},
	} {
		path, params, err := ParseRcpt(tt.in)
		if path.Mailbox != tt.want || path.Null || len(params) != tt.params || !errors.Is(err, tt.err) {
			t.Errorf("ParseRcpt(%q) = %+v, %v, %v, want %q", tt.in, path, params, err, tt.want)
		}
	}
}

func TestParseVrfyArg(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in, want string
		err      error
	}{
		{"Crispin", "Crispin", nil},
		{"a@b.example", "a@b.example", nil},
		{"<a@b>", "a@b", nil},
		{"  <a@b>  ", "a@b", nil},
		{"Ann Example <a@b>", "a@b", nil},
		{`"Ann <x@y> Example" <a@b>`, "a@b", nil},
		{`"a b"@c`, `"a b"@c`, nil},
		{"jürgen@b SMTPUTF8", "jürgen@b", nil},
		{"<jürgen@b> smtputf8", "jürgen@b", nil},
		{"SMTPUTF8", "SMTPUTF8", nil},
		{"", "", ErrSyntax},
		{" \t", "", ErrSyntax},
		{"<>", "", ErrPath},
		{"Ann Example", "", ErrSyntax},
		{"<a@b> c", "", ErrSyntax},
		{"a > b", "", ErrSyntax},
		{"a> <b@c>", "b@c", nil},
		{`"a`, "", ErrPath},
		{`a> "b`, "", ErrPath},
		{`a> > <b@c>`, "b@c", nil},
		{"Ann\x00 <a@b>", "", ErrPath},
		{"<a\r@b>", "", ErrPath},
	} {
		got, err := ParseVrfyArg(tt.in)
		if got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("ParseVrfyArg(%q) = %q, %v, want %q, %v", tt.in, got, err, tt.want, tt.err)
		}
	}
}

// postfixWords cuts a line as Postfix's smtpd does: blanks part words, but not
// after a backslash, inside quotes or inside "<>" (which nests), and "FROM:" and
// "TO:" are words of their own.
func postfixWords(line string) (words []string, ok bool) {
	var word []byte
	var open []byte // what closes what is open
	end := func() {
		if len(word) > 0 {
			words = append(words, string(word))
		}
		word = nil
	}
	for i := 0; i < len(line); i++ {
		c, inside := line[i], byte(0)
		if len(open) > 0 {
			inside = open[len(open)-1]
		}
		if inside == 0 && strings.IndexByte(" \t\r\n\v\f", c) >= 0 {
			end()
			continue
		}
		word = append(word, c)
		switch {
		case c == '\\':
			if i++; i < len(line) {
				word = append(word, line[i])
			}
		case c == inside:
			open = open[:len(open)-1]
		case c == '"' && inside != '"':
			open = append(open, '"')
		case c == '<' && inside != '"':
			open = append(open, '>')
		case c == ':' && inside == 0 && (strings.EqualFold(string(word), "from:") || strings.EqualFold(string(word), "to:")):
			end()
		}
	}
	end()
	return words, len(open) == 0
}

func FuzzMail(f *testing.F) {
	seedPaths(f, "FROM:")
	f.Fuzz(func(t *testing.T, in string) {
		path, params, err := ParseMail(in)
		checkPath(t, "FROM:", path, params, err, ParseMail)
	})
}

func FuzzRcpt(f *testing.F) {
	seedPaths(f, "TO:")
	f.Fuzz(func(t *testing.T, in string) {
		path, params, err := ParseRcpt(in)
		if err == nil && path.Null {
			t.Fatal("a null recipient")
		}
		checkPath(t, "TO:", path, params, err, ParseRcpt)
	})
}

func FuzzVrfy(f *testing.F) {
	seedPaths(f, "")
	f.Fuzz(func(t *testing.T, in string) {
		mailbox, err := ParseVrfyArg(in)
		checkPath(t, "TO:", Path{Mailbox: mailbox}, nil, err, ParseRcpt)
	})
}

func seedPaths(f *testing.F, word string) {
	for _, s := range []string{
		"<a@b>", "<>", " < a@b > SIZE=1 XVERP=-=", `<"a> NOTIFY=NEVER"@d>`, `"a b"@c X`, `<@a,@[IPv6:::1]:b@c>`, `<a\\@b>`, `<a\b@c>`,
		`<"\"> X"@d>`, "a\\", "<jürgen@müller.example> SMTPUTF8", `Ann "<" <a@b>`, `<"a"b"c d"@e>`, "<(a@b>", `<"a\\"@b> "X"=1`,
	} {
		f.Add(word + s)
	}
}

// checkPath holds the law: a mailbox that we took, written between "<" and ">"
// with a parameter behind it, is that mailbox and that parameter again, for us
// and for Postfix, whatever a stranger put in it.
func checkPath(t *testing.T, word string, path Path, params []Param, err error, parse func(string) (Path, []Param, error)) {
	t.Helper()
	if err != nil {
		if path != (Path{}) || params != nil || errors.Is(err, ErrSyntax) == errors.Is(err, ErrPath) {
			t.Fatalf("%+v, %v beside error %v", path, params, err)
		}
		return
	}
	if path.Null != (path.Mailbox == "") || hasControl(path.Mailbox) {
		t.Fatalf("path %+v", path)
	}
	for _, p := range params {
		if p.Key == "" || strings.ContainsAny(p.Key+p.Value, " \t\r\n\x00\x7f") || !p.Given && p.Value != "" || p.Key != upper(p.Key) {
			t.Fatalf("parameter %+v", p)
		}
	}
	line := word + "<" + path.Mailbox + "> SIZE=7"
	again, params, err := parse(line)
	if again != path || len(params) != 1 || params[0] != (Param{"SIZE", "7", true}) || err != nil {
		t.Fatalf("%q is read as %+v, %v, %v", line, again, params, err)
	}
	words, ok := postfixWords(line)
	if !ok || len(words) != 3 || words[1] != "<"+path.Mailbox+">" || words[2] != "SIZE=7" {
		t.Fatalf("Postfix reads %q as %q, %v", line, words, ok)
	}
}
