package postfixtest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"superlistd/internal/postfixtest"
	"superlistd/internal/smtptest"
)

// lifeOfAMember is a person with nothing but a mail program, who joins, posts, takes digests, is away for a while, and leaves. Each post
// comes once, by whatever way, and none while she is away.
func lifeOfAMember(t *testing.T, p *postfixtest.Postfix) {
	const ann, bob = "ann@far.test", "bob@far.test"
	list := p.List("reading", bob)
	p.Listctl("set", list, "digest_count=2")
	posts := 0
	send := func(from, content, to string) {
		t.Helper()
		c := front(t, p) // a session of its own: with spawn, what waits is worked on when it ends
		c.Want("250", c.Send(from, content, to))
		c.Close()
	}
	post := func() string {
		t.Helper()
		posts++
		mark := fmt.Sprintf("reading-%d-", posts)
		send(bob, mail(bob, list, mark), list)
		return mark
	}
	ask := func(service, text string) {
		t.Helper()
		before := len(confirmations(p, "reading"))
		rcpt := strings.Replace(list, "@", "-"+service+"@", 1)
		id := fmt.Sprint("ask-", service, before, "@far.test")
		send(ann, "From: Ann <"+ann+">\r\nTo: "+rcpt+"\r\nMessage-ID: <"+id+">\r\n\r\n"+text+"\r\n", rcpt)
		p.WaitEmpty()
		asked := confirmations(p, "reading")
		if len(asked) != before+1 {
			t.Fatalf("%s %q: %d mails that ask, want %d", service, text, len(asked), before+1)
		}
		answer := answerTo(t, asked[before].Content)
		send(ann, "From: Ann <"+ann+">\r\nTo: "+answer+"\r\nSubject: Re: confirm\r\nMessage-ID: <re-"+id+">\r\n\r\n\r\n", answer)
		p.WaitEmpty()
	}

	ask("subscribe", "")
	p.Copies(post(), ann, bob)

	ask("request", "set digest")
	p.Listctl("digest", "--send", list) // there was no digest yet, so nothing has to be waited for
	first := post()
	p.Copies(first, bob)
	second := post()
	p.Copies(second, ann, bob)
	for _, m := range p.Copies(first, ann, bob) {
		if m.Rcpts[0] == ann && !strings.Contains(m.Content, "Content-Type: multipart/digest") {
			t.Errorf("this is no digest:\n%s", m.Content)
		}
	}

	today := time.Now().UTC()
	ask("request", "set mail")
	ask("request", "suspend "+today.Format(time.DateOnly)+" "+today.AddDate(0, 0, 1).Format(time.DateOnly))
	p.Listctl("digest", "--send", list)
	p.Copies(post(), bob)
	ask("request", "resume")
	p.Copies(post(), ann, bob)

	ask("unsubscribe", "")
	p.Copies(post(), bob)
	if log := listctl(t, p, "log", list); !strings.Contains(log, "joined") || !strings.Contains(log, "left") {
		t.Errorf("log:\n%s", log)
	}
}

// confirmations are the mails that have asked to confirm a request about a list, in their order.
func confirmations(p *postfixtest.Postfix, list string) (all []smtptest.Message) {
	for _, m := range p.Far.Messages() {
		if strings.Contains(m.Content, "\r\nReply-To: ") && strings.Contains(m.Content, list+"-confirm+") {
			all = append(all, m)
		}
	}
	return all
}
