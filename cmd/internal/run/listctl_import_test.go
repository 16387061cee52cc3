package run

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"superlistd/lists"
)

// What other list managers write is read as it is.
func TestForeignForms(t *testing.T) {
	t.Parallel()
	const both = "Ann Lee <ann@example.org>|bob@example.org|"
	for _, tt := range []struct{ name, in, want, errs string }{
		{"addresses", "ann@example.org\nbob@example.org\n", "ann@example.org|bob@example.org|", ""},
		{"Mailman, with names", "Ann Lee <ann@example.org>\nbob@example.org\n", both, ""},
		{"Mailman 3, a name beyond ASCII", "=?utf-8?q?Zo=C3=AB_Lee?= <zoe@example.org>\n", "Zoë Lee <zoe@example.org>|", ""},
		{"an unknown charset stays as it is", "=?x-klingon?q?a?= <zoe@example.org>\n", `"=?x-klingon?q?a?=" <zoe@example.org>|`, ""},
		{"an encoded word in quotes is none", `"=?utf-8?q?a?=" <zoe@example.org>`, `"=?utf-8?q?a?=" <zoe@example.org>|`, ""},
		{"no line end in an encoded word", "=?utf-8?q?a=0D=0ABcc:?= <zoe@example.org>\n", "", `line 1: zoe@example.org: the name "a\r\nBcc:" holds characters that no name may`},
		{"Sympa, address and name", "# all\nann@example.org   Ann Lee\nbob@example.org\n", both, ""},
		{"quoted local part and name", `"a b"@example.org Ann Lee`, `Ann Lee <"a b"@example.org>|`, ""},
		{"two addresses in a line", "ann@example.org bob@example.org\n", "", `line 1: "ann@example.org bob@example.org": not a valid address: ' ' in domain`},
		{"Sympa's dump", "date 1700000000\nemail ann@example.org\ngecos Ann Lee\nreception digest\nsubscribed 1\nvisibility noconceal\n\n\nemail bob@example.org\nreception mail\n\n",
			"Ann Lee <ann@example.org>  # gets digests: digest|bob@example.org|", ""},
		{"digests", "address,reception\na@x,digest\nb@x,digestplain\nc@x,plaintext_digests\nd@x,Abridged\ne@x,urlize\n",
			"a@x  # gets digests: digest|b@x  # gets digests: plain|c@x  # gets digests: plain|d@x  # gets digests: digest|e@x|", ""},
		{"Sympa's dump with somebody who gets no mail", "email ann@example.org\nreception nomail\n\nemail bob@example.org\n",
			"ann@example.org  # gets no posts: nomail|bob@example.org|", ""},
		{"Sympa's dump with a paragraph that is not whole", "date 1\n\nemail bob@\n", "", "line 1: there is no address\n" + `line 3: "bob@": not a valid address: no domain`},
		{"a person who is called like a key", "date nut <nut@example.org>\n", "date nut <nut@example.org>|", ""},
		{"Google Groups", "Members for group team\nEmail address,Nickname,Group status,Email status,Email preference,Posting permissions,Join year\n" +
			"ann@example.org,Ann Lee,member,,Email,allowed,2020\nbob@example.org,,owner,,Digest,allowed,2020\n",
			"Ann Lee <ann@example.org>|bob@example.org  # gets digests: digest|", ""},
		{"Google Groups, somebody who gets no mail", "Email address,Nickname,Email preference\nann@example.org,Ann Lee,No email\nbob@example.org,,Email\n",
			"Ann Lee <ann@example.org>  # gets no posts: nomail|bob@example.org|", ""},
		{"Google's directory", "Group Email [Required],Member Email,Member Type,Member Role\nteam@example.com,bob@example.org,USER,MEMBER\n", "bob@example.org|", ""},
		{"a spreadsheet", "\ufeffName;E-Mail\n\"Lee, Ann\";ann@example.org\nBob;bob@example.org\n", `"Lee, Ann" <ann@example.org>|Bob <bob@example.org>|`, ""},
		{"tabs, and values of two lines", "gecos\temail\n\"Ann\n\"\tann@example.org\nBob\tbob@\n", "Ann <ann@example.org>|", `line 4: "bob@": not a valid address: no domain`},
		{"one column", "email\r\nann@example.org\r\n\r\nbob@example.org\r\n", "ann@example.org|bob@example.org|", ""},
		{"a row that is too short", "name,email\nAnn\nBob,bob@example.org\n", "Bob <bob@example.org>|", "line 2: there is no address"},
		{"quotes that do not close", "name,email\nBob,bob@example.org\n\"Ann,ann@example.org\n", "Bob <bob@example.org>|", "line 3: extraneous or missing \" in quoted-field; nothing behind it was read"},
		{"a table without addresses", "name,phone\nAnn,1\n", "", `line 1: "name,phone": not a valid address: ',' must be quoted` + "\n" + `line 2: "Ann,1": not a valid address: ',' must be quoted`},
		{"the list itself", "email\nteam@example.org\n", "", "line 2: team@example.org: a list cannot be a member of itself"},
		{"nothing", "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := readForeign(t, tt.in)
			got := ""
			for _, m := range in.all {
				got += memberLine(m, time.Now()) + "|"
			}
			errs := ""
			if err := errors.Join(in.errs...); err != nil {
				errs = err.Error()
			}
			if got != tt.want || errs != tt.errs {
				t.Errorf("%s\nwant %s\nerrors %s\nwant   %s", got, tt.want, errs, tt.errs)
			}
		})
	}
}

func readForeign(t *testing.T, text string) members {
	t.Helper()
	list, err := lists.ParseAddress("team@example.org")
	if err != nil {
		t.Fatal(err)
	}
	in := members{list: list}
	in.read(strings.NewReader(text))
	return in
}

func TestForeignFormsThatBreakOff(t *testing.T) {
	t.Parallel()
	for begin, want := range map[string]string{
		"email,name\nann@example.org,Ann\n": "standard input, line 3: lost",
		"email,name\n":                      "standard input, line 2: lost",
		"email ann@example.org\n\n":         "standard input, line 3: lost",
		"":                                  "standard input, line 1: lost",
	} {
		var in members
		in.read(io.MultiReader(strings.NewReader(begin), readerFunc(func([]byte) (int, error) { return 0, errors.New("lost") })))
		if err := errors.Join(in.errs...); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", begin, err, want)
		}
	}
}

// FuzzForeignForms holds that whatever form members were read from, they are the same when read from what "members" prints,
// but for options, which are not in that form.
func FuzzForeignForms(f *testing.F) {
	for _, seed := range []string{
		"ann@example.org Ann\n", "email,name\nann@example.org,\"A, \"\"B\"\"\"\n", "x\nE-mail;Nickname\na@b;#\n", "date 1\nemail a@b\ngecos =?utf-8?q?x?=\n\n",
		"email,reception,name\na@b,nomail,\"# \"\"x\"\n", "email a@b\nreception nomail\ngecos #\n",
		"=?utf-8?q?=3D=3Futf-8=3Fq=3Fx=3F=3D?= <a@b>\n", "email\n\"\n", "gecos\temail\n\"a\n\"\ta@b\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first := readForeign(t, text)
		var printed strings.Builder
		for _, m := range first.all {
			line := memberLine(m, time.Now())
			if strings.ContainsAny(line, "\r\n") {
				t.Fatalf("a member of two lines: %q", line)
			}
			printed.WriteString(line + "\n")
		}
		for i := range first.all {
			first.all[i].Delivery = lists.DeliveryMail
		}
		var again members
		again.readLines(strings.NewReader(printed.String()))
		if len(again.errs) > 0 || !reflect.DeepEqual(first.all, again.all) {
			t.Fatalf("%+v is printed\n%sand read as %+v, %v", first.all, printed.String(), again.all, again.errs)
		}
	})
}
