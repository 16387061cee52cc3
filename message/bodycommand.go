package message

import (
	"bufio"
	"bytes"
	"io"
	"strings"
)

const (
	maxCommand      = 100      // octets of a line that may be a command
	maxCommandWords = 16       // words of it
	maxCommandText  = 64 << 10 // octets of a text that are looked at for one
	maxCommandMail  = 1 << 20  // octets of a message that may be one
)

// commandKind is what a line is to Command.
type commandKind byte

const (
	noCommand   commandKind = iota
	nothing                 // blank, or courtesy
	weakCommand             // a word that may be an answer, too: "help"
	command                 // words that are nothing else: "unsubscribe me"
)

// readCommand finds what Command tells. A weak word alone in a text counts if the subject says nothing else.
func (b *Body) readCommand() (bool, error) {
	if b.content.Size() > maxCommandMail || !b.loneText() {
		return false, nil
	}
	subject := nothing
	if vs := b.header.Values("Subject"); len(vs) > 0 {
		subject = subjectKind(vs[0])
	}
	text, err := b.textKind()
	switch {
	case err != nil:
		return false, err
	case text == command:
		return true, nil
	case text == weakCommand:
		return subject != noCommand, nil
	}
	return text == nothing && subject >= weakCommand, nil
}

// loneText tells a message of text alone: its alternatives, signatures and pictures within HTML do not count.
func (b *Body) loneText() bool {
	texts := 0
	for _, l := range b.leaves {
		switch p := &b.parts[l]; {
		case p.plain():
			texts++
		case p.html(), strings.HasSuffix(p.kind, "-signature"):
		case p.kind == "text/x-vcard" || p.kind == "text/vcard":
		case p.disposition != "attachment" && p.parent >= 0 && b.parts[p.parent].kind == "multipart/related":
		default:
			return false
		}
	}
	return texts <= 1
}

// subjectKind tells what a subject is, without answer marks and the prefix of a list.
func subjectKind(v string) commandKind {
	s := string(readWords([]byte(v)).text)
	for {
		s = strings.TrimSpace(s)
		if word, rest, ok := strings.Cut(s, ":"); ok && len(word) <= 4 && word != "" {
			s = rest
			continue
		}
		if strings.HasPrefix(s, "[") {
			if _, rest, ok := strings.Cut(s, "]"); ok {
				s = rest
				continue
			}
		}
		return lineKind(s)
	}
}

// textKind tells what the text is: its lines but quotes, what introduces them, and the signature.
func (b *Body) textKind() (commandKind, error) {
	var in io.Reader
	if texts := b.textReaders(); len(texts) > 0 {
		in = texts[0]
	}
	if in == nil {
		return nothing, nil
	}
	r := bufio.NewReader(io.LimitReader(in, maxCommandText))
	found, intro := nothing, false // intro: the last line may introduce a quote
	for {
		line, err := r.ReadSlice('\n')
		if err != nil && err != io.EOF {
			if err == bufio.ErrBufferFull {
				return noCommand, nil
			}
			return noCommand, err
		}
		text := string(bytes.TrimRight(line, "\r\n"))
		switch {
		case strings.HasPrefix(text, ">"):
			intro = false
		case strings.TrimSpace(text) == "":
		case text == "-- " || text == "--" || quoteFollows(text):
			err = io.EOF
		case intro && !introduces(text):
			return noCommand, nil
		case introduces(text) || begins(text):
			intro = true
		default:
			if found = both(found, lineKind(text)); found == noCommand {
				return noCommand, nil
			}
		}
		if err == io.EOF {
			if intro {
				found = noCommand
			}
			return found, nil
		}
	}
}

// both is what two lines are together: one of them may be a command.
func both(a, b commandKind) commandKind {
	switch {
	case a == nothing:
		return b
	case b == nothing:
		return a
	}
	return noCommand
}

// introduces tells the line before a quote: "On Monday, Ann wrote:".
func introduces(line string) bool {
	return len(line) < 400 && strings.HasSuffix(strings.TrimSpace(line), ":")
}

// begins tells the first line of such words, when they take two.
func begins(line string) bool {
	first, _, _ := strings.Cut(line, " ")
	return (first == "On" || first == "Am" || first == "Le") && strings.ContainsAny(line, "0123456789")
}

// quoteFollows tells the line behind which some programs put the whole message that is answered.
func quoteFollows(line string) bool {
	line = strings.TrimSpace(line)
	if len(line) >= 10 && strings.Trim(line, "_") == "" {
		return true
	}
	return strings.HasPrefix(line, "-----") && strings.HasSuffix(line, "-----")
}

// lineKind tells what a line is.
func lineKind(line string) commandKind {
	line = strings.TrimSpace(line)
	if len(line) > maxCommand || strings.HasSuffix(line, "?") && line != "?" {
		return noCommand
	}
	if strings.Count(line, " ") > maxCommandWords {
		return noCommand
	}
	var words []string
	address := false
	for _, w := range strings.FieldsFunc(strings.Map(bareLetter, strings.ToLower(strings.ReplaceAll(line, "ß", "ss"))), notOfCommand) {
		switch w = strings.Trim(w, "."); {
		case strings.Contains(w, "@"): // "unsubscribe ann@example.net"
			address = true
		case !courtesy(w):
			words = append(words, w)
		}
	}
	phrase := strings.Join(words, " ")
	switch {
	case phrase == "" && !address:
		return nothing
	case strongPhrase(phrase):
		return command
	case weakPhrase(phrase) && !address:
		return weakCommand
	}
	return noCommand
}

// bareLetter takes the accents off the letters of French and German.
func bareLetter(r rune) rune {
	const accented, bare = "àâäáçéèêëîïíôöóùûüúñ’", "aaaaceeeeiiiooouuuun'"
	i := 0
	for _, a := range accented {
		if a == r {
			return rune(bare[i])
		}
		i++
	}
	return r
}

func notOfCommand(r rune) bool {
	return !('a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '@' || r == '.' || r == '+' || r == '_' || r > 0x7f) || r == 0x00a0
}
