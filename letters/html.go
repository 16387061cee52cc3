package letters

import (
	"html"
	"strings"
)

// textOfHTML makes lines of HTML, for finding an order in it and for nothing else: what is quoted gets a ">", and where a
// mailer begins the mail that is answered without quoting it, a rule ends what is the writer's own.
func textOfHTML(source string) string {
	var b strings.Builder
	quotes := 0
	for source != "" {
		i := strings.IndexByte(source, '<')
		if i < 0 {
			i = len(source)
		}
		writeHTMLText(&b, source[:i], quotes)
		source = source[i:]
		var tag string
		tag, source = cutTag(source)
		name, attributes, _ := strings.Cut(strings.ToLower(tag), " ")
		name = strings.TrimSuffix(name, "/")
		switch name {
		case "style", "script", "head", "title":
			source = behind(source, "</"+name)
		case "blockquote":
			quotes++
			b.WriteByte('\n')
		case "/blockquote":
			quotes = max(0, quotes-1)
			b.WriteByte('\n')
		case "hr":
			b.WriteString("\n-----\n")
		case "br", "p", "/p", "div", "/div", "li", "/li", "tr", "/tr", "ul", "ol", "table", "h1", "h2", "h3", "/h1", "/h2", "/h3":
			b.WriteByte('\n')
		}
		if answeredBelow(attributes) {
			b.WriteString("\n-----\n")
		}
	}
	return b.String()
}

// writeHTMLText writes what stands between two tags.
func writeHTMLText(b *strings.Builder, raw string, quotes int) {
	words := strings.Fields(html.UnescapeString(raw))
	if len(words) == 0 {
		if raw != "" {
			b.WriteByte(' ')
		}
		return
	}
	if quotes > 0 {
		b.WriteString("\n> ")
	} else if strings.ContainsRune(" \t\r\n", rune(raw[0])) {
		b.WriteByte(' ')
	}
	b.WriteString(strings.Join(words, " "))
	if strings.ContainsRune(" \t\r\n", rune(raw[len(raw)-1])) {
		b.WriteByte(' ')
	}
}

// cutTag takes a tag or a comment from the start of source, without its brackets.
func cutTag(source string) (tag, rest string) {
	if comment, ok := strings.CutPrefix(source, "<!--"); ok {
		_, rest, _ = strings.Cut(comment, "-->")
		return "", rest
	}
	if source == "" {
		return "", ""
	}
	tag, rest, _ = strings.Cut(source[1:], ">")
	const most = 1000 // nobody reads further into one
	return strings.Join(strings.Fields(tag[:min(len(tag), most)]), " "), rest
}

// behind skips to the ">" that ends what begins with mark, in any case; everything when there is none.
func behind(source, mark string) string {
	for {
		i := strings.IndexByte(source, mark[0])
		if i < 0 || len(source)-i < len(mark) {
			return ""
		}
		if strings.EqualFold(source[i:i+len(mark)], mark) {
			_, rest, _ := strings.Cut(source[i:], ">")
			return rest
		}
		source = source[i+1:]
	}
}

// answeredBelow tells the marks that mailers put on the mail that is answered.
func answeredBelow(attributes string) bool {
	for _, mark := range []string{"divrplyfwdmsg", "appendonsend", "gmail_quote", "moz-cite-prefix", "yahoo_quoted", "protonmail_quote"} {
		if strings.Contains(attributes, mark) {
			return true
		}
	}
	return false
}
