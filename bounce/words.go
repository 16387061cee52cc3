package bounce

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
	"account unknown", "account is unknown", "mailbox is unknown", "dosn't exist", "as a valid user", "no longer in service", "no longer with", "no longer hosted", "previously bounced", "appear to be registered", "not hosted here", "account has been cancel", "account was cancel", "account cancel", "account unavailable", "account is unavailable", "an account with th",
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
	"nicht im domino-verzeichnis", "nicht aufgeführt", "nicht aufgelistet", "n'est pas répertorié", "non è elencat", "no aparece en el", "no figura en", "não está listad", "não consta d", "niet vermeld in", "niet voor in", "finns inte i", "er ikke opført", "er ikke oppført", "ei ole luettelo", "nie figuruje", "není uveden",
	"nicht mehr gültig", "nicht mehr aktiv", "n'est plus valide", "non è più valid", "ya no es válid", "ya no existe", "niet meer geldig", "niet langer geldig", "už neplatí", "jest już nieaktualn",
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
	"ptr record", "ptr resource", "rdns", "your ip", "sender ip", "sending ip", "helo name", "invalid helo", "your helo", "too much mail", "deny list", "denylist", "to unknown users", "too many unknown", "too many mails", "too many sessions", "too many concurrent", "throttled", "bounce attack", "no smtp service", "bad reputation", "weren't sent. please", "your internet service provider", "from address", "return address", "envelope sender", "reverse-path",
	"accepting mail from", "accept mail from", "accepting email from", "accept email from", "accepting e-mail from", "accept e-mail from", "accepting messages from", "accept messages from", "want mail from", "want email from", "wants no mail from", "sending quota", "sending limit", "hourly limit", "rate limit", "rate-limit", "ratelimit", "too many messages from", "unusual rate", "for this sender", "valid sender", "verify sender", "verifying sender", "verification failed for sender", "sender's mailbox", "sender's quota", "sender quota", "submissionquota", "has exceeded the daily", "sendernotauthenticated", "resolver.rst.auth", "notauthorized",
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
	"mime type", "content type", "content-type", "arc validation", "arc seal", "mail rejected", "mail refused", "mail denied", "service refused", "denied (mode", "scored", "conform", "message looks", "rule imposed", "advertis", "spoof", "fail syntax", "fails syntax",
	"sperrliste", "gesperrt", "unerwünscht", "unerlaubte", "dateianhang", "verschlüssel", "encrypted", "indésirable", "liste noire", "bloqué", "lista negra", "bloquead", "no deseado", "indesiderat", "bloccat", "ongewenst", "odrzucon", "nevyžádan",
	// Codes that tell it: Yahoo and AOL, T-Online, GMX, Comcast, Cox, Charter, Orange, Telstra, NetEase, Cloudmark, Barracuda.
	"[tss", "[ts0", "(rly:", "(dyn:", "(con:", "(hvu:", "(rtr:", "(bl)", "(nowl)", "(dial)", "nemesis", "error-codes.php#bl", "error-codes.php#rl", "error code: cx", "aup#", "ofr_", "ofr004", "ofr005", "ofr006", "lpn0", " ib50", " ib10", " ib70",
	"mi:spb", "mi:spf", "mi:cel", "mi:sfq", "dt:spm", "dt:rbl", "hl:ipb", "hl:ifc", "hl:itc", "rp:cel", "rp:rcl", "rp:trc", "mi:nhd", "mi:sty", "(as777", "brts", "[cpm]",
	"拒收", "拒绝接收", "拒否", "黑名单", "스팸", "istenmeyen",
	"richtlinie", "politique", "política", "спам", "вирус", "политик", "迷惑メール", "垃圾",
}

// relayWords: the host that the DNS names takes no mail for the domain.
var relayWords = []string{
	"relay access denied", "relaying denied", "relay denied", "unable to relay", "do not relay", "don't relay", "not relay for", "cannot relay", "can't relay", "won't relay", "will not relay", "refuse to relay", "relay not permitted", "relay not allowed", "relay prohibited",
	"relay rejected", "relaying not permitted", "relaying not allowed", "relaying prohibited", "relaying is prohibited", "relaying is not", "not permitted to relay", "not allowed to relay", "no relaying", "relaying mail to", "relaying to ", "authorized to relay", "authorised to relay", "rcpthosts", "weiterleitung nicht erlaubt", "relais refusé",
}

// listedWords: hosts that relay for everybody are refused themselves.
var listedWords = []string{"open relay", "spam", "blacklist", "black list", "blocklist", "block list", "dnsbl", " rbl", "listed", "not accept"}

// domainWords: the DNS has no such domain.
var domainWords = []string{"nxdomain", "domain name not found", "domain not found", "no such domain"}

// againWords: it is worth another try, though the user is unknown.
var againWords = []string{"temporar", "try again", "try later", "servfail", "timed out", "timeout", "greylist", "soft error", "at a rate", "too quickly", "too many invalid"}

// greyWords: the system wanted to see another attempt, and says so in the words of a policy.
var greyWords = []string{"greylist", "graylist", "grey-list", "gray-list", "grey list", "gray list"}

// passingWords: it may be otherwise tomorrow.
var passingWords = []string{
	"timed out", "timeout", "connection refused", "connection reset", "connection dropped", "lost connection", "no route", "unreachable", "temporar", "try again", "try later", "deferred",
	"could not connect", "couldn't connect", "cannot connect", "unable to connect", "failed to connect", "able to establish", "servfail", "soft error", "dns-soft", "expired", "too long", "too many connections", "at a rate", "too quickly",
	"no answer", "service unavailable", "service not available", "resources", "retry", "loops back", "mail loop", "hop count", "relay", "locked by", "not responding", "no response", "name server",
	"keep trying", "for past", "could not be delivered for", "system error", "i/o error", "command died", "local configuration", "internal error", "overload", "busy",
}
