package bounce

import (
	"strings"

	"superlistd/lists"
)

// heuristics reads a notice of no known format by what such notices have in common: a phrase that says that somebody did
// not get a message, and near it, where recipients stand, an address. In place of the phrase, a
// reply code may stand. All of it has to be there, and the mail has to come from a mail system that gives the message
// back, tells a code, or says so in its subject. With the message, words that judge knows do for the phrase.
func (n *notice) heuristics() []Recipient {
	subject := n.letter.subject()
	if n.origin != machine || !n.has(failPhrases...) && !coded(n.flat) && !n.unfit() || containsAny(subject, awaySubjects) {
		return nil
	}
	if !n.returned() && containsAny(sayings.Replace(n.flat), personal) {
		return nil
	}
	if !n.returned() && !coded(n.flat) && statusIn(n.flat) == "" && !(n.letter.fromOffice() && (containsAny(subject, failureSubjects) || containsAny(subject, failPhrases))) {
		return nil
	}
	var all []Recipient
	lead := 0         // paragraphs that may still belong to the phrase
	labelled := false // the last paragraph is the cell of a table that says what is in the next
	for from := 0; from < len(n.lines); {
		to := from
		for to < len(n.lines) && n.lines[to] != "" {
			to++
		}
		if to > from {
			found, announced := n.paragraph(from, to, lead > 0 || labelled)
			all = append(all, found...)
			labelled = to == from+1 && label(n.low[from])
			switch {
			case announced:
				lead = 3
			case lead > 0:
				lead--
			}
		}
		from = to + 1
	}
	if len(all) == 0 && (n.has(failPhrases...) || n.unfit() || containsAny(subject, failureSubjects)) && (n.letter.fromOffice() || n.letter.nullPath()) {
		return n.sole()
	}
	return all
}

// personal are words of somebody who writes himself, be he the postmaster.
var personal = []string{" i have ", " i've ", " i am ", " i was ", " i will ", " my ", " ich ", " mein", " j'ai ", " mon ", " yo "}

// sayings are what mail systems say of themselves.
var sayings = strings.NewReplacer(" i was unable to ", " ", " i was not able to ", " ", " i am unable to ", " ", " i am not able to ", " ", " i have been unable to ", " ", " i have not been able to ", " ",
	" i am sorry ", " ", " i am afraid ", " ", " i have given up", " ", " ich konnte ", " ", " j'ai été incapable ", " ", " je n'ai pas pu ", " ")

// unfit tells a text, above the message that came back, with the words for an address that takes none, and none for a
// message that was refused.
func (n *notice) unfit() bool {
	return n.returned() && (n.has(goneWords...) || n.has(fullWords...)) && !n.has(contentWords...)
}

// coded tells a text with the code of a failure. A bare one of RFC 3463 may be the version of a program.
func coded(s string) bool {
	if replyIn(s) > 0 {
		return true
	}
	code := statusIn(s)
	if code == "" || code[0] == '2' {
		return false
	}
	before := s[:strings.Index(s, code)]
	name := strings.TrimRight(before, " :=(")
	return strings.HasSuffix(before, "#") || strings.HasSuffix(name, "status") || strings.HasSuffix(name, "code") || strings.HasSuffix(name, "error")
}

// sole is the one address of a text that tells of a failure and shows no other.
func (n *notice) sole() (all []Recipient) {
	if !tells(n.flat) {
		return nil
	}
	for from, to := 0, 0; from < len(n.lines); from = to + 1 {
		for to = from; to < len(n.lines) && n.lines[to] != ""; to++ {
		}
		if n.quotesHeader(from, to) {
			continue
		}
		for _, line := range n.lines[from:to] {
			a, start, end := findAddress(line)
			switch {
			case end == 0 || n.own[a.Key()] || office(a) || offered(line[:start]) || strings.HasSuffix(line[:start], "://"):
			case len(all) > 0 && all[0].Address.Key() != a.Key():
				return nil
			case len(all) == 0:
				all = append(all, Recipient{Address: a})
			}
		}
	}
	return all
}

// paragraph reads the lines of one. lead: one before it has told of recipients to come. announced: this one does.
func (n *notice) paragraph(from, to int, lead bool) (all []Recipient, announced bool) {
	low := n.flat[n.starts[from] : n.starts[to-1]+len(strings.TrimSpace(n.low[to-1]))]
	if n.quotesHeader(from, to) {
		return nil, lead
	}
	announced = containsAny(low, failPhrases)
	failing := announced || lead || coded(low) || containsAny(low, goneWords) || containsAny(low, fullWords)
	if !failing {
		return nil, false
	}
	for i := from; i < to && len(all) < MaxRecipients; i++ {
		a, said, ok := n.candidate(n.lines[i], announced, announced || lead)
		if !ok || n.own[a.Key()] || office(a) {
			continue
		}
		j := i + 1
		for ; j < min(to, i+6) && strings.IndexByte(n.lines[j], '@') < 0; j++ {
			said += " " + strings.TrimSpace(n.lines[j])
		}
		if j == to && !tells(said) && to+1 < len(n.lines) {
			said += " " + strings.Join(n.lines[to+1:min(len(n.lines), to+4)], " ")
		}
		all = append(all, Recipient{Address: a, Diagnostic: said})
	}
	return all, announced
}

// candidate reads the recipient that a line of a notice names. announced: its paragraph speaks of a failure; lead: it or one
// before it does.
func (n *notice) candidate(line string, announced, lead bool) (lists.Address, string, bool) {
	if a, said, ok := keyed(line); ok {
		return a, said, true
	}
	if a, said, ok := plain(line); ok {
		return a, said, true
	}
	if a, said, ok := leading(line); ok && lead && tells(said) {
		return a, said, true
	}
	if a, said, ok := answered(line); ok {
		return a, said, true
	}
	if announced {
		return inSentence(line)
	}
	return lists.Address{}, "", false
}

// answered reads "550 5.1.1 <ann@example.org>... User unknown".
func answered(line string) (lists.Address, string, bool) {
	t := strings.TrimLeft(line, " \t<-*>")
	if len(t) < 4 || replyIn(t[:4]) < 400 && replyIn(t[:3]) < 400 || strings.Contains(fold(t), "mail from") || strings.Contains(fold(t), "sender") {
		return lists.Address{}, "", false
	}
	a, _, end := findAddress(t)
	return a, t, end > 0
}

// quotesHeader tells a paragraph that shows fields of the message that came back.
func (n *notice) quotesHeader(from, to int) bool {
	fields := 0
	for _, low := range n.low[from:to] {
		if hasPrefix(strings.TrimLeft(low, " \t|*"), []string{"from:", "to:", "cc:", "subject:", "date:", "message-id:", "sent:", "von:", "an:", "betreff:", "datum:", "de :", "objet :", "date :", "à :", "mail from:"}) {
			fields++
		}
	}
	return fields >= 2
}

// keyed reads "Recipient: ann@example.org".
func keyed(line string) (a lists.Address, rest string, ok bool) {
	t := strings.TrimLeft(line, " \t*->•|")
	key, value, ok := strings.Cut(t, ":")
	if !ok || len(key) > 40 || !containsAny(fold(key), keys) {
		return a, "", false
	}
	a, start, end := findAddress(value)
	if end == 0 || strings.Trim(value[:start], " \t'\"<:;([") != "" && !hasPrefix(strings.TrimLeft(fold(value[:start]), " \t[<"), []string{"smtp:", "rfc822;", "mailto:"}) {
		return lists.Address{}, "", false
	}
	return a, strings.TrimLeft(value[end:], "'\">:)]. "), true
}

var keys = append([]string{"rcpt to", "destination", "adresse", "address", "mailbox", "user unknown", "unknown user", "message to", "メールアドレス"}, labels...)

// labels are what recipients are called.
var labels = []string{"recipient", "addressee", "failed address", "empfänger", "destinataire", "destinatario", "получатель", "адресат", "收件人", "收信人", "宛先",
	"ontvanger", "mottagare", "modtager", "mottaker", "adresat", "odbiorca", "příjemce", "címzett", "alıcı", "destinatário", "받는 사람", "받는사람", "수신자"}

// label tells a line that is nothing but the name of what comes next.
func label(low string) bool {
	return len(low) <= 40 && strings.IndexByte(low, '@') < 0 && containsAny(low, labels)
}

// inSentence reads an address that a sentence says is the recipient: "… could not be delivered to ann@example.org".
func inSentence(line string) (lists.Address, string, bool) {
	a, start, end := findAddress(line)
	if end == 0 {
		return a, "", false
	}
	before := strings.Fields(strings.TrimRight(fold(line[:start]), " '\"<([:"))
	if len(before) == 0 {
		return a, line[end:], containsAny(fold(line[end:]), failPhrases) || containsAny(fold(line[end:]), goneWords)
	}
	last := strings.Trim(before[len(before)-1], ":;,'\"()")
	if offered(line[:start]) {
		return lists.Address{}, "", false
	}
	if containsAny(last, toPhrases) {
		return a, line[end:], true
	}
	switch last {
	case "to", "for", "recipient", "recipients", "address", "addresses", "user", "account", "mailbox", "an", "à", "destinataire", "empfänger", "adresse", "a", "para", "following":
		return a, strings.TrimLeft(line[end:], "'\">:). "), true
	}
	return lists.Address{}, "", false
}

// toPhrases end where an address follows, in languages without blanks.
var toPhrases = []string{"发送给", "发给", "寄給", "寄给", "傳送給", "发送到", "投递到", "无法发送到", "无法投递到", "无法投递至", "無法傳送到", "宛先", "收件人"}

// offered tells, by the words before it, an address to which the reader may turn, or that has sent something.
func offered(before string) bool {
	words := strings.Fields(strings.TrimRight(fold(before), " '\"<([:"))
	words = words[max(0, len(words)-4):]
	if len(words) > 0 && containsAny(words[len(words)-1], []string{"联系", "聯絡", "聯繫", "咨询", "問い合わせ", "連絡", "문의"}) { // languages without blanks
		return true
	}
	for _, w := range words {
		switch strings.Trim(w, ":;,.'\"()") {
		case "contact", "from", "by", "sender", "write", "postmaster", "email", "kontakt", "de", "von", "reply", "forward", "visit", "please", "help", "questions", "support", "administrator":
			return true
		}
	}
	return false
}

// office tells addresses that notices offer for questions.
func office(a lists.Address) bool {
	return hasPrefix(fold(a.Local)+"@", []string{"postmaster", "mailer-daemon", "abuse", "help", "support", "hostmaster", "webmaster", "noreply", "no-reply", "security@", "admin@", "info@"})
}

// failPhrases say that a message did not arrive.
var failPhrases = []string{
	"could not be delivered", "not be delivered", "cannot be delivered", "can't be delivered", "couldn't be delivered", "wasn't delivered", "was not delivered", "were not delivered", "not delivered to",
	"has not been delivered", "undeliverable", "unable to deliver", "not able to deliver", "failed to deliver", "couldn't deliver", "could not deliver", "cannot deliver", "can't deliver", "delivery failed", "delivery has failed", "delivery to the following",
	"delivery failure", "failed recipients", "failed addresses", "addresses failed", "address failed", "address(es) failed", "recipients failed", "did not reach", "could not be reached", "did not receive", "rejected recipient", "recipient was rejected",
	"recipients was rejected", "recipients were rejected", "returned to you", "was returned", "is being returned", "being returned to you", "could not be sent", "was not sent", "not reachable", "could not send", "unable to send", "error sending", "bounced",
	"delivery error", "delivery problem", "while trying to deliver", "was unsuccessful", "delivery of your message", "not possible to deliver", "has been rejected", "was rejected by", "failed delivery", "nicht zugestellt", "nicht zustellbar", "unzustellbar",
	"konnte nicht", "zustellung", "n'a pas pu être", "n'a pu être", "non remis", "pas été remis", "échec de la remise", "non distribu", "no se pudo entregar", "no se ha podido entregar", "no pudo ser entregado", "no pudo entregarse", "impossibile recapitare",
	"non è stato possibile", "non può essere", "não pôde ser entregue", "não foi possível entregar", "niet worden bezorgd", "niet worden afgeleverd", "niet afgeleverd", "niet bezorgd", "niet aangekomen", "kunde inte leverera", "не доставлено", "не может быть доставлено", "не удалось доставить", "送信に失敗", "配信できません", "配送できません", "无法投递", "无法发送", "投递失败", "发送失败", "未能投递", "未能送达", "無法投遞", "投遞失敗", "無法傳送", "退回", "退信", "邮件被退回",
	"n'a pas été délivré", "n'a pas été remis", "impossible de remettre", "non è stato consegnato", "non è stato recapitato", "non recapitat", "non consegnat", "mancata consegna", "falha na entrega", "não foi entregue", "kunde inte levereras", "kunne ikke leveres", "ikke leveres",
	"ei voitu toimittaa", "nie dostarczon", "nie mogła zostać dostarczona", "nie została dostarczona", "niedostarczon", "nebylo možné doručit", "nelze doručit", "nedoruč", "nepodařilo doručit", "nepodařilo se doručit", "nebyla doruč", "nepodarilo doruč", "nie udało się dostarczyć", "nie udalo sie dostarczyc", "nem kézbesíthető", "teslim edilemedi", "iletilemedi",
	"配信に失敗", "配信不能", "送信できません", "无法送达", "無法送達", "无法投送", "配送できない", "전송하지 못", "배달되지", "반송",
	"전송되지 못", "전송하지 못", "전달되지 못", "전달하지 못", "배달되지 못", "배달하지 못", "발송되지 못", "발송에 실패", "전송에 실패",
}
