package bounce

import "strings"

// judge decides what a failure says about the recipient: from the code where it is exact, else from the words, which
// are what a system really means. Unknown words count as little as possible, so that no filter's mood ends a membership.
func judge(status, said string) (Kind, Cause) {
	s := nameless(answerOnly(fold(typewriter.Replace(said))))
	s = advice.Replace(strings.ReplaceAll(s, "unknown address error", "")) // what one product calls every 5xx
	gone, elsewhere := goneIn(unquoted(s))
	gone = gone && !containsAny(s, againWords)
	switch {
	case containsAny(s, senderWords):
		return None, Refused
	case strings.HasSuffix(status, ".2.2"), containsAny(s, fullWords) && !containsAny(s, sizeWords):
		return Soft, Failed
	case strings.HasPrefix(status, "2"):
		return None, Delivered
	case elsewhere:
		return None, Refused
	case strings.HasPrefix(status, "4"):
		if containsAny(s, contentWords) && !gone && !containsAny(s, greyWords) {
			return None, Refused
		}
		return Soft, Failed
	}
	if k, c, ok := byCode(status, s, gone); ok {
		return k, c
	}
	return byWords(status, s, gone)
}

// nameless takes addresses out, with their brackets: a mailbox may be called "quota" or "spam", and "user <ann@example.org>
// unknown" is a user unknown. Whether the answer was about somebody, as in "RCPT TO:", can still be read.
func nameless(s string) string {
	if strings.IndexByte(s, '@') < 0 {
		return s
	}
	var b strings.Builder
	for {
		_, start, end := findAddress(s)
		if end == 0 {
			b.WriteString(s)
			return b.String()
		}
		before := s[:start]
		for start > 0 && end < len(s) && opposite(s[start-1]) == s[end] {
			before, start, end = s[:start-1], start-1, end+1
		}
		if strings.HasSuffix(before, " ") || before == "" {
			before = strings.TrimSuffix(before, "for ")
			if strings.HasPrefix(s[end:], " ") {
				end++
			}
		}
		b.WriteString(before)
		s = s[end:]
	}
}

// opposite is what closes what c opens.
func opposite(c byte) byte {
	switch c {
	case '(':
		return ')'
	case '[':
		return ']'
	case '<':
		return '>'
	case '"', '\'':
		return c
	}
	return 0
}

// unquoted takes out names in quotes, local parts for the most part: user "ann" unknown.
func unquoted(s string) string {
	for _, q := range []string{` "`, " '"} {
		if !strings.Contains(s, q) {
			continue
		}
		var b strings.Builder
		for {
			before, rest, ok := strings.Cut(s, q)
			b.WriteString(before)
			if !ok {
				break
			}
			if i := strings.IndexByte(rest, q[1]); i > 0 && i <= 64 && strings.IndexByte(rest[:i], ' ') < 0 && strings.HasPrefix(rest[i+1:], " ") {
				s = rest[i+1:]
				continue
			}
			b.WriteString(q)
			s = rest
		}
		s = b.String()
	}
	return s
}

// advice is for people, "check the address and try again", and no promise of another answer.
var advice = strings.NewReplacer("and try again later", "try again later", "and try again in", "try again", "and try again", "")

// answerOnly cuts the name of the host before its answer: many a host that knows no user is called "spamfilter".
func answerOnly(s string) string {
	if _, answer, ok := strings.Cut(s, " said: "); ok {
		return answer
	}
	for _, mark := range []string{"]: 5", "]: 4"} {
		if i := strings.Index(s, mark); i >= 0 {
			return s[i+len(mark)-1:]
		}
	}
	return s
}

// byCode takes the codes that leave no doubt (RFC 3463 section 3, RFC 7505, RFC 7372).
func byCode(status, s string, gone bool) (Kind, Cause, bool) {
	if len(status) < 5 {
		return None, Other, false
	}
	switch detail := status[2:]; {
	case detail == "1.7", detail == "1.8", strings.HasPrefix(detail, "6."), detail == "2.3", detail == "3.4":
		return None, Refused, true
	case strings.HasPrefix(detail, "7."):
		if certain, _ := goneIn(stateWords.Replace(unquoted(s))); gone && (certain || !containsAny(s, contentWords)) {
			return Hard, Failed, true
		}
		return None, Refused, true
	case detail == "1.1", detail == "1.2", detail == "1.3", detail == "1.4", detail == "1.6", detail == "1.10", detail == "2.1":
		switch {
		case gone:
			return Hard, Failed, true
		case containsAny(s, contentWords):
			return None, Refused, true
		case containsAny(s, againWords) && !strings.HasPrefix(detail, "1."):
			return Soft, Failed, true
		}
		return Hard, Failed, true
	case detail == "4.1" && strings.Contains(s, "access denied"): // Exchange Online's answer for one who is not there
		return Hard, Failed, true
	case detail == "4.4", detail == "4.310":
		if containsAny(s, againWords) {
			return Soft, Failed, true
		}
		return Hard, Failed, true
	case detail == "4.7", detail == "4.6", detail == "4.14":
		return Soft, Failed, true
	}
	return None, Other, false
}

// byWords decides where the code says nothing.
func byWords(status, s string, gone bool) (Kind, Cause) {
	switch {
	case gone:
		return Hard, Failed
	case containsAny(s, contentWords), containsAny(s, sizeWords):
		return None, Refused
	case containsAny(s, passingWords):
		return Soft, Failed
	case replyIn(s)/100 == 4:
		return Soft, Failed
	}
	switch {
	case strings.HasPrefix(status, "5.1."):
		return Hard, Failed
	case strings.HasPrefix(status, "5.") && containsAny(s, recipientStage):
		return Hard, Failed // whom the system asks about, it judges
	case strings.HasPrefix(status, "5.") && containsAny(s, contentStage):
		return None, Refused // and likewise what
	}
	return Soft, Failed
}

// goneIn finds words for an address that is gone. elsewhere: there are none but such as speak, just before or behind them, of the
// sender or of a part of the message.
func goneIn(s string) (gone, elsewhere bool) {
	const near, most = 32, 8 // octets before, places of one phrase
	for _, p := range goneWords {
		for at, tries := 0, 0; tries < most; tries++ {
			i := strings.Index(s[at:], p)
			if i < 0 {
				break
			}
			i += at
			at = i + len(p)
			before := s[max(0, i-near):i]
			for _, end := range []string{"rcpt", "recipient", "mailbox", "user", " to:", " to "} {
				if i := strings.LastIndex(before, end); i > 0 && !strings.HasSuffix(before[:i], "sender ") && !strings.HasSuffix(before[:i], "sending ") {
					before = before[i:]
				}
			}
			if !containsAny(before+p, otherSubjects) && !hasPrefix(s[at:], otherObjects) {
				return true, false
			}
			elsewhere = true
		}
	}
	return false, elsewhere
}

// otherSubjects are what may be unknown or disabled beside recipients.
var otherSubjects = []string{
	"sender address", "sender's", "sender domain", "sender account", "sender user", "sender mailbox", "sending user", "sending mailbox", "sending account", "sending domain", "sending host", "sending server", "sending address", "mail from", "from domain", "from header", "helo", "ehlo", "header", "message-id", "spf ", "url in ", "url http", "a link ", "dkim", "dmarc", "selector", "public key", "certificate", " ip ", "url contains", "link contains", "this sender", "the sender ",
	"your account", "your domain", "your host", "your server", "your ip", "this host",
}

// otherObjects make the same of a phrase that goes on with them: "unknown address in the header".
var otherObjects = []string{
	" sender", " header", " from header", " from domain", " from address", " from:", " return path", " return-path", " envelope", " in header", " in the header", " in certificate", " in the certificate", " in white", " in the white",
}

// stateWords are said of accounts, of hosts that send, and of links; only the rest of the words tells which.
var stateWords = strings.NewReplacer("disabled", "", "deactivated", "", "suspended", "", "inactive", "", "inactivity", "", "not active", "", "discontinued", "", "been terminated", "", "abandoned", "")

// tells reports whether a diagnostic is one: it has a code, or words that judge knows.
func tells(said string) bool {
	s := fold(said)
	return replyIn(s) > 0 || statusIn(s) != "" || containsAny(s, goneWords) || containsAny(s, fullWords) || containsAny(s, sizeWords) ||
		containsAny(s, senderWords) || containsAny(s, contentWords) || containsAny(s, passingWords)
}

// recipientStage tells that the refusal was the answer to RCPT.
var recipientStage = []string{"rcpt to", "rcpt command", "after rcpt", "to rcpt"}

// contentStage tells that the refusal was the answer to the content.
var contentStage = []string{"end of data", "after data", "to data", "sending data", "after message body", "end of message"}

// goneWords: nobody will ever get mail at that address.
var goneWords = []string{
	"user unknown", "unknown user", "unknown-recipient", "unknown-mailbox", "user-unknown", "no such user", "no such mailbox", "no such recipient", "no such account", "no such address", "no such person", "no such local", "no such email",
	"no such domain", "no such host", "no mailbox", "mailbox not found", "mailbox unavailable", "mailbox unknown", "mailbox is unavailable", "does not exist", "doesn't exist", "doesn't have a", "does not have a",
	"do not exist", "not exist", "user not found", "is not found", "recipient not found", "address not found", "account not found", "recipnotfound", "recipientnotfound", "not found in", "unknown recipient",
	"recipient unknown", "recipient is unknown", "unknown address", "address unknown", "address is unknown", "unknown account", "unknown mailbox", "unknown local", "unknown or illegal", "unknown alias", "unknown to",
	"user is unknown", "unknown e-mail", "unknown email", "unknown addressee", "addressee unknown", "unknown in", "unknown virtual", "invalid recipient", "recipient invalid", "invalid mailbox", "invalid address", "invalid user", "invalid account", "address invalid",
	"invalid receiver", "invalid final delivery", "invalid local", "invalid e-mail", "invalid email", "bad destination", "bad address", "bad recipient", "undeliverable address", "not a valid", "isn't a valid", "not listed in", "not our customer", "not known",
	"not recognized", "not recognised", "no account", "no user", "no valid recip", "unrouteable", "unroutable", "couldn't be found", "could not be found", "cannot be found", "wasn't found", "was not found", "is not a known", "name not found",
	"no longer valid", "no longer available", "no longer in use", "no longer active", "no longer exist", "no longer on server", "has moved", "not a current", "recipient address rejected: unverified", "nobody here by",
	"not local to", "user doesn't", "inexistent", "not registered", "is not registered", "cannot find recipient", "bad email", "bad user",
	"account unknown", "account is unknown", "mailbox is unknown", "dosn't exist", "as a valid user", "no longer in service", "no longer with", "no longer hosted", "account unavailable", "account is unavailable", "an account with th",
	"account has been deleted", "account was deleted", "account deleted", "mailbox has been deleted", "mailbox has been closed", "mailbox was closed", "address has been closed", "address has been deleted", "validrcptto",
	"user invalid", "user not local", "unable to find mailbox", "unable to find user", "unable to find recipient", "cannot find user", "cannot find mailbox", "can't find user", "no one at this", "mailbox not available", "mailbox is not available", "recipient unavailable",
	"domain has expired", "domain is expired", "domain expired", "mailbox expired", "mailbox has expired", "cannot resolve the domain", "marked as invalid", "#5.1.0 address rejected",
	"disabled", "deactivated", "suspended", "inactive", "inactivity", "not active", "no longer accept", "account closed", "account is closed", "mailbox closed", "account has been closed", "discontinued", "been terminated", "account terminated", "account expired", "account has expired",
	"konto gesperrt", "konto wurde gesperrt", "konto ist gesperrt", "postfach gesperrt", "postfach wurde gesperrt", "postfach ist gesperrt", "compte désactivé", "compte est désactivé", "compte suspendu", "cuenta desactivada", "cuenta suspendida", "account disattivato", "casella disattivata", "conta desativada", "konto zablokowane", "konto jest zablokowane",
	"не знайдено", "не існує", "невідом", "ne postoji", "nu există", "nu exista", "δεν υπάρχει", "không tồn tại", "ไม่พบ", "לא קיים", "не е намерен", "не съществува",
	"account blocked", "account locked", "mailbox locked", "account is locked", "mailbox blocked", "abandoned", "does not accept mail", "accepts no mail", "null mx", "nullmx", "not accepting mail",
	"host unknown", "unknown host", "host not found", "domain not found", "domain name not found", "nxdomain", "unknown domain", "domain unknown", "invalid domain", "bad domain", "couldn't find any host", "unresolvable",
	"hard error", "invalid host", "illegal host", "no mx", "name or service not known", "unresolveable", "non-existent", "nonexistent", "not exists",
	"nicht bekannt", "unbekannt", "existiert nicht", "nicht gefunden", "utilisateur inconnu", "destinataire inconnu", "adresse inconnue", "n'existe pas", "introuvable", "no existe", "desconocid",
	"inesistente", "sconosciut", "non esiste", "bestaat niet", "onbekend", "finns inte", "okänd", "nie istnieje", "не найден", "не существует", "неизвестн", "不存在", "存在しません",
	"empfänger nicht vorhanden", "benutzer nicht vorhanden", "postfach nicht vorhanden", "gibt es nicht", "ungültige adresse", "ungültiger empfänger", "deaktiviert", "destinataire invalide", "adresse invalide", "inexistant",
	"usuario no encontrado", "destinatario no encontrado", "no se encontró a", "no se encontró el destinatario", "no se encontró la dirección", "no se encontró el usuario", "dirección no encontrada", "buzón no encontrado",
	"utente non trovat", "destinatario non trovat", "indirizzo non trovat", "casella non trovat", "destinatario non valid", "não existe", "usuário desconhecid", "destinatário desconhecid", "usuário não encontrad", "destinatário não encontrad", "endereço não encontrad",
	"gebruiker niet gevonden", "adres niet gevonden", "ontvanger niet gevonden", "findes ikke", "finnes ikke", "eksisterer ikke", "existerar inte", "ukendt modtager", "ukendt bruger", "ukjent mottaker", "ukjent bruker", "mottagaren hittades inte", "adressen hittades inte",
	"ei ole olemassa", "tuntematon vastaanottaja", "tuntematon käyttäjä", "nie ma takiego", "nieznany użytkownik", "nieznany odbiorca", "nieznany adresat", "neexistuje", "neznámý uživatel", "neznámý příjemce", "nem létezik", "ismeretlen címzett", "ismeretlen felhasználó",
	"kullanıcı bulunamad", "alıcı bulunamad", "kullanıcı mevcut değil", "ет такого", "не зарегистрирован", "ящик заблокирован", "宛先不明", "ユーザー不明", "受信者が見つかりません", "アドレスが見つかりません", "存在しない",
	"找不到收件人", "找不到该用户", "找不到用户", "未找到收件人", "无此用户", "查無此", "존재하지 않", "사용자를 찾을 수 없", "받는 사람을 찾을 수 없",
}

// fullWords: the mailbox takes no more for now.
var fullWords = []string{
	"mailbox full", "mailbox is full", "mail box full", "mail box is full", "inbox is full", "inbox full", "quota", "exceeded storage", "storage allocation", "exceeds allowed size",
	"insufficient disk", "disk space", "insufficient system storage", "storage limit", "mailbox size limit", "mailbox has exceeded", "account is full", "maximum storage", "out of storage",
	"out of space", "full mailbox", "space limit", "folder is full", "mailfolder", "mailbox exceeds", "box is full", "mailbox limit", "mailbox too big", "no space left", "disk full",
	"not enough space", "storage space", "too many messages in", "message count", "exceeded the local limit", "exceeded the maximum number of messages", "mailbox size", "quotaexceeded",
	"speichervolumen", "postfach voll", "postfach ist voll", "zuviele mails", "boîte pleine", "boîte aux lettres pleine", "boite pleine", "buzón lleno", "casella piena", "переполнен",
	"mailbox over limit", "mailbox is over", "user is full", "user full", "storage is full", "has no space", "reached their storage", "mbox full",
	"empfängers ist voll", "mailbox voll", "überfüllt", "est pleine", "est plein", "saturée", "está lleno", "llena", "cuota", "cassetta piena", "è piena", "está cheia", "lotada", "postvak is vol", "is vol.", "mailbox vol",
	"är full", "er fuld", "er full", "täynnä", "pełna", "przepełnion", "je plná", "megtelt", "kotası", "заполнен", "квот", "いっぱい", "容量オーバー", "容量不足", "空间不足", "已满", "已滿", "가득",
}

// sizeWords: this message is too big.
var sizeWords = []string{
	"message size", "message too large", "message too big", "message is too large", "message is too big", "message file too big", "mail too large", "mail size", "maximum size", "size exceeds", "exceeds size",
	"size limit for", "recipsizelimit", "messagesize", "larger than", "fixed limit", "message exceeds", "exceeds the maximum", "exceed maximum",
	"zu groß", "zu gross", "trop volumineux", "trop gros", "demasiado grande", "troppo grande", "muito grande", "te groot", "zbyt duż", "za duż", "слишком бол", "过大", "过长", "超过大小", "大きすぎ", "サイズが", "サイズ制限", "크기", "dimension", "tamaño", "tamanho", "trop grand", "taille max", "taille du message", "rozmiar wiadomości", "velikost zpráv", "размер письма", "размер сообщения", "boyutu",
}

// senderWords: the sender, his domain or his system is refused, whoever the recipient is.
var senderWords = []string{
	"sender address rejected", "sender verify failed", "sender rejected", "sender denied", "sender address verif", "sender unknown", "unknown sender", "invalid sender", "sender domain",
	"sender is not", "sender not", "bad sender", "domain of sender", "your hostname", "helo command rejected", "client host rejected", "client host [", "reverse dns", "reverse lookup",
	"ptr record", "rdns", "your ip", "from address", "return address", "envelope sender", "reverse-path",
	"accepting mail from", "accept mail from", "accepting email from", "accept email from", "accepting e-mail from", "accept e-mail from", "accepting messages from", "accept messages from", "want mail from", "want email from", "wants no mail from", "sending quota", "sending limit", "hourly limit", "rate limit", "rate-limit", "ratelimit", "too many messages from", "unusual rate", "for this sender", "valid sender", "verify sender", "verifying sender", "verification failed for sender", "sender's mailbox", "sender's quota", "sender quota", "sendernotauthenticated", "resolver.rst.auth", "notauthorized",
	"unbekannter absender", "absender unbekannt", "absenderadresse", "expéditeur inconnu", "remitente desconocid", "mittente sconosciut", "remetente desconhecid", "nieznany nadawca", "неизвестный отправитель",
}

// contentWords: the message is refused for what it is, or by a rule.
var contentWords = []string{
	"spam", "blacklist", "black list", "blocklist", "block list", "block-list", "blocked using", "blocked by", "is blocked", "been blocked", "message blocked", "dnsbl", " rbl", "spamhaus", "barracuda", "senderbase", "reputation", "listed at",
	"content reject", "content denied", "mail content", "content is", "content block", "content filter", "content violation", "message content", "contains a", "message rejected", "rejected message", "message was rejected", "message refused", "policy", "policies", "virus", "malware", "infected",
	"banned", "prohibited", "prohibition", "unsolicited", "bulk email", "dmarc", "dkim", "spf", "authentication", "unauthenticated", "not authenticated", "complaint", "phish", "junk", "suspicious", "attachment", "restricted", "restriction",
	"not permitted", "not allowed", "not authorized", "unauthorized", "not authorised", "denied by", "permission", "transport rule", "transport.rules", "rejected by recipient", "rejected by user",
	"security", "verdict", "abuse", "too many hops", "rejected due to", "considered", "rules", "challenge", "whitelist", "only accepts", "does not accept messages from", "refused by",
	"blocked", "your network", "frequency limit", "bulk", "newsletter", "mail from 1", "mail from 2", "connection denied", "connections not accepted", "intrusion", "accept this message", "delivery of this message", "accept your m", "message not accepted", "mail not accepted", "message was not accepted", "mail was not accepted",
	"mime type", "content type", "content-type", "arc validation", "arc seal", "mail rejected", "mail refused", "mail denied", "service refused", "denied (mode", "scored", "conform", "message looks", "rule imposed", "advertis",
	"sperrliste", "gesperrt", "unerwünscht", "unerlaubte", "dateianhang", "verschlüssel", "encrypted", "indésirable", "liste noire", "bloqué", "lista negra", "bloquead", "no deseado", "indesiderat", "bloccat", "ongewenst", "odrzucon", "nevyžádan",
	"拒收", "拒绝接收", "拒否", "黑名单", "스팸", "istenmeyen",
	"richtlinie", "politique", "política", "спам", "вирус", "политик", "迷惑メール", "垃圾",
}

// againWords: it is worth another try, though the user is unknown.
var againWords = []string{"temporar", "try again", "try later", "servfail", "timed out", "timeout", "greylist", "soft error", "at a rate", "too quickly", "too many invalid"}

// greyWords: the system wanted to see another attempt, and says so in the words of a policy.
var greyWords = []string{"greylist", "graylist", "grey-list", "gray-list", "grey list", "gray list"}

// passingWords: it may be otherwise tomorrow.
var passingWords = []string{
	"timed out", "timeout", "connection refused", "connection reset", "connection dropped", "lost connection", "no route", "unreachable", "temporar", "try again", "try later", "deferred",
	"could not connect", "couldn't connect", "cannot connect", "unable to connect", "failed to connect", "able to establish", "servfail", "soft error", "dns-soft", "expired", "too long", "too many connections", "at a rate", "too quickly",
	"no answer", "service unavailable", "service not available", "resources", "retry", "loops back", "mail loop", "hop count", "relay", "rcpthosts", "locked by", "not responding", "no response", "name server",
	"keep trying", "for past", "could not be delivered for", "system error", "i/o error", "command died", "local configuration", "internal error", "overload", "busy",
}
