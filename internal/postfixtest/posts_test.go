package postfixtest_test

import (
	"strconv"
	"strings"
	"testing"

	"superlistd/internal/postfixtest"
)

// front is a client that is nobody to Postfix, as most of the world is.
func front(t *testing.T, p *postfixtest.Postfix) *postfixtest.Client {
	return postfixtest.Dial(t, postfixtest.Stranger, p.Front)
}

func postReachesMembers(t *testing.T, p *postfixtest.Postfix) {
	members := []string{"ann@far.test", "bob@far.test", `"c d"@far.test`}
	list := p.List("team", members...)
	c := front(t, p)
	c.Want("250 2.0.0 Ok: queued as ", c.Send("ann@far.test", mail("ann@far.test", list, "team-post"), list))
	for _, m := range p.Copies("team-post", members...) {
		if !strings.Contains(m.Sender, "team-bounces+b") {
			t.Errorf("reverse-path <%s>", m.Sender)
		}
		if !strings.Contains(m.Content, "List-Id: <team."+postfixtest.Domain+">\r\n") ||
			!strings.Contains(m.Content, "\r\nFrom: ann@far.test\r\n") {
			t.Errorf("content of a copy:\n%s", m.Content)
		}
	}
	p.WaitSuperlistdLog(`post relayed .*list=team@.* members=3 `)
}

func postFromSendmail(t *testing.T, p *postfixtest.Postfix) {
	list := p.List("local", "ann@far.test", "bob@far.test")
	p.Sendmail("ann@far.test", strings.ReplaceAll(mail("ann@far.test", list, "local-post"), "\r\n", "\n"), list)
	for _, m := range p.Copies("local-post", "ann@far.test", "bob@far.test") {
		if !strings.Contains(m.Content, "Received: from unknown (unknown)\r\n\tby mx.example.org (superlistd) with LMTP ") {
			t.Errorf("content of a copy:\n%s", m.Content)
		}
	}
	p.WaitSuperlistdLog(`post relayed .*door=lmtp .*list=local@`)
}

// twoListsOneRefused is where the LMTP door's reply for each recipient counts.
func twoListsOneRefused(t *testing.T, p *postfixtest.Postfix) {
	open1 := p.List("open1", "ann@far.test", "bob@far.test")
	open2 := p.List("open2", "ann@far.test", "cem@far.test")
	shut := p.List("shut", "ann@far.test", "dan@far.test")
	p.Listctl("set", shut, "post=nobody")
	p.Sendmail("ann@far.test", strings.ReplaceAll(mail("ann@far.test", open1+", "+open2, "twin-post"), "\r\n", "\n"), open1, shut, open2)
	p.WaitLog(`to=<shut@.*status=bounced .*takes no posts; contact shut-owner@`)
	p.Copies("\r\nList-Id: <open", "ann@far.test", "bob@far.test", "cem@far.test")
}

func ownersAreReached(t *testing.T, p *postfixtest.Postfix) {
	list := p.List("owned", "ann@far.test")
	p.Listctl("set", list, "owners=olga@far.test, otto@far.test")
	owner := "owned-owner@" + postfixtest.Domain
	c := front(t, p)
	c.Want("250", c.Send("eve@far.test", mail("eve@far.test", owner, "owner-mail"), owner))
	for _, m := range p.Copies("owner-mail", "olga@far.test", "otto@far.test") {
		if !strings.HasPrefix(m.Sender, "owned-bounces") {
			t.Errorf("reverse-path <%s>", m.Sender)
		}
	}
}

func listInList(t *testing.T, p *postfixtest.Postfix) {
	inner := p.List("inner", "ann@far.test", "bob@far.test", "ann2@far.test")
	outer := p.List("outer", "ann2@far.test", inner)
	c := front(t, p)
	c.Want("250", c.Send("ann2@far.test", mail("ann2@far.test", outer, "nested-post"), outer))
	p.Copies("nested-post", "ann@far.test", "bob@far.test", "ann2@far.test")
	from := map[string]string{}
	for _, m := range p.Far.Messages() {
		if strings.Contains(m.Content, "nested-post") {
			for _, r := range m.Rcpts {
				from[r] = m.Sender
			}
		}
	}
	for rcpt, list := range map[string]string{"ann2@far.test": "outer", "ann@far.test": "inner", "bob@far.test": "inner"} {
		if !bounces(from[rcpt], list) {
			t.Errorf("copy for %s from <%s>", rcpt, from[rcpt])
		}
	}
}

func listsInEachOther(t *testing.T, p *postfixtest.Postfix) {
	one := p.List("one", "ann@far.test")
	two := p.List("two", "bob@far.test", one)
	p.Listctl("add", one, two)
	c := front(t, p)
	c.Want("250", c.Send("ann@far.test", mail("ann@far.test", one, "round-post"), one))
	p.Copies("round-post", "ann@far.test", "bob@far.test")
}

// returningPost is a loop by way of somebody who sends the copies back: it ends, and Postfix tells nobody.
func returningPost(t *testing.T, p *postfixtest.Postfix) {
	list := p.List("loop", "ann@far.test", "bob@far.test")
	p.Listctl("set", list, "post=anyone")
	c := front(t, p)
	c.Want("250", c.Send("ann@far.test", mail("ann@far.test", list, "loop-post"), list))
	copied := p.Copies("loop-post", "ann@far.test", "bob@far.test")[0]
	c.Want("554 5.4.6", c.Send("bob@far.test", copied.Content, list))
	p.Copies("loop-post", "ann@far.test", "bob@far.test")
	p.WaitSuperlistdLog(`refused .*rcpt=loop@.*ail loop`)
}

func bounceIsTaken(t *testing.T, p *postfixtest.Postfix) {
	list := p.List("mortal", "ann@far.test", "dead@far.test")
	c := front(t, p)
	c.Want("250", c.Send("ann@far.test", mail("ann@far.test", list, "mortal-post"), list))
	p.WaitSuperlistdLog(`bounce taken .*door=lmtp .*from=<> .*list=mortal@`)
	p.Copies("mortal-post", "ann@far.test")
	if n := strings.Count(p.SuperlistdLog(), "list=mortal@"); n != 2 { // the post, and one bounce
		t.Errorf("%d log lines for the list, want 2", n)
	}
}

func relayedWithClient(t *testing.T, p *postfixtest.Postfix) {
	body := "..two dots\r\n.\r\n\r\nacht: \xc3\xa4 \xff\r\n \ttrailing \t\r\n" + strings.Repeat("x", 990) + "\r\n"
	head := "From: me@here.test\r\nSubject: relayed-mail\r\n\r\n"
	c := postfixtest.Dial(t, postfixtest.Own, p.Front)
	c.Want("250", c.Cmd("MAIL FROM:<me@here.test> BODY=8BITMIME"))
	c.Want("250", c.Cmd("RCPT TO:<out@far.test>"))
	c.Want("354", c.Cmd("DATA"))
	c.Write(head + strings.ReplaceAll("\r\n"+body, "\r\n.", "\r\n..")[2:] + ".\r\n")
	reply := c.Reply()
	c.Want("250 2.0.0 Ok: queued as ", reply)
	id := reply[strings.LastIndexByte(reply, ' ')+1:]
	p.WaitLog(`postfix/superlistd/smtpd\[\d+\]: ` + id + `: .*orig_client=unknown\[` + postfixtest.Own + `\]`)
	for _, m := range p.Copies("relayed-mail", "out@far.test") {
		if m.Sender != "me@here.test" || !strings.HasSuffix(m.Content, "\r\n\r\n"+body) {
			t.Errorf("from <%s>, content %q", m.Sender, m.Content)
		}
	}
}

func mixedTransaction(t *testing.T, p *postfixtest.Postfix) {
	list := p.List("mixed", "ann@far.test", "bob@far.test")
	c := postfixtest.Dial(t, postfixtest.Own, p.Front)
	c.Want("250", c.Cmd("MAIL FROM:<ann@far.test>"))
	c.Want("250", c.Cmd("RCPT TO:<out@far.test>"))
	c.Want("550 5.1.1", c.Cmd("RCPT TO:<nolist@"+postfixtest.Domain+">"))
	c.Want("250", c.Cmd("RCPT TO:<"+list+">"))
	c.Want("250", c.Cmd("RCPT TO:<bob@far.test>")) // a member who is named gets the mail in his own name, once
	c.Want("354", c.Cmd("DATA"))
	c.Write(mail("ann@far.test", list, "mixed-mail") + ".\r\n")
	c.Want("250 2.0.0 Ok: queued as ", c.Reply())
	p.Copies("mixed-mail", "out@far.test", "ann@far.test", "bob@far.test")
}

// largePost is large enough for a file, and for chunks to the after-filter.
func largePost(t *testing.T, p *postfixtest.Postfix) {
	list := p.List("large", "ann@far.test", "bob@far.test")
	line := "..dots, \xc3\xa4 and \xff, " + strings.Repeat("x", 60) + "\r\n.\r\n"
	body := "large-post\r\n" + strings.Repeat(line, 4000)
	c := front(t, p)
	c.Envelope("ann@far.test", list)
	c.Want("354", c.Cmd("DATA"))
	head := "From: ann@far.test\r\nTo: " + list + "\r\nSubject: large-post\r\n\r\n"
	c.Write(head + strings.ReplaceAll(body, "\r\n.", "\r\n..") + ".\r\n")
	if reply := c.Reply(); !strings.Contains(reply, "queued as ") { // with the number of octets, when it came in chunks
		t.Errorf("reply %q", reply)
	}
	for _, m := range p.Copies("large-post", "ann@far.test", "bob@far.test") {
		if !strings.HasSuffix(m.Content, "\r\n\r\n"+body) {
			t.Errorf("a copy of %d octets differs from the post of %d", len(m.Content), len(head)+len(body))
		}
	}
}

func chunks(t *testing.T, p *postfixtest.Postfix) {
	list := p.List("chunks", "ann@far.test")
	c := front(t, p)
	c.Envelope("ann@far.test", list)
	content := mail("ann@far.test", list, "chunked-post") + ".\r\n..\r\n"
	c.Write("BDAT 20\r\n" + content[:20])
	c.Want("250", c.Reply())
	c.Write("BDAT " + strconv.Itoa(len(content)-20) + " LAST\r\n" + content[20:])
	if reply := c.Reply(); !strings.Contains(reply, "queued as ") {
		t.Errorf("reply %q", reply)
	}
	for _, m := range p.Copies("chunked-post", "ann@far.test") {
		if !strings.HasSuffix(m.Content, "\r\n\r\nchunked-post\r\n.\r\n..\r\n") {
			t.Errorf("content %q", m.Content)
		}
	}
}
