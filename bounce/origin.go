package bounce

import (
	"strings"

	"superlistd/message"
)

// origin is how much of a mail says that a mail system wrote it.
type origin byte

const (
	person  origin = iota // somebody, or a program that answers for somebody, or a list
	perhaps               // it calls itself a notice, or its sender does, and something speaks against it: the text has to prove it
	machine               // a mail system
)

// origin tells who wrote a letter. Words of a report in a mail of a person are a quotation, whatever they say.
func (l *letter) origin() origin {
	subject := l.subject()
	daemon := l.fromDaemon()
	switch {
	case l.distributed() && !daemon:
		return person
	case l.kind == "multipart/report" && l.hasStatus():
		return machine
	case l.fromDesk(), hasPrefix(subject, notReports), hasPrefix(subject, passing):
		return person
	case isAnswer(subject) && !daemon:
		return person
	case daemon && (isAnswer(subject) || l.distributed() || l.byHand() || numbered(subject) || containsAny(subject, asking)):
		return perhaps
	case daemon, l.header.Has("X-Failed-Recipients"), l.header.Has("X-MS-Exchange-Message-Is-Ndr"), l.nullPath() && l.hasStatus():
		return machine
	case containsAny(subject, awaySubjects) && !containsAny(subject, failureSubjects), l.written():
		return person
	case l.nullPath():
		return perhaps
	case containsAny(subject, failureSubjects) && (l.hasStatus() || message.Automatic(l.header) || l.returned && !l.forwards()):
		return perhaps
	}
	return person
}

// subject is that of the letter, decoded and folded.
func (l *letter) subject() string { return fold(strings.Join(message.Texts(l.header, "Subject"), " ")) }

// distributed tells mail that a list has passed on.
func (l *letter) distributed() bool {
	for _, name := range []string{"List-Id", "List-Post", "X-BeenThere", "X-Mailing-List", "Mailing-List", "List-Unsubscribe"} {
		if l.header.Has(name) {
			return true
		}
	}
	return false
}

// forwards tells whether the message inside is itself a report: somebody passes it on.
func (l *letter) forwards() bool {
	inner := letter{header: l.original}
	for _, v := range l.original.Values("Content-Type") {
		if strings.HasPrefix(fold(v), "multipart/report") {
			return true
		}
	}
	return inner.fromDaemon() || inner.nullPath()
}

// written tells mail that somebody wrote with a mail program.
func (l *letter) written() bool {
	if l.header.Has("User-Agent") || l.header.Has("X-Originating-IP") {
		return true
	}
	for _, v := range l.header.Values("X-Mailer") {
		if !containsAny(fold(v), []string{"smtp", "imail", "groupwise", "mdaemon", "daemon", "mta", "server", "gateway", "router", "exchange", "internet mail service"}) {
			return true
		}
	}
	return false
}

// nullPath tells mail that must not be answered (RFC 5321 section 6.1), as far as the header tells.
func (l *letter) nullPath() bool {
	for _, v := range l.header.Values("Return-Path") {
		v = fold(strings.TrimSpace(v))
		if v == "<>" || v == "<#@[]>" || strings.HasPrefix(strings.TrimLeft(v, "<\""), "mailer-daemon") || strings.HasPrefix(v, "<double-bounce@") {
			return true
		}
	}
	return false
}

// fromDaemon tells whether From names a mail system. A From that is not there, or empty, is one too.
func (l *letter) fromDaemon() bool {
	vs := l.header.Values("From")
	if len(vs) == 0 {
		return l.nullPath() || l.hasStatus()
	}
	address := fold(vs[0])
	if address == "" || address == "<>" {
		return true
	}
	name := ""
	if a, start, end := findAddress(address); end > 0 {
		address, name = fold(a.Local), address[:start]+" "+address[end:]
	} else {
		address, name = strings.Trim(address, `<>" `), address
	}
	if hasPrefix(address, daemons) {
		return true
	}
	if texts := message.Texts(l.header, "From"); len(texts) > 0 {
		name += " " + fold(texts[0])
	}
	return containsAny(name, daemonNames)
}

// fromOffice tells whether the address of From is that of a mail system, or of nobody, whatever its name says.
func (l *letter) fromOffice() bool {
	for _, v := range l.header.Values("From") {
		a, _, end := findAddress(v)
		return end == 0 || hasPrefix(fold(a.Local), daemons) || hasPrefix(fold(a.Local), []string{"noreply", "no-reply", "donotreply", "do-not-reply"})
	}
	return l.nullPath()
}

// fromRobot tells a From that nobody who writes himself has; a postmaster may be one.
func (l *letter) fromRobot() bool {
	for _, v := range l.header.Values("From") {
		a, _, end := findAddress(v)
		return end == 0 || hasPrefix(fold(a.Local), []string{"mailer", "mail-daemon", "mail_daemon", "maildaemon", "mailrouter", "mail-router", "double-bounce"})
	}
	return l.nullPath()
}

// isAnswer tells a subject of somebody who answers or passes on.
func isAnswer(subject string) bool {
	return hasPrefix(subject, answers)
}

func hasPrefix(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// answers are how subjects of those begin who answer or pass on.
var answers = []string{"re:", "fw:", "fwd:", "aw:", "wg:", "tr:", "sv:", "vs:", "antw:", "re :", "tr :", "rv:", "r:", "i:", "[fwd:"}

// daemons are how local parts of mail systems begin.
var daemons = []string{
	"mailer-daemon", "mailer_daemon", "mailerdaemon", "mailer.daemon", "mail-daemon", "mail_daemon", "maildaemon", "mail.daemon", "daemon", "postmaster",
	"post_master", "post-master", "postmast", "mdaemon", "mailadmin", "mail-admin", "mail_admin", "mail.admin", "mailsystem", "mail-system", "mailrouter", "double-bounce",
	"mail-delivery", "maildelivery", "mailserver", "mail-server", "mail_server", "mailrobot", "mail-robot", "mail.delivery", "microsoftexchange", "mailmarshal", "mailgateway", "mta", "mailer", "smtp", "maiser", "bounce-report", "undeliverable",
	"mailsweeper", "mmdf", "uucp", "systemadministrator", "listserv-bounce", "postoffice",
}

// daemonNames are in what mail systems call themselves.
var daemonNames = []string{
	"mail delivery", "mailer-daemon", "mailer daemon", "mail daemon", "mail system", "delivery subsystem", "delivery system", "mail administrator", "system administrator",
	"postmaster", "mail router", "email delivery", "e-mail delivery", "mail deliverer", "message router", "systemadministrator", "administrateur système", "administrador del sistema",
	"microsoft outlook", "microsoft exchange", "mail transfer agent", "mail gateway", "message delivery", "delivery notification", "mail server", "mailserver",
}

// failureSubjects are in the subjects of reports.
var failureSubjects = []string{
	"undeliver", "returned mail", "returned to sender", "return to sender", "returning message", "delivery status", "delivery fail", "delivery error", "delivery report",
	"delivery problem", "delivery notification", "delivery has failed", "delivery unsuccessful", "delivery incomplete", "failure notice", "failure delivery", "delivery of", "mail failure",
	"failure notification", "non-delivery", "nondelivery", "nondeliverable", "non delivery", "could not be delivered", "could not be sent", "not be delivered", "not delivered",
	"couldn't be delivered", "cannot be delivered", "can't be delivered", "unable to deliver", "could not send message", "undelivered", "user unknown", "unknown user", "no such user",
	"mail system error", "mail error", "failed mail", "message failed", "failed to deliver", "failed delivery", "[bounce]", "bounced mail", "bounce message", "rejected mail",
	"email error", "e-mail error", "error sending", "mail returned", "message returned", "message you sent", "rejected:", "mailbox full", "mailbox is full", "over quota", "status: failed", "returned message",
	"unzustellbar", "nicht zustellbar", "nicht zugestellt", "fehler bei der zustellung", "zustellung fehlgeschlagen", "unzustellbarkeit", "non remis", "non délivr", "non distribu",
	"échec de la remise", "echec de la remise", "échec de remise", "non recapitabil", "mancato recapito", "impossibile recapitare", "no se puede entregar", "no entregado", "no entregable",
	"não entregue", "niet bezorgd", "niet afgeleverd", "onbestelbaar", "kan inte leverera", "недоставлен", "не доставлен", "не удалось доставить", "配信", "退信", "退回", "投递失败", "送信エラー", "niedoręczon", "nedoručiteln",
	"niedostarczon", "nie dostarczon", "zwrot wiadomo", "nedoruč", "não entreg", "falha na entrega", "mancata consegna", "non consegnat", "non è possibile recapitare", "inte levereras", "ikke leveres", "kan ikke leveres", "toimitus epäonnistui", "ei voitu toimittaa",
	"zustellung nicht möglich", "zustellungsfehler", "chec de la distribution", "chec de distribution", "remise impossible", "error de entrega", "errore di consegna", "leveringsfout", "leveringsfejl", "leveringsfeil", "leveransfel", "erro de entrega",
	"kézbesíthetetlen", "iletilemedi", "teslim edilemedi", "недоставк", "не может быть доставлено", "無法傳遞", "無法送達", "无法送达", "发送失败", "投遞失敗", "반송", "배달 실패", "발송실패", "발송 실패", "전송되지 못", "전송 실패", "배달되지", "retour à l'expéditeur", "devuelto", "ne peut être remis",
}

// awaySubjects are in the subjects of answers that a program gives for somebody.
var awaySubjects = []string{
	"out of office", "out of the office", "out-of-office", "autoreply", "auto-reply", "auto reply", "automatic reply", "automatic response", "autoresponse", "auto response", "auto:",
	"vacation", "on leave", "holiday", "away from", "abwesen", "automatische antwort", "urlaub", "réponse automatique", "absence", "absent", "respuesta automática", "risposta automatica",
	"автоответ", "自动回复", "自動返信", "confirm", "verify", "verification", "challenge",
}

// notReports are how subjects begin of what mail systems write that is no report to a sender.
var notReports = []string{
	"postfix smtp server: errors", "bounce action notification", "uncaught bounce", "report domain:", "successful mail delivery report", "read:", "not read:",
	"return receipt", "message recall", "mail queue", "mailq", "request received", "ticket received", "your request", "we have received", "we received", "[ticket", "gelesen:", "lu :", "nicht gelesen:",
}
