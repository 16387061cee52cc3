package templates

import (
	"errors"
	"fmt"
	"strings"
	"text/template"
	"unicode"
)

const (
	maxBody    = 512 << 10 // octets; of the largest facts no text of ours has so many
	maxSubject = 8 << 10   // octets, before it is cut to maxRunes
)

var errTooLong = errors.New("the text is too long")

// limited takes what fits, and stops the template that writes more.
type limited struct {
	strings.Builder
	most int
}

func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > l.most {
		return 0, errTooLong
	}
	return l.Builder.Write(p)
}

// newTemplate is an empty template with the functions that texts may use. What they say of words is set for each text.
func newTemplate(where, lang string) *template.Template {
	t := tongueOf(lang)
	return template.New(where).Option("missingkey=error").Funcs(template.FuncMap{
		"word":    word(nil),
		"command": t.command,
		"date":    t.formatDate,
		"day":     t.formatDay,
		"size":    t.formatSize,
		"quote":   quote,
		"mailto":  mailto,
	})
}

// word gives the sentence for a word: the word itself where there is none.
func word(words map[string]string) func(string) string {
	return func(w string) string {
		if text, ok := words[w]; ok {
			return text
		}
		return w
	}
}

// make runs a text.
func (f file) make(v view, words map[string]string) (Text, error) {
	var text Text
	if f.subject != nil {
		subject, err := run(f.subject, v, words, maxSubject)
		if err != nil {
			return Text{}, err
		}
		text.Subject = oneLine(subject, maxRunes)
		if text.Subject == "" {
			return Text{}, fmt.Errorf("%s:1: the subject is empty", f.subject.Name())
		}
	}
	body, err := run(f.body, v, words, maxBody)
	if err != nil {
		return Text{}, err
	}
	if f.subject == nil {
		text.Body = oneLine(body, maxResults)
	} else {
		text.Body = strings.Trim(noControls(body), "\n") + "\n"
	}
	if strings.TrimSpace(text.Body) == "" {
		return Text{}, fmt.Errorf("%s: the text is empty", f.body.Name())
	}
	return text, nil
}

func run(t *template.Template, v view, words map[string]string, most int) (string, error) {
	t, err := t.Clone()
	if err != nil {
		return "", err
	}
	out := &limited{most: most}
	if err := t.Funcs(template.FuncMap{"word": word(words)}).Execute(out, v); err != nil {
		return "", err
	}
	return out.String(), nil
}

// try makes a text of facts that are all there, and of facts that are not.
func (f file) try() error {
	if f.words != nil {
		return nil
	}
	for _, facts := range samples() {
		if _, err := f.make(viewOf(sampleList(), facts), nil); err != nil {
			return err
		}
	}
	return nil
}

// noControls is for what a file of the site may hold; facts have none.
func noControls(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
