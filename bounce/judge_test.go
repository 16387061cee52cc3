package bounce

import "testing"

func TestJudge(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, status, said string
		want               Kind
		cause              Cause
	}{
		{"user unknown", "5.1.1", "550 5.1.1 user unknown", Hard, Failed},
		{"the code alone", "5.1.1", "", Hard, Failed},
		{"domain unknown", "5.1.2", "Host or domain name not found", Hard, Failed},
		{"domain without MX", "5.4.4", "Host not found", Hard, Failed},
		{"the DNS does not answer", "5.4.4", "name service error: host not found, try again", Soft, Failed},
		{"disabled", "5.2.1", "account disabled", Hard, Failed},
		{"too many at a time", "5.2.1", "receiving mail at a rate that prevents additional messages", Soft, Failed},
		{"full", "5.2.2", "mailbox full", Soft, Failed},
		{"full under the code of unknown", "5.1.1", "550 5.1.1 mailbox is full", Soft, Failed},
		{"full in German", "5.0.0", "550 Benutzer hat das Speichervolumen überschritten", Soft, Failed},
		{"temporary", "4.4.1", "connection timed out", Soft, Failed},
		{"expired", "5.4.7", "delivery time expired", Soft, Failed},
		{"loop", "5.4.6", "mail for example.org loops back to myself", Soft, Failed},
		{"spam", "5.7.1", "message looks like spam", None, Refused},
		{"spam without a code", "5.0.0", "554 rejected as spam", None, Refused},
		{"spam, put off until it expired", "4.7.1", "421 4.7.1 temporarily blocked: spam", None, Refused},
		{"policy code and nothing else", "5.7.1", "550 5.7.1 delivery not authorized", None, Refused},
		{"policy code, user unknown", "5.7.1", "550 5.7.1 no such user", Hard, Failed},
		{"block list", "5.0.0", "554 Client host [192.0.2.1] blocked using zen.spamhaus.org", None, Refused},
		{"our sender", "5.0.0", "550 sender verify failed: user unknown", None, Refused},
		{"our domain", "5.1.8", "domain of sender address does not resolve", None, Refused},
		{"too big", "5.3.4", "message size exceeds fixed limit", None, Refused},
		{"too big without a code", "5.0.0", "552 message too large", None, Refused},
		{"closed group", "5.7.133", "RESOLVER.RST.SenderNotAuthenticatedForGroup", None, Refused},
		{"nobody there, as Exchange Online says it", "5.4.1", "recipient address rejected: access denied", Hard, Failed},
		{"relaying", "5.0.0", "554 relay access denied", Hard, Failed},
		{"relaying under the code of policy", "5.7.1", "554 5.7.1 <ann@example.org>: relay access denied", Hard, Failed},
		{"relaying, to be tried again", "4.7.1", "454 4.7.1 relay access denied", Soft, Failed},
		{"our host relays", "5.7.1", "554 5.7.1 open relay, relaying denied", None, Refused},
		{"our host, by its number", "5.0.0", "554 mx1 cmgate 192.0.2.25 - see the codes", None, Refused},
		{"our host, by its number, to be tried again", "4.0.0", "421 slow for 192.0.2.25", None, Refused},
		{"our host, by its number, and a user unknown", "5.0.0", "550 unknown user, asked by 192.0.2.25", Hard, Failed},
		{"the other host, by its number", "5.0.0", "550 nope giving up on 192.0.2.1.", Soft, Failed},
		{"the other host, by its name and number", "5.0.0", "550 nope [mx.example.org. 192.0.2.1]", Soft, Failed},
		{"not greeted", "5.0.0", "host mx.example.org[192.0.2.1] refused to talk to me: 554 no", None, Refused},
		{"the DNS has said it, the report calls it temporary", "4.0.0", "lookup of example.org responded with code nxdomain", Hard, Failed},
		{"the host has said it is temporary", "4.0.0", "450 domain not found", Soft, Failed},
		{"connection refused by a host", "", "deferred: connection refused by mx.example.org.", Soft, Failed},
		{"bounced before", "5.0.0", "605 not delivering to previously bounced address", Hard, Failed},
		{"a host's name is not its answer", "5.0.0", "host spamfilter.example.org[192.0.2.1] said: 550 no such user", Hard, Failed},
		{"unknown words at RCPT", "5.0.0", "550 nope (in reply to RCPT TO command)", Hard, Failed},
		{"unknown words", "5.0.0", "550 nope", Soft, Failed},
		{"nothing", "", "", Soft, Failed},
		{"put off until the sender gave up", "4.2.0", "450 4.2.0 greylisted: retry timeout exceeded", Soft, Failed},
		{"a limit of the sender's", "5.4.5", "550 5.4.5 daily sending quota exceeded", None, Refused},
		{"a limit, in the codes of policy", "4.7.0", "421 4.7.0 temporary problem, slow down", Soft, Failed},
		{"takes no mail from us", "", "they are not accepting mail from list@example.org", None, Refused},
		{"takes no mail", "5.0.0", "550 the mailbox is not accepting mail", Hard, Failed},
		{"our domain does not exist", "5.0.0", "550 sender address domain does not exist", None, Refused},
		{"our domain is not found", "5.0.0", "550 From domain not found", None, Refused},
		{"its domain is not found", "5.0.0", "550 recipient domain not found", Hard, Failed},
		{"the domain of an identifier", "5.0.0", "554 invalid Message-ID: domain not found", None, Refused},
		{"suspended, but not the account", "5.7.1", "554 5.7.1 service for 192.0.2.1 suspended due to abuse", None, Refused},
		{"suspended under the code of policy", "5.7.1", "554 5.7.1 account suspended", Hard, Failed},
		{"a link is dead", "5.7.1", "550 5.7.1 contains a link to a suspended domain", None, Refused},
		{"sender and recipient in one answer", "5.0.0", "550 MAIL FROM:<list@example.org> RCPT TO:<ann@example.org> user unknown", Hard, Failed},
		{"delivered", "2.1.5", "ok", None, Delivered},
		{"typographer's apostrophe", "", "the address couldn\u2019t be found", Hard, Failed},
		{"a name between the words", "5.0.0", "550 user <ann@example.org> unknown", Hard, Failed},
		{"a name in quotes between the words", "5.0.0", `550 user "ann" unknown`, Hard, Failed},
		{"a sender between the words", "5.0.0", "550 sender <list@example.net> unknown", None, Refused},
		{"a mailbox called like a limit", "5.1.1", "550 5.1.1 <quota@example.org>: user unknown", Hard, Failed},
		{"a mailbox called like a filter", "5.0.0", "550 <spam@example.org> nope (in reply to RCPT TO command)", Hard, Failed},
		{"a user of the sender's", "5.1.0", "550 5.1.0 sender user account disabled", None, Refused},
		{"a key", "5.0.0", "550 dkim: key for selector does not exist", None, Refused},
		{"the header", "5.0.0", "550 nonexistent header from domain", None, Refused},
		{"greylisting that calls itself a policy", "4.7.1", "451 4.7.1 greylisted by policy", Soft, Failed},
		{"no user of an unfortunate name", "5.1.1", "550 5.1.1 generated: moderate corporate clock", Hard, Failed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got, cause := judge(tt.status, tt.said); got != tt.want || cause != tt.cause {
				t.Errorf("judge(%q, %q) = %v, %v, want %v, %v", tt.status, tt.said, got, cause, tt.want, tt.cause)
			}
		})
	}
}

func TestNetwork(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   string
		want int
	}{
		{"192.0.2.1", 9},
		{"192.0.2.1. no", 9},
		{"192.0.2.1]", 9},
		{"192.0.2.256", 0},
		{"192.0.2", 0},
		{"192.0.2.1.5", 0},
		{"192.0.2.1x", 0},
		{"1.2.3.", 0},
		{"", 0},
	} {
		if got := network(tt.in); got != tt.want {
			t.Errorf("network(%q) = %d, want %d", tt.in, got, tt.want)
		}
	}
}

func TestStatusIn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"550 5.1.1 unknown", "5.1.1"},
		{"(#5.1.2)", "5.1.2"},
		{"<mx.example.org #5.7.133>", "5.7.133"},
		{"host 192.0.2.5.1.1", ""},
		{"host [5.1.1.9] said no", ""},
		{"Exim 4.96.2", ""},
		{"v5.1.1", ""},
		{"on 5.7.2027", ""},
		{"3.1.1", ""},
		{"5.1.", ""},
		{"4.4.7", "4.4.7"},
		{"5.1.1.", "5.1.1"},
	} {
		if got := statusIn(tt.in); got != tt.want {
			t.Errorf("statusIn(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestReplyIn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   string
		want int
	}{
		{"said: 550 no", 550},
		{"<<< 452-wait", 452},
		{"(421)", 421},
		{"250 ok", 0},
		{"mx550 here", 0},
		{"550.1.2.3", 0},
		{"5500 mails", 0},
		{"599", 0},
		{"", 0},
	} {
		if got := replyIn(tt.in); got != tt.want {
			t.Errorf("replyIn(%q) = %d, want %d", tt.in, got, tt.want)
		}
	}
}

func TestBestStatus(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ given, said, want string }{
		{"5.1.1", "550 5.7.1 x", "5.1.1"},
		{"5.0.0", "550 5.1.1 x", "5.1.1"},
		{"5.0.0", "550 x", "5.0.0"},
		{"", "450 x", "4.0.0"},
		{"", "550 x", "5.0.0"},
		{"", "5.1.0 - error 550-'5.1.1 x'", "5.1.1"},
		{"", "no", ""},
		{"5.0.0", "554 5.7.0 x", "5.7.0"},
		{"5.0.0", "554 5.1.0 x", "5.0.0"},
		{"5.1.0", "554 5.7.0 x", "5.1.0"},
	} {
		if got := bestStatus(tt.given, tt.said); got != tt.want {
			t.Errorf("bestStatus(%q, %q) = %q, want %q", tt.given, tt.said, got, tt.want)
		}
	}
}
