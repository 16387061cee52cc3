package postfixtest_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/foxcpp/go-mockdns"

	"superlistd/identity"
	"superlistd/internal/postfixtest"
)

// world is a DNS in which strict.test sends from the tests' client only and wants everything else refused, and
// forged.test sends nothing at all.
func world(t *testing.T) string {
	t.Helper()
	txt := func(s string) mockdns.Zone { return mockdns.Zone{TXT: []string{s}} }
	server, err := mockdns.NewServer(map[string]mockdns.Zone{
		"strict.test.":        txt("v=spf1 ip4:" + postfixtest.Stranger + " -all"),
		"_dmarc.strict.test.": txt("v=DMARC1; p=reject"),
		"forged.test.":        txt("v=spf1 -all"),
		"_dmarc.forged.test.": txt("v=DMARC1; p=reject"),
	}, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server.LocalAddr().String()
}

// signingKey makes a key in a file that superlistd can read, and its record.
func signingKey(t *testing.T, selector string) (path, record string) {
	t.Helper()
	text, err := identity.NewRSAKey(2048)
	if err != nil {
		t.Fatal(err)
	}
	key, err := identity.ParseKey(selector, text)
	if err != nil {
		t.Fatal(err)
	}
	if record, err = key.Record(); err != nil {
		t.Fatal(err)
	}
	folder, err := os.MkdirTemp("", "superlistd-key-") // t.TempDir is closed to the account of superlistd
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	path = filepath.Join(folder, "key.pem")
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return path, record
}

// TestPolicy is who may post, on a real Postfix: with a DNS, a key, and people who decide.
func TestPolicy(t *testing.T) {
	t.Parallel()
	postfixtest.Require(t)
	dns := world(t)
	key, record := signingKey(t, "s1")
	p := start(t, postfixtest.Listener, func(name, text string) string {
		if name == "superlistd.toml" {
			text = strings.Replace(text, `resolver = "off"`, `resolver = "`+dns+`"`, 1)
			text = strings.Replace(text, "\n[dkim]\n", "\n[dkim]\nselector = \"s1\"\nkey = \""+key+"\"\n", 1)
		}
		return text
	})
	t.Run("a forged member is refused in the dialogue", func(t *testing.T) { forgedMember(t, p.In(t)) })
	t.Run("a stranger is held and approved by mail", func(t *testing.T) { heldAndApproved(t, p.In(t)) })
	t.Run("an author whose domain says reject", func(t *testing.T) { strictAuthor(t, p.In(t), record) })
}

func forgedMember(t *testing.T, p *postfixtest.Postfix) {
	list := p.List("bank", "ann@forged.test", "bob@far.test")
	c := front(t, p)
	c.Want("550 5.7.1 The policy of forged.test says that this is not from ann@forged.test; contact bank-owner@",
		c.Send("ann@forged.test", mail("ann@forged.test", list, "forged-post"), list))
	p.Copies("forged-post")
	p.WaitSuperlistdLog(`refused .*rcpt=bank@.*reply="550 5.7.1`)
}

func heldAndApproved(t *testing.T, p *postfixtest.Postfix) {
	list := p.List("club", "ann@far.test", "bob@far.test")
	p.Listctl("set", list, "nonmember=hold", "owners=olga@far.test")
	c := front(t, p)
	c.Want("250 2.0.0 Held for the moderators: only members may post to club@", c.Send("eve@plain.test", mail("eve@plain.test", list, "held-post"), list))
	notice := p.Copies("held-post", "olga@far.test")[0]
	address := regexp.MustCompile(`(?m)^Reply-To: (club-confirm\+[a-z0-9]+@[a-z.]+)\r$`).FindStringSubmatch(notice.Content)
	if address == nil {
		t.Fatalf("no address to answer to in\n%s", notice.Content)
	}
	answer := "From: olga@far.test\r\nTo: " + address[1] + "\r\nSubject: Re: held\r\nMessage-ID: <yes@far.test>\r\n\r\napprove\r\n"
	c.Want("250", c.Send("olga@far.test", answer, address[1]))
	for _, m := range p.Copies("List-Id: <club.", "ann@far.test", "bob@far.test") {
		if !strings.Contains(m.Content, "held-post") || !bounces(m.Sender, "club") {
			t.Errorf("a copy from <%s>:\n%s", m.Sender, m.Content)
		}
	}
	c.Want("250", c.Cmd("MAIL FROM:<eve@far.test>"))
	c.Want("550 5.1.1", c.Cmd("RCPT TO:<club-confirm+hxxxxxxxxxxxxxxxxxxxxxxxxxxxx@"+postfixtest.Domain+">"))
}

func strictAuthor(t *testing.T, p *postfixtest.Postfix, record string) {
	list := p.List("strict", "ann@strict.test", "bob@far.test", "cem@far.test")
	p.Listctl("set", list, "subject_prefix=[strict]", "footer=-- \\nThe strict list")
	c := front(t, p)
	c.Want("250", c.Send("ann@strict.test", mail("ann@strict.test", list, "strict-post"), list))
	for _, m := range p.Copies("strict-post", "ann@strict.test", "bob@far.test", "cem@far.test") {
		if !strings.Contains(m.Content, "via strict") || !strings.Contains(m.Content, "<"+list+">") {
			t.Errorf("From was not rewritten:\n%s", m.Content)
		}
		found, err := dkim.VerifyWithOptions(strings.NewReader(m.Content), &dkim.VerifyOptions{
			LookupTXT: func(name string) ([]string, error) {
				if name != "s1._domainkey."+postfixtest.Domain {
					t.Errorf("a signature of %s", name)
				}
				return []string{record}, nil
			},
		})
		if err != nil || len(found) != 1 || found[0].Err != nil {
			t.Errorf("signatures %+v, %v of\n%s", found, err, m.Content)
		}
	}
}
