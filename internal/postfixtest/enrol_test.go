package postfixtest_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"superlistd/internal/postfixtest"
)

// comesAndGoes is a person with nothing but a mail program, who joins, posts, stops posts for a while, and leaves.
func comesAndGoes(t *testing.T, p *postfixtest.Postfix) {
	list := p.List("choir", "bob@far.test")
	c := front(t, p)
	to := func(service string) string { return strings.Replace(list, "@", "-"+service+"@", 1) }
	send := func(rcpt, subject, id string) {
		t.Helper()
		c.Want("250", c.Send("ann@far.test", "From: Ann <ann@far.test>\r\nTo: "+rcpt+"\r\nSubject: "+subject+"\r\nMessage-ID: <"+id+"@far.test>\r\n\r\n\r\n", rcpt))
	}
	send(to("subscribe"), "subscribe", "join")
	asked := p.Copies("choir-confirm+", "ann@far.test")[0]
	send(answerTo(t, asked.Content), "Re: please confirm", "yes")
	p.WaitEmpty()
	c.Want("250", c.Send("ann@far.test", mail("ann@far.test", list, "choir-post"), list))
	p.Copies("List-Id: <choir.", "ann@far.test", "bob@far.test")
	if got := listctl(t, p, "members", list); !strings.Contains(got, "ann@far.test") {
		t.Errorf("members: %s", got)
	}
	send(to("unsubscribe"), "unsubscribe", "leave")
	p.WaitEmpty()
	var last string
	for _, m := range p.Far.Messages() {
		if strings.Contains(m.Content, "choir-confirm+") {
			last = m.Content
		}
	}
	send(answerTo(t, last), "Re: please confirm", "really")
	p.WaitEmpty()
	if got := listctl(t, p, "members", list); strings.Contains(got, "ann@far.test") {
		t.Errorf("still a member: %s", got)
	}
}

func answerTo(t *testing.T, content string) string {
	t.Helper()
	address := regexp.MustCompile(`(?m)^Reply-To: <?([a-z]+-confirm\+[a-zA-Z0-9+=_-]+@[a-z.]+)`).FindStringSubmatch(content)
	if address == nil {
		t.Fatalf("no address to answer to in\n%s", content)
	}
	return address[1]
}

func listctl(t *testing.T, p *postfixtest.Postfix, args ...string) string {
	t.Helper()
	out, err := exec.Command(filepath.Join(filepath.Dir(binary), "listctl"), append([]string{"--config", p.Config}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("listctl %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// bounceCounts is a member whom the far world does not know any more: Postfix writes the bounce to the address of that member's own,
// and it counts once.
func bounceCounts(t *testing.T, p *postfixtest.Postfix) {
	list := p.List("counted", "ann@far.test", "dead1@far.test")
	c := front(t, p)
	c.Want("250", c.Send("ann@far.test", mail("ann@far.test", list, "counted-post"), list))
	p.WaitSuperlistdLog(`bounce taken .*list=counted@`)
	if got := listctl(t, p, "bounces", list); !strings.Contains(got, "dead1@far.test") {
		t.Errorf("bounces: %s", got)
	}
	c.Want("250", c.Cmd("MAIL FROM:<>"))
	c.Want("550 5.1.1", c.Cmd("RCPT TO:<counted-bounces+baaaaaaaaaa+ann=far.test@"+postfixtest.Domain+">"))
}

// bounces tells a reverse-path of a list: with its key, and for small lists with the member.
func bounces(sender, list string) bool {
	return regexp.MustCompile(`^` + list + `-bounces\+b[a-z0-9]+(\+[^@]+)?@` + regexp.QuoteMeta(postfixtest.Domain) + `$`).MatchString(sender)
}
