package web

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"superlistd/lists"
)

// TestBrowser is what people see and do. They do it one after the other, since one browser is work enough.
func TestBrowser(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	for _, tt := range []struct {
		name string
		test func(*testing.T, *browser)
	}{
		{"who presses the button leaves", leavesByButton},
		{"who has a keyboard leaves", leavesByKeyboard},
		{"what a mail reader loads by itself changes nothing", loadedByItself},
		{"who has no link is asked by mail", asksOnListPage},
		{"every page can be read", everyPageIsLegible},
	} {
		t.Run(tt.name, func(t *testing.T) {
			here := *b
			here.t = t
			tt.test(t, &here)
		})
	}
}

// publish puts the house on loopback; at makes a link lead there.
func (h *house) publish(t *testing.T) (at func(link string) string) {
	base := loopback(t, h) + "/"
	return func(link string) string { return base + path(link) }
}

// heard is what was noted till now.
func (h *house) heard(what *[]string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(*what)
}

// loopback gives the URL of a server. Serve would wait at its end for the connections that a browser opens in stock.
func loopback(t *testing.T, h http.Handler) string {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// silent fails if the browser found a fault in a page, such as a style that the policy forbids.
func silent(t *testing.T, b *browser) {
	t.Helper()
	if all := b.complaints(); len(all) > 0 {
		t.Errorf("the browser says %q", all)
	}
}

func leavesByButton(t *testing.T, b *browser) {
	for _, tt := range []struct{ language, who, left, question, button, goodbye, nothing string }{
		{"en", "ann@example.org", "bob@example.org", "Leave team@lists.example.org?", "Leave the list", "You have left team@lists.example.org", "Nothing left to do"},
		{"de", "ann@example.org", "bob@example.org", "team@lists.example.org verlassen?", "Liste verlassen", "Sie haben team@lists.example.org verlassen", "Es ist nichts mehr zu tun"},
		{"de", "bob@example.org", "Ann@example.org", "Quitter team@lists.example.org ?", "Quitter la liste", "Vous avez quitté team@lists.example.org", "Es ist nichts mehr zu tun"},
	} {
		h := newHouse(t, "language="+tt.language)
		link := h.publish(t)(h.member(t, tt.who))
		b.complaints()
		b.open(link)
		if text := b.see(tt.question); !strings.Contains(text, tt.button) || !strings.Contains(strings.ToLower(text), tt.who) {
			t.Errorf("the question is\n%s", text)
		}
		if got := h.members(t); got != everybody {
			t.Fatalf("before the press, members are %s", got)
		}
		b.press("button")
		b.see(tt.goodbye)
		if got := h.members(t); got != tt.left {
			t.Errorf("members are %s, want %s", got, tt.left)
		}
		silent(t, b)
		b.reload() // the POST once more
		b.see(tt.nothing)
		b.back() // not the question out of a cache
		b.see(tt.nothing)
		if left := h.heard(&h.left); len(left) != 1 {
			t.Errorf("Left heard %q", left)
		}
	}
}

func leavesByKeyboard(t *testing.T, b *browser) {
	h := newHouse(t)
	b.open(h.publish(t)(h.member(t, "ann@example.org")))
	b.see("Leave team@lists.example.org?")
	b.keys(tabKey + enterKey)
	b.see("You have left team@lists.example.org")
	if got := h.members(t); got != "bob@example.org" {
		t.Errorf("members are %s", got)
	}
}

// A preview, a prefetch, a picture or a frame is not a press; nor can one be had in a frame that something else covers.
func loadedByItself(t *testing.T, b *browser) {
	h := newHouse(t)
	var mu sync.Mutex
	var kinds []string
	site := loopback(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		kinds = append(kinds, r.Header.Get("Sec-Fetch-Dest")+r.Header.Get("Sec-Purpose"))
		mu.Unlock()
		h.ServeHTTP(w, r)
	}))
	link := site + "/" + path(h.member(t, "ann@example.org"))
	reader := loopback(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write([]byte(strings.ReplaceAll(`<!DOCTYPE html><title>Mail</title><link rel="icon" href="data:,"><link rel="prefetch" href="LINK"><h1>Mail</h1>
			<img src="LINK" alt=""><iframe src="LINK"></iframe><p><a href="LINK">Leave</a>`, "LINK", link)))
	}))
	b.open(reader)
	b.see("Mail")
	var all []string
	b.wait(func() bool {
		mu.Lock()
		defer mu.Unlock()
		all = slices.Clone(kinds)
		return slices.Contains(all, "image") && slices.Contains(all, "iframe") && slices.Contains(all, "emptyprefetch")
	}, func() string { return "it loaded only " + strings.Join(all, ", ") })
	b.enter("iframe")
	var buttons int
	if b.run(`return document.querySelectorAll("button").length`, &buttons); buttons > 0 {
		t.Error("the question is shown in a frame")
	}
	b.leave()
	b.press("a")
	b.see("Leave team@lists.example.org?")
	if got := h.members(t); got != everybody {
		t.Errorf("before the press, members are %s", got)
	}
	b.press("button")
	b.see("You have left team@lists.example.org")
	if got := h.members(t); got != "bob@example.org" {
		t.Errorf("members are %s", got)
	}
	b.complaints() // of the frame
}

func asksOnListPage(t *testing.T, b *browser) {
	h := newHouse(t, "language=de")
	b.open(h.publish(t)(h.links.ListURL(h.team)))
	b.see("team@lists.example.org verlassen")
	b.press("button") // of an empty field, which the browser does not send
	b.write("input", "ann@"+enterKey)
	var alert, value string
	b.wait(func() bool {
		b.run(`const a = document.querySelector("[role=alert]"); return a ? a.innerText : ""`, &alert)
		return alert != ""
	}, func() string { return "nobody says that this is no address" })
	if b.run(`return document.querySelector("input").value`, &value); !strings.Contains(alert, "keine E-Mail-Adresse") || value != "ann@" {
		t.Errorf("%q; the field holds %q", alert, value)
	}
	b.complaints() // of the 400
	b.write("input", "example.org")
	b.press("label") // what is tapped on beside the field leads into it
	b.keys(enterKey)
	if text := b.see("Bitte sehen Sie in Ihre Post"); !strings.Contains(text, "ann@example.org") {
		t.Errorf("the page says\n%s", text)
	}
	silent(t, b)
	if want := []string{"team@lists.example.org ann@example.org 127.0.0.1"}; !slices.Equal(h.heard(&h.asked), want) || h.members(t) != everybody {
		t.Errorf("asked %q, want %q; members are %s", h.heard(&h.asked), want, h.members(t))
	}
}

// legible finds what is wider than the window, text that has too little contrast to its ground (WCAG 2.2, 1.4.3), things
// too small for a finger (2.5.5), and those which do not show that the keyboard is theirs (1.4.11).
const legible = `
const faults = [], root = document.documentElement, probe = document.body.appendChild(document.createElement("i"));
probe.style.color = "Canvas";
const parts = text => text.match(/[\d.]+/g).map(Number), canvas = parts(getComputedStyle(probe).color);
probe.remove();
if (root.scrollWidth > root.clientWidth) faults.push("it is " + root.scrollWidth + " wide in a window of " + root.clientWidth);
const light = color => color.slice(0, 3).map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
	.reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const contrast = (...colors) => {
	const [low, high] = colors.map(light).sort((a, b) => a - b);
	return (high + 0.05) / (low + 0.05);
};
for (const e of document.querySelectorAll("h1, p, label, input, button")) {
	let ground = null, opacity = 1;
	for (let at = e; at; at = at.parentElement) {
		const style = getComputedStyle(at), color = parts(style.backgroundColor);
		if (!ground && color[3] !== 0) ground = color;
		opacity *= style.opacity;
	}
	ground ??= canvas;
	const text = parts(getComputedStyle(e).color).slice(0, 3).map((c, i) => c * opacity + ground[i] * (1 - opacity));
	if (contrast(text, ground) < 4.5) faults.push(e.outerHTML + " has a contrast of " + contrast(text, ground).toFixed(2));
	if (!e.matches("input, button")) continue;
	const box = e.getBoundingClientRect();
	if (box.height < 44) faults.push(e.tagName + " is " + box.height + " high");
	e.focus();
	const style = getComputedStyle(e);
	const ring = style.outlineStyle === "none" ? 1 : contrast(parts(style.outlineColor), canvas);
	if (ring < 3) faults.push(e.tagName + " has the focus in a contrast of " + ring.toFixed(2));
	e.blur();
}
return faults`

// everyPageIsLegible shows each page in each language with long addresses, on a telephone and on a desk, by day and by night.
func everyPageIsLegible(t *testing.T, b *browser) {
	h := newHouse(t)
	long := strings.Repeat("abcdefgh", 8)
	pages := loopback(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lang, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		v := &visit{site: h.Site, w: w, r: r, facts: facts{
			Language: lang, List: "team-" + lang + "@lists.example.org", Description: "Tea & talk for everybody in the house", Service: long + "@lists.example.org",
			Member: long + "@" + long[:32] + ".example.org", Wrong: name == "ask",
		}}
		v.show(http.StatusOK, name)
	}))
	b.complaints()
	for _, lang := range lists.Languages() {
		for _, name := range pageNames() {
			b.open(pages + "/" + lang + "/" + name)
			for _, width := range []int{320, 1280} {
				for _, scheme := range []string{"light", "dark"} {
					b.become(width, scheme)
					var faults []string
					if b.run(legible, &faults); len(faults) > 0 {
						t.Errorf("%s %s, %d wide, %s: %q", lang, name, width, scheme, faults)
					}
					if lang == "de" { // the longest words
						b.shoot(name + "-" + strconv.Itoa(width) + "-" + scheme)
					}
				}
			}
		}
	}
	silent(t, b)
}
