package bounce

import (
	"bytes"
	"strings"
)

// fromDesk tells mail of the programs that number what comes in: they answer mail systems too, and quote what these wrote.
func (l *letter) fromDesk() bool {
	for line := range bytes.Lines(l.header.Bytes()) {
		if hasPrefix(fold(string(line[:min(len(line), 20)])), deskFields) {
			return true
		}
	}
	for _, name := range []string{"X-Mailer", "X-Powered-By", "Managed-By"} {
		for _, v := range l.header.Values(name) {
			if containsAny(fold(v), desks) {
				return true
			}
		}
	}
	return false
}

// numbered tells a subject with the number of a ticket in brackets: "[example.org #4711]".
func numbered(subject string) bool {
	for rest := subject; ; {
		_, tag, opened := strings.Cut(rest, "[")
		tag, after, closed := strings.Cut(tag, "]")
		if !opened || !closed {
			return false
		}
		if _, number, ok := strings.Cut(tag, "#"); ok {
			if _, n := digits(strings.TrimLeft(number, " :")); n > 0 {
				return true
			}
		}
		rest = after
	}
}

// byHand tells mail that a known program for people wrote, whatever its sender is called.
func (l *letter) byHand() bool {
	for _, name := range []string{"User-Agent", "X-Mailer"} {
		for _, v := range l.header.Values(name) {
			if containsAny(fold(v), []string{"thunderbird", "mozilla", "outlook", "apple mail", "iphone", "ipad", "k-9", "eudora", "the bat", "mutt", "pine", "evolution", "kmail", "claws", "roundcube", "squirrelmail", "horde", "imp/", "sogo", "phpmailer", "swiftmailer", "lotus notes", "pegasus"}) {
				return true
			}
		}
	}
	return false
}

// asking are in the subjects of those who write about mail that came back.
var asking = []string{"your question", "question about", "ihre frage", "frage zu", "votre question", "su pregunta", "sua domanda"}

// passing are how subjects begin of those who pass something on.
var passing = []string{"fw:", "fwd:", "fwd :", "wg:", "tr:", "tr :", "rv:", "i:", "doorst:", "enc:", "[fwd:", "转发", "轉寄"}

// deskFields are how names of the fields begin that such programs write, and desks what they call themselves.
var (
	deskFields = []string{"rt-ticket", "rt-originator", "x-rt-", "x-otrs-", "x-zammad", "x-zendesk", "x-jira", "x-atlassian", "x-freshdesk", "x-fd-", "x-helpscout", "x-redmine", "x-trac-", "x-bugzilla", "x-gitlab", "x-github", "x-mantis", "x-osticket", "x-kayako", "x-discourse", "x-phpbb", "x-vbulletin", "x-nagios", "x-cron-env", "x-debbugs", "x-roundup", "x-desk-", "x-gitea", "x-request-tracker", "x-znuny"}
	desks      = []string{"otrs", "znuny", "zammad", "zendesk", "freshdesk", "freshservice", "helpscout", "help scout", "jira", "kayako", "osticket", "request tracker", "bestpractical", "redmine", "mantis", "phpbb", "vbulletin", "discourse", "servicenow", "salesforce", "intercom", "bugzilla"}
)
