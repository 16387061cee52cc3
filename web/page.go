package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"math"
	"net/http"
	"strconv"
	"time"

	"superlistd/lists"
)

//go:embed pages/*.html
var files embed.FS

//go:embed pages/style.css
var style string

// facts are what the pages say something about.
type facts struct {
	Language string
	Style    template.CSS
	// List and Member are addresses, Member as it was typed where Wrong is; Service is where to write instead.
	List, Description, Service, Member string
	// Wrong: what was typed is no address.
	Wrong bool
}

// readPages returns a set for every language. "broken", "busy" and "trouble" are in all of them the same, in all
// languages: nobody knows then whose page it would be.
func readPages() (map[string]*template.Template, error) {
	pages := make(map[string]*template.Template)
	for _, lang := range lists.Languages() {
		t, err := template.New(lang).Option("missingkey=error").ParseFS(files, "pages/layout.html", "pages/"+lang+".html")
		if err != nil {
			return nil, err
		}
		pages[lang] = t
	}
	return pages, nil
}

// contentPolicy allows nothing but our own style, and forms that come back to us.
func contentPolicy() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

// about fills in what is known of the list. lang is that of the member, "" for the list's.
func (v *visit) about(l lists.List, lang string) {
	if lang == "" {
		lang = l.Settings.Language
	}
	v.facts.List, v.facts.Description, v.facts.Language = l.Address.String(), l.Settings.Description, lang
	v.facts.Service = l.Unsubscribe().String()
}

// show writes a page.
func (v *visit) show(status int, name string) {
	pages := v.site.pages[v.facts.Language]
	if pages == nil {
		v.facts.Language = lists.Languages()[0]
		pages = v.site.pages[v.facts.Language]
	}
	v.facts.Style = template.CSS(style)
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, v.facts); err != nil {
		v.log("page not written", err)
		b.Reset()
		status = http.StatusInternalServerError
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Set("Content-Security-Policy", v.site.policy)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer") // the link is a secret
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	v.w.WriteHeader(status)
	v.w.Write(b.Bytes()) // who has gone need not read it; nothing is written after HEAD
}

// allowed counts steps of the client. False: he did too much, and was told.
func (v *visit) allowed(steps int) bool {
	wait := v.site.limits.take(v.client, steps, v.site.opts.Now())
	if wait <= 0 {
		return true
	}
	v.w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(float64(wait)/float64(time.Second)))))
	v.show(http.StatusTooManyRequests, "busy")
	return false
}
