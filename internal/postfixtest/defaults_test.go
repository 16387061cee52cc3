package postfixtest_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"superlistd/internal/postfixtest"
)

// TestPostfixDefaults runs with an after-filter smtpd that has Postfix's own defaults where the examples know
// better: it takes a lone LF, and any number of CR, for a line end from this host, and no more than 1000 recipients.
func TestPostfixDefaults(t *testing.T) {
	t.Parallel()
	p := start(t, postfixtest.Listener, func(name, text string) string {
		switch name {
		case "master.cf":
			before, after, _ := strings.Cut(text, "-o syslog_name=postfix/superlistd")
			lines := regexp.MustCompile(`(?m)^ +-o (smtpd_forbid_bare_newline\w*|smtpd_recipient_limit)=.*\n`)
			return before + "-o syslog_name=postfix/superlistd" + lines.ReplaceAllString(after, "")
		case "superlistd.toml":
			return strings.Replace(text, "#batch = 1000\n", "batch = 50000\n", 1)
		}
		return text
	})
	t.Run("smuggling through the before-filter", func(t *testing.T) { smuggle(t, p.In(t), p.Front) })
	t.Run("smuggling at the filter's door", func(t *testing.T) { smuggle(t, p.In(t), p.Filter) })
	t.Run("1500 members", func(t *testing.T) { manyMembers(t, p.In(t)) })
}

func manyMembers(t *testing.T, p *postfixtest.Postfix) {
	members := make([]string, 1500)
	for i := range members {
		members[i] = fmt.Sprintf("member%d@far.test", i)
	}
	list := p.List("many", members...)
	const learned = "the next hop takes no more recipients in a transaction"
	for _, mark := range []string{"many-first", "many-second"} {
		c := front(t, p)
		c.Want("250 2.0.0 Ok: queued as ", c.Send("member7@far.test", mail("member7@far.test", list, mark), list))
		p.Copies(mark, members...)
	}
	log := p.SuperlistdLog()
	if n := strings.Count(log, learned); n != 1 {
		t.Errorf("learned %d times that there is a limit", n)
	}
	if n := len(regexp.MustCompile(`post relayed .*list=many@.*members=1500 .*transactions=2`).FindAllString(log, -1)); n != 2 {
		t.Errorf("%d posts in two transactions, want 2:\n%s", n, log)
	}
}
