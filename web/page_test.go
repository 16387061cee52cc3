package web

import (
	"html/template"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"superlistd/lists"
)

// element is a tag with what it has, and the text behind it.
type element struct {
	name string
	attr map[string]string
	text string
}

// elements reads a page, and holds what is true for all of them: nothing is loaded from anywhere, nothing runs, and every element
// that was opened is closed.
func elements(t *testing.T, page string) (all []element) {
	t.Helper()
	var open []string
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		kind := z.Next()
		tok := z.Token()
		switch kind {
		case html.ErrorToken:
			if len(open) > 0 {
				t.Errorf("%v are not closed: %s", open, page)
			}
			return all
		case html.TextToken:
			if len(all) > 0 {
				all[len(all)-1].text += tok.Data
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != tok.Data {
				t.Fatalf("</%s> closes %v: %s", tok.Data, open, page)
			}
			open = open[:len(open)-1]
		case html.StartTagToken:
			if !slices.Contains([]string{"meta", "input"}, tok.Data) {
				open = append(open, tok.Data)
			}
			e := element{name: tok.Data, attr: map[string]string{}}
			for _, a := range tok.Attr {
				e.attr[a.Key] = a.Val
				if strings.HasPrefix(a.Key, "on") || slices.Contains([]string{"src", "href", "style", "action", "formaction", "http-equiv"}, a.Key) {
					t.Errorf("attribute %s in %s", a.Key, page)
				}
			}
			if !slices.Contains(strings.Fields("html head meta title style body main h1 p form button label input"), tok.Data) {
				t.Errorf("element %s in %s", tok.Data, page)
			}
			all = append(all, e)
		}
	}
}

// find returns the elements of a name.
func find(all []element, name string) (some []element) {
	for _, e := range all {
		if e.name == name {
			some = append(some, e)
		}
	}
	return some
}

// pageNames are all pages; the last three are in all languages.
func pageNames() []string {
	return []string{"leave", "left", "absent", "ask", "asked", "broken", "busy", "trouble"}
}

// odd would be markup if it were let.
const odd = `"><img src=x onerror=y>"@example.org`

// Every page of every language shows what it is about, and odd texts as texts.
func TestEveryPage(t *testing.T) {
	t.Parallel()
	pages, err := readPages()
	if err != nil {
		t.Fatal(err)
	}
	f := facts{
		Style: template.CSS(style), List: `"<b>&"@lists.example.org`, Description: "<script>1</script>", Service: `"<i>"@example.org`,
		Member: odd, Wrong: true,
	}
	sentences := map[string]string{}
	for _, lang := range lists.Languages() {
		f.Language = lang
		for _, name := range pageNames() {
			var b strings.Builder
			if err := pages[lang].ExecuteTemplate(&b, name, f); err != nil {
				t.Fatal(err)
			}
			all := elements(t, b.String())
			var text strings.Builder
			for _, e := range all {
				text.WriteString(e.text)
			}
			if root := find(all, "html"); len(root) != 1 || root[0].attr["lang"] != lang || len(find(all, "h1")) != 1 || !strings.HasPrefix(b.String(), "<!DOCTYPE html>") {
				t.Errorf("%s %s: %s", lang, name, b.String())
			}
			if !strings.Contains(text.String(), style) {
				t.Errorf("%s %s: the style is not that of the policy: %s", lang, name, b.String())
			}
			fixed := slices.Index(pageNames(), name) >= 5
			for _, want := range []string{f.List, f.Member} {
				if got := strings.Contains(text.String(), want); !fixed && !got && (name != "ask" || want != f.Member) {
					t.Errorf("%s %s does not show %s: %s", lang, name, want, text.String())
				}
			}
			if other, there := sentences[find(all, "h1")[0].text]; there && !fixed && other != lang {
				t.Errorf("%s %s is as in %s", lang, name, other)
			}
			sentences[find(all, "h1")[0].text] = lang
			checkForm(t, lang+" "+name, all)
		}
	}
}

// checkForm: what acts is a POST to the page itself, with what RFC 8058 wants, or with an address.
func checkForm(t *testing.T, name string, all []element) {
	t.Helper()
	forms, buttons, inputs := find(all, "form"), find(all, "button"), find(all, "input")
	switch {
	case strings.HasSuffix(name, " leave"):
		if len(forms) != 1 || forms[0].attr["method"] != "post" || len(buttons) != 1 || len(inputs) != 0 ||
			buttons[0].attr["name"] != "List-Unsubscribe" || buttons[0].attr["value"] != "One-Click" {
			t.Errorf("%s: forms %v, buttons %v, inputs %v", name, forms, buttons, inputs)
		}
	case strings.HasSuffix(name, " ask"):
		labels := find(all, "label")
		if len(forms) != 1 || forms[0].attr["method"] != "post" || len(inputs) != 1 || inputs[0].attr["name"] != "address" || inputs[0].attr["value"] != odd ||
			len(labels) != 1 || labels[0].attr["for"] != inputs[0].attr["id"] {
			t.Errorf("%s: forms %v, inputs %v, labels %v", name, forms, inputs, labels)
		}
	case len(forms)+len(buttons)+len(inputs) > 0:
		t.Errorf("%s: forms %v, buttons %v, inputs %v", name, forms, buttons, inputs)
	}
}

func TestLanguageOfThePage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, language, who, want string }{
		{"the list's", "de", "ann@example.org", "team@lists.example.org verlassen?"},
		{"the member's own comes first", "de", "bob@example.org", "Quitter team@lists.example.org\u00a0?"},
		{"English by default", "en", "ann@example.org", "Leave team@lists.example.org?"},
		{"who is no member reads the list's", "fr", "eve@example.org", "Il n’y a plus rien à faire"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, "language="+tt.language, "description=Tea & talk")
			w := h.get(h.member(t, tt.who))
			if got := strings.TrimSpace(find(elements(t, w.Body.String()), "h1")[0].text); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// What keeps the link a secret and the page harmless stands on every answer.
func TestHeaders(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.askErr = errFault
	for name, w := range map[string]*httptest.ResponseRecorder{
		"GET": h.get(h.member(t, "ann@example.org")), "HEAD": h.do("HEAD", h.member(t, "ann@example.org"), "", ""),
		"broken": h.get(base + "/u/x"), "not done": h.post(h.links.ListURL(h.team), "address=ann@example.org"), "left": h.post(h.member(t, "ann@example.org"), oneClick),
	} {
		for key, want := range map[string]string{
			"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
			"X-Content-Type-Options": "nosniff", "X-Robots-Tag": "noindex, nofollow", "Set-Cookie": "", "Location": "",
			"Content-Security-Policy": contentPolicy(),
		} {
			if got := w.Header().Get(key); got != want {
				t.Errorf("%s: %s is %q, want %q", name, key, got, want)
			}
		}
	}
	if p := contentPolicy(); !strings.HasPrefix(p, "default-src 'none'; style-src 'sha256-") || strings.Contains(p, "unsafe") || strings.Contains(p, "script") {
		t.Errorf("policy %q", p)
	}
}
