package postfixtest_test

import (
	"fmt"
	"strings"
	"testing"

	"superlistd/internal/postfixtest"
)

func unknownList(t *testing.T, p *postfixtest.Postfix) {
	c := front(t, p)
	c.Want("250", c.Cmd("MAIL FROM:<ann@far.test>"))
	reply := c.Cmd("RCPT TO:<nosuchlist@" + postfixtest.Domain + ">")
	c.Want("550 5.1.1", reply)
	if !strings.Contains(reply, "No such mailing list or address") {
		t.Errorf("reply %q is not ours", reply)
	}
}

func strangerRefused(t *testing.T, p *postfixtest.Postfix) {
	list := p.List("closed", "ann@far.test")
	c := front(t, p)
	c.Want("550 5.7.2 Only members may post to closed@"+postfixtest.Domain+"; contact closed-owner@", c.Send("eve@far.test", mail("eve@far.test", list, "stranger-post"), list))
	p.Copies("stranger-post")
	p.WaitSuperlistdLog(`refused .*client=unknown\[` + postfixtest.Stranger + `\] .*rcpt=closed@`)
}

func nullSenderRefused(t *testing.T, p *postfixtest.Postfix) {
	list := p.List("nonull", "ann@far.test")
	c := front(t, p)
	c.Want("550 5.7.2 nonull@"+postfixtest.Domain+" takes no automatic mail", c.Send("", mail("ann@far.test", list, "null-post"), list))
	p.Copies("null-post")
}

// strangerHeld is what the set-up behind the queue does for want of a dialogue: a refusal would be mail to a sender who may
// be forged.
func strangerHeld(t *testing.T, p *postfixtest.Postfix) {
	list := p.List("closed", "ann@far.test")
	p.Listctl("set", list, "owners=olga@far.test")
	c := front(t, p)
	c.Want("250", c.Send("eve@far.test", mail("eve@far.test", list, "stranger-post"), list))
	p.Copies("stranger-post", "olga@far.test")
	p.WaitSuperlistdLog(`post held .*list=closed@`)
}

func noOpenRelay(t *testing.T, p *postfixtest.Postfix) {
	c := front(t, p)
	c.Want("250", c.Cmd("MAIL FROM:<ann@far.test>"))
	if reply := c.Cmd("RCPT TO:<out@far.test>"); !strings.Contains(reply, "Relay access denied") {
		t.Errorf("reply %q", reply)
	}
}

// smuggling sends what is no end of data, and commands behind it: CVE-2023-51764 and its kin. BDAT, since
// content behind DATA would end the session at Postfix.
func smuggling(t *testing.T, p *postfixtest.Postfix) { smuggle(t, p, p.Front) }

func smuggle(t *testing.T, p *postfixtest.Postfix, to string) {
	list := p.List("smuggle"+to[strings.IndexByte(to, ':')+1:], "ann@far.test")
	for i, sequence := range []string{
		"\n.\n", "\r.\r", "\r.\n", "\n.\r", "\n.\r\n", "\r\n.\n", "\r.\r\n", "\r\n.\r",
		"\r\n\x00.\r\n", "\r\n.\x00\r\n", "\r\n.\r\r\n", "\r\r\n.\r\r\n", "\n\n.\r\r\n", "\r\n.\n\r\n",
	} {
		for _, rcpt := range []string{"out@far.test", list} {
			mark := fmt.Sprintf("smuggle-%s-%d-%t", to, i, rcpt == list)
			c := postfixtest.Dial(t, postfixtest.Own, to)
			reply := c.Send("ann@far.test", mail("ann@far.test", rcpt, mark)+"hello"+sequence+
				"MAIL FROM:<smuggled@victim.test>\r\nRCPT TO:<victim@far.test>\r\nBDAT 24 LAST\r\n"+
				"Subject: x\r\n\r\nsmuggled!!\r\n", rcpt)
			if !strings.HasPrefix(reply, "250 2.0.0 Ok: queued as ") {
				t.Errorf("%q: reply %q", sequence, reply)
			}
			if got := c.Cmd("VRFY"); !strings.HasPrefix(got, "501 ") {
				t.Errorf("%q: out of step, reply %q", sequence, got)
			}
			c.Want("221", c.Cmd("QUIT"))
		}
	}
	p.WaitEmpty()
	for i := range 14 {
		p.Copies(fmt.Sprintf("smuggle-%s-%d-false", to, i), "out@far.test")
		p.Copies(fmt.Sprintf("smuggle-%s-%d-true", to, i), "ann@far.test")
	}
	for _, m := range p.Far.Messages() {
		if m.Sender == "smuggled@victim.test" || !strings.Contains(m.Content, "smuggle") && strings.Contains(m.Content, "smuggled!!") {
			t.Errorf("smuggled: from <%s> to %v:\n%s", m.Sender, m.Rcpts, m.Content)
		}
	}
}

func abortLeavesNothing(t *testing.T, p *postfixtest.Postfix) {
	list := p.List("aborted", "ann@far.test")
	for _, rcpt := range []string{"out@far.test", list} {
		from := "aborter-" + rcpt[:3] + "@far.test"
		p.Listctl("set", list, "post=anyone")
		c := postfixtest.Dial(t, postfixtest.Own, p.Front)
		c.Begin(from, rcpt)
		c.Write(mail(from, rcpt, "aborted-mail") + strings.Repeat("half of a message\r\n", 5000))
		c.Close()
		p.WaitSuperlistdLog(`aborted: client lost .*from=<` + from + `>`)
	}
	p.Copies("aborted-mail")
}
