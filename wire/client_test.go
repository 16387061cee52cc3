package wire

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// The words of a real EHLO reply of Postfix 3.7.
func xforwardWords() []string {
	return strings.Fields("NAME ADDR PROTO HELO SOURCE PORT IDENT")
}

func xclientWords() []string {
	return strings.Fields("NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT")
}

func TestForward(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in string
		want     ClientInfo
	}{
		{"Postfix's own", "NAME=localhost ADDR=127.0.0.1 PORT=48866 HELO=client.example IDENT=[UNAVAILABLE] PROTO=ESMTP SOURCE=LOCAL",
			ClientInfo{Name: "localhost", Addr: "127.0.0.1", Port: "48866", Helo: "client.example", Ident: Unavailable, Proto: "ESMTP", Source: "LOCAL"}},
		{"any case", "name=a.example Source=remote ident=[unavailable]", ClientInfo{Name: "a.example", Source: "REMOTE", Ident: Unavailable}},
		{"IPv6", "ADDR=IPv6:2001:DB8::1", ClientInfo{Addr: "2001:db8::1"}},
		{"IPv6 without its prefix", "ADDR=::1", ClientInfo{Addr: "::1"}},
		{"xtext", "HELO=hh+2B=+C3+A9", ClientInfo{Helo: "hh+=é"}},
		{"not xtext: raw", "HELO=a+zz", ClientInfo{Helo: "a+zz"}},
		{"unknown attributes", "FLAVOUR=sweet NAME=a.example LOGIN=ann", ClientInfo{Name: "a.example"}},
		{"bad values", "NAME=10.0.0.1 ADDR=localhost PORT=x PROTO=a+01 HELO=a+0D+0Ab IDENT= SOURCE=MOON",
			ClientInfo{Name: Unavailable, Addr: Unavailable, Port: Unavailable, Proto: Unavailable, Helo: Unavailable, Ident: Unavailable, Source: Unavailable}},
		{"no value", "NAME ADDR", ClientInfo{Name: Unavailable, Addr: Unavailable}},
		{"the later one holds", "IDENT=a IDENT=b", ClientInfo{Ident: "b"}},
		{"capped", "HELO=" + strings.Repeat("h", 1500), ClientInfo{Helo: strings.Repeat("h", 1024)}},
		{"a zone is no address", "ADDR=IPv6:fe80::1%25eth0", ClientInfo{Addr: Unavailable}},
		{"IPv6: before IPv4", "ADDR=IPv6:127.0.0.1", ClientInfo{Addr: Unavailable}},
		{"temporarily unknown", "NAME=[TEMPUNAVAIL]", ClientInfo{Name: Unavailable}},
		{"nothing", "", ClientInfo{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var c ClientInfo
			if c.Forward(tt.in); c != tt.want {
				t.Errorf("Forward(%.60q) = %+v, want %+v", tt.in, c, tt.want)
			}
		})
	}
}

func TestForwardAddsUp(t *testing.T) {
	t.Parallel()
	var c ClientInfo
	c.Forward("NAME=a.example ADDR=192.0.2.1")
	c.Forward("PROTO=ESMTP HELO=x")
	if want := (ClientInfo{Name: "a.example", Addr: "192.0.2.1", Proto: "ESMTP", Helo: "x"}); c != want {
		t.Errorf("two commands gave %+v, want %+v", c, want)
	}
}

func TestOverride(t *testing.T) {
	t.Parallel()
	before := ClientInfo{Name: "before.example", Helo: "before"}
	for _, tt := range []struct {
		name, in string
		want     ClientInfo
		ok       bool
	}{
		{"all", "NAME=a.example REVERSE_NAME=b.example ADDR=192.0.2.5 PORT=25 PROTO=esmtp HELO=h LOGIN=ann+40b DESTADDR=IPv6:::1 DESTPORT=587",
			ClientInfo{Name: "a.example", ReverseName: "b.example", Addr: "192.0.2.5", Port: "25", Proto: "ESMTP", Helo: "h", Login: "ann@b", DestAddr: "::1", DestPort: "587"}, true},
		{"what is not given stays", "addr=IPv6:::1", ClientInfo{Name: "before.example", Helo: "before", Addr: "::1"}, true},
		{"unknown", "NAME=[TEMPUNAVAIL] HELO=[UNAVAILABLE]", ClientInfo{Name: Unavailable, Helo: Unavailable}, true},
		{"nothing", " ", before, false},
		{"unknown attribute", "NAME=a.example FLAVOUR=sweet", before, false},
		{"XFORWARD only", "IDENT=x", before, false},
		{"no value", "HELO", before, false},
		{"empty value", "HELO=", before, false},
		{"bad name", "NAME=-a.example", before, false},
		{"numeric name", "NAME=10.0.0.1", before, false},
		{"empty label", "NAME=a..example", before, false},
		{"bad address", "ADDR=192.0.2", before, false},
		{"IPv6 without its prefix", "ADDR=::1", before, false},
		{"bad protocol", "PROTO=LMTP", before, false},
		{"bad port", "PORT=123456", before, false},
		{"a control", "LOGIN=a+00", before, false},
		{"too long", "HELO=" + strings.Repeat("h", 256), before, false},
		{"longest", "HELO=" + strings.Repeat("h", 255), ClientInfo{Name: "before.example", Helo: strings.Repeat("h", 255)}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := before
			err := c.Override(tt.in)
			if c != tt.want || (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrSyntax) {
				t.Errorf("Override(%.60q) = %+v, %v, want %+v, ok %v", tt.in, c, err, tt.want, tt.ok)
			}
		})
	}
}

func TestAppendXForward(t *testing.T) {
	t.Parallel()
	full := ClientInfo{Name: "spike.example.org", Addr: "2001:db8::1", Port: "4711", Proto: "ESMTP", Helo: "a b", Ident: "ABC123", Source: "REMOTE"}
	long := strings.Repeat("é", 100)
	for _, tt := range []struct {
		name    string
		in      ClientInfo
		offered []string
		want    string
	}{
		{"in order", full, xforwardWords(), "XFORWARD NAME=spike.example.org ADDR=IPv6:2001:db8::1 PORT=4711 PROTO=ESMTP HELO=a+20b IDENT=ABC123 SOURCE=REMOTE\r\n"},
		{"only what is offered", full, []string{"ADDR", "HELO"}, "XFORWARD ADDR=IPv6:2001:db8::1 HELO=a+20b\r\n"},
		{"nothing offered", full, nil, ""},
		{"unknown is said", ClientInfo{Addr: "192.0.2.1"}, []string{"NAME", "ADDR"}, "XFORWARD NAME=[UNAVAILABLE] ADDR=192.0.2.1\r\n"},
		{"what Postfix would refuse", ClientInfo{Name: "é.example", Addr: "x", Port: "1 2", Proto: strings.Repeat("p", 65), Helo: "a\nb", Ident: strings.Repeat("i", 256), Source: "X"},
			xforwardWords(), "XFORWARD NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE] PORT=[UNAVAILABLE] PROTO=[UNAVAILABLE] HELO=[UNAVAILABLE] IDENT=[UNAVAILABLE] SOURCE=[UNAVAILABLE]\r\n"},
		{"a HELO that would hide the rest", ClientInfo{Helo: `<x "\`, Ident: "A"}, []string{"HELO", "IDENT"}, "XFORWARD HELO=+3Cx+20+22+5C IDENT=A\r\n"},
		{"never cut inside an encoded octet", ClientInfo{Helo: "h" + long}, []string{"HELO"}, "XFORWARD HELO=h" + strings.Repeat("+C3+A9", 42) + "\r\n"},
		{"cut and split", ClientInfo{Name: strings.Repeat("n.", 127) + "n", Helo: long, Ident: strings.Repeat("i", 250)}, []string{"NAME", "HELO", "IDENT"},
			"XFORWARD NAME=" + strings.Repeat("n.", 127) + "n\r\nXFORWARD HELO=" + strings.Repeat("+C3+A9", 42) + "+C3\r\nXFORWARD IDENT=" + strings.Repeat("i", 250) + "\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := string(tt.in.AppendXForward([]byte("x"), tt.offered))
			if got != "x"+tt.want {
				t.Errorf("AppendXForward = %q, want %q", got, tt.want)
			}
			if n := CountLines([]byte(tt.want)); n != strings.Count(tt.want, "XFORWARD") {
				t.Errorf("CountLines = %d in %q", n, tt.want)
			}
		})
	}
}

func TestAppendXClient(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		in   ClientInfo
		want string
	}{
		{"address last", ClientInfo{Name: "a.example", Addr: "::1", Port: "1", Proto: "ESMTP", Helo: "h", Login: "ann", ReverseName: "b.example", DestAddr: "192.0.2.1", DestPort: "25", Ident: "x", Source: "LOCAL"},
			"XCLIENT PORT=1 PROTO=ESMTP HELO=h LOGIN=ann DESTADDR=192.0.2.1 DESTPORT=25 REVERSE_NAME=b.example NAME=a.example ADDR=IPv6:::1\r\n"},
		{"an address never keeps another name", ClientInfo{Addr: "192.0.2.1"}, "XCLIENT NAME=[UNAVAILABLE] ADDR=192.0.2.1\r\n"},
		{"an unknown protocol is not said", ClientInfo{Proto: Unavailable, Helo: Unavailable}, "XCLIENT HELO=[UNAVAILABLE]\r\n"},
		{"LMTP is none that Postfix takes", ClientInfo{Proto: "LMTP"}, ""},
		{"nothing known", ClientInfo{}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := string(tt.in.AppendXClient(nil, xclientWords())); got != tt.want {
				t.Errorf("AppendXClient = %q, want %q", got, tt.want)
			}
		})
	}
}

// FuzzClientInfo: whatever the hop before us says, what we send is lines that
// Postfix cuts as we meant, and says of the client what we kept of it.
func FuzzClientInfo(f *testing.F) {
	f.Add("NAME=localhost ADDR=127.0.0.1 PORT=48866 HELO=client.example IDENT=[UNAVAILABLE] PROTO=ESMTP SOURCE=LOCAL", "a", "b")
	f.Add("HELO=<x+22+5C ADDR=IPv6:::1", "\r\nMAIL FROM:<x>", strings.Repeat("é+", 600))
	f.Add("NAME=a_b.c HELO="+strings.Repeat("+00", 90), "[tempunavail]", "IPv6:::ffff:1.2.3.4")
	f.Fuzz(func(t *testing.T, args, a, b string) {
		var c ClientInfo
		c.Forward(args)
		checkSent(t, c)
		checkSent(t, ClientInfo{a, b, a, b, a, b, a, b, a, b, a}) // fields that no parser has seen
		if c.Override(args) == nil {
			checkSent(t, c)
		}
	})
}

func checkSent(t *testing.T, c ClientInfo) {
	t.Helper()
	forward := c.AppendXForward(nil, xforwardWords())
	client := c.AppendXClient(nil, xclientWords())
	checkCommands(t, string(forward))
	checkCommands(t, string(client))

	var heard ClientInfo
	for line := range strings.SplitSeq(string(forward), "\r\n") {
		heard.Forward(strings.TrimPrefix(line, "XFORWARD"))
	}
	if again := heard.AppendXForward(nil, xforwardWords()); string(again) != string(forward) {
		t.Fatalf("%+v\nsent %q\nheard and sent on %q", c, forward, again)
	}
	for line := range strings.SplitSeq(string(client), "\r\n") {
		if err := heard.Override(strings.TrimPrefix(line, "XCLIENT")); line != "" && err != nil {
			t.Fatalf("%+v\nsent %q: %v", c, line, err)
		}
	}
}

func checkCommands(t *testing.T, s string) {
	t.Helper()
	lines := strings.SplitAfter(s, "\r\n")
	if last := lines[len(lines)-1]; last != "" {
		t.Fatalf("unfinished %q", last)
	}
	for _, line := range lines[:len(lines)-1] {
		text := strings.TrimSuffix(line, "\r\n")
		if len(line) > maxCommandLine || hasControl(text) || !strings.HasPrefix(text, "XFORWARD ") && !strings.HasPrefix(text, "XCLIENT ") {
			t.Fatalf("line of %d octets: %q", len(line), line)
		}
		ours := strings.Split(text, " ")
		if words, ok := postfixWords(text); !ok || !slices.Equal(words, ours) {
			t.Fatalf("Postfix reads %q as %q", text, words)
		}
		for _, word := range ours[1:] {
			if _, value, ok := strings.Cut(word, "="); !ok || value == "" || len(value) > maxAttribute {
				t.Fatalf("attribute %q", word)
			}
		}
	}
}
