package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"superlistd/lists"
)

func TestOneClick(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, kind, body string }{
		{"urlencoded", formType, oneClick},
		{"with a charset", formType + "; charset=utf-8", "a=b&" + oneClick},
		{"multipart, as RFC 8058 would rather have it", multiType, multi},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			w := h.do(http.MethodPost, h.member(t, "ann@example.org"), tt.kind, tt.body)
			if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "You have left team@lists.example.org") {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if got := h.members(t); got != "bob@example.org" {
				t.Errorf("members are %s", got)
			}
			if want := []string{"team@lists.example.org Ann@example.org Ann"}; !slices.Equal(h.left, want) || !slices.Equal(h.events, []string{"left by the web"}) {
				t.Errorf("Left heard %q, want %q; the log %q", h.left, want, h.events)
			}
		})
	}
}

// Whatever fetches a link, and whatever else comes as a POST, changes nothing.
func TestNothingElseActs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, method, query, kind, body string
		want                            int
	}{
		{"GET", "GET", "", "", "", 200},
		{"GET with the words", "GET", "?" + oneClick, formType, oneClick, 200},
		{"HEAD", "HEAD", "?" + oneClick, formType, oneClick, 200},
		{"OPTIONS", "OPTIONS", "", formType, oneClick, 405},
		{"PUT", "PUT", "", formType, oneClick, 405},
		{"DELETE", "DELETE", "", formType, oneClick, 405},
		{"a method of nobody", "POSTS", "", formType, oneClick, 405},
		{"POST of nothing", "POST", "", formType, "", 400},
		{"the words in the query", "POST", "?" + oneClick, formType, "", 400},
		{"no form", "POST", "", "text/plain", oneClick, 400},
		{"no type", "POST", "", "", oneClick, 400},
		{"other words", "POST", "", formType, "List-Unsubscribe=Two-Clicks", 400},
		{"another field", "POST", "", formType, "address=ann@example.org", 400},
		{"too large", "POST", "", formType, strings.Repeat("a", maxBody) + "&" + oneClick, 400},
		{"too large behind", "POST", "", formType, oneClick + "&" + strings.Repeat("a", maxBody), 400},
		{"multipart without an end", "POST", "", multiType, strings.TrimSuffix(multi, "--x--\r\n"), 400},
		{"multipart that is too large", "POST", "", multiType, strings.Repeat("a", maxBody) + "\r\n" + multi, 400},
		{"a file", "POST", "", multiType, strings.Replace(multi, "\"\r\n", "\"; filename=x\r\n", 1), 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			w := h.do(tt.method, h.member(t, "ann@example.org")+tt.query, tt.kind, tt.body)
			if w.Code != tt.want {
				t.Errorf("%d, want %d", w.Code, tt.want)
			}
			if got := h.members(t); got != everybody || len(h.left) > 0 {
				t.Errorf("members are %s; Left heard %q", got, h.left)
			}
		})
	}
}

func TestPathBelowTheBase(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	good := path(h.member(t, "ann@example.org"))
	for in, want := range map[string]int{
		"/mail/" + good: 200, "/" + good: 200, // a proxy took the path of the base away
		"/mail/mail/" + good: 404, "/mailbox/" + good: 404, "/": 404, "/mail": 404, "/robots.txt": 404, "//" + good: 404, "/mail/" + good + "/": 404,
		"/mail/./" + good: 404, "/mail/" + strings.ToUpper(good): 404,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL.Path = in
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != want || w.Header().Get("Location") != "" {
			t.Errorf("%s: %d, want %d", in, w.Code, want)
		}
	}
}

// What was asked for is true when the member is gone, so it is no fault.
func TestLeftBefore(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	url := h.member(t, "ann@example.org")
	for i, want := range []string{"You have left", "Nothing left to do", "Nothing left to do"} {
		if w := h.post(url, oneClick); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("time %d: %d %s, want %q", i+1, w.Code, w.Body, want)
		}
	}
	if w := h.get(url); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Nothing left to do") || strings.Contains(w.Body.String(), "<form") {
		t.Errorf("GET afterwards: %d %s", w.Code, w.Body)
	}
	if err := h.store.Delete(t.Context(), h.team); err != nil {
		t.Fatal(err)
	}
	if w := h.post(url, oneClick); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Nothing left to do") {
		t.Errorf("the list is gone: %d %s", w.Code, w.Body)
	}
	if len(h.left) != 1 {
		t.Errorf("Left heard %q", h.left)
	}
}

// Somebody left, and his address is now an alias of another member.
func TestAliasIsNobody(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	if w := h.post(h.member(t, "bob@home.example"), oneClick); !strings.Contains(w.Body.String(), "Nothing left to do") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if got := h.members(t); got != everybody {
		t.Errorf("members are %s", got)
	}
}

func TestManyClicksAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	url := h.member(t, "ann@example.org")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if w := h.post(url, oneClick); w.Code != http.StatusOK {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	if wg.Wait(); len(h.left) != 1 || h.members(t) != "bob@example.org" {
		t.Errorf("Left heard %q; members are %s", h.left, h.members(t))
	}
}

// A client that does not wait for the answer has left all the same.
func TestClientHangsUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx, cancel := context.WithCancel(t.Context())
	r := httptest.NewRequest(http.MethodPost, h.member(t, "ann@example.org"), strings.NewReader(oneClick)).WithContext(ctx)
	r.Header.Set("Content-Type", formType)
	cancel()
	if h.ServeHTTP(httptest.NewRecorder(), r); h.members(t) != "bob@example.org" || len(h.left) != 1 {
		t.Errorf("members are %s, Left heard %q", h.members(t), h.left)
	}
}

// Law at every fault: "left" is said when the member is gone and Left has heard it once; all else is a 503 that changed nothing.
func TestFaultsOfTheStore(t *testing.T) {
	t.Parallel()
	for n, tripped := 1, true; tripped; n++ {
		h := newHouse(t)
		h.store.failing = n
		w := h.post(h.member(t, "ann@example.org"), oneClick)
		gone := h.members(t) != everybody
		if done := w.Code == http.StatusOK; done != gone || done != (len(h.left) == 1) || !done && (w.Code != 503 || w.Header().Get("Retry-After") == "") {
			t.Errorf("fault %d: %d, gone %v, Left heard %q", n, w.Code, gone, h.left)
		}
		if tripped = w.Code != http.StatusOK; tripped != slices.Contains(h.events, "not done") {
			t.Errorf("fault %d: %d, the log has %q", n, w.Code, h.events)
		}
		if n == 1 && !tripped {
			t.Error("no fault was met")
		}
	}
	h := newHouse(t)
	h.store.failing = 1
	if w := h.get(h.links.ListURL(h.team)); w.Code != 503 {
		t.Errorf("list's page: %d", w.Code)
	}
}

func TestAsk(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, body string
		code       int
		asked      []string
		says       string
	}{
		{"a member", "address=ann@example.org", 200, []string{"team@lists.example.org ann@example.org 192.0.2.7"}, "a mail is on its way there"},
		{"a stranger sees the same", "address=+eve%40example.org+", 200, []string{"team@lists.example.org eve@example.org 192.0.2.7"}, "a mail is on its way there"},
		{"the longest address", "address=" + strings.Repeat("%C3%BC", 154) + "%40example.org", 200, []string{"team@lists.example.org " + strings.Repeat("ü", 154) + "@example.org 192.0.2.7"}, "a mail is on its way there"},
		{"no address", "address=ann", 400, nil, "That is no mail address"},
		{"two addresses", "address=ann@example.org,bob@example.org", 400, nil, "That is no mail address"},
		{"a line end", "address=ann@example.org%0ABcc:bob@example.org", 400, nil, "That is no mail address"},
		{"one click is for those who have a link", oneClick, 400, nil, "That is no mail address"},
		{"markup", "address=<script>@example.org", 400, nil, "That is no mail address"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			w := h.post(h.links.ListURL(h.team), tt.body)
			if w.Code != tt.code || !slices.Equal(h.asked, tt.asked) || !strings.Contains(w.Body.String(), tt.says) || h.members(t) != everybody {
				t.Errorf("%d %s; asked %q, want %q", w.Code, w.Body, h.asked, tt.asked)
			}
		})
	}
}

// That a mail was written does not show by the time that it took.
func TestAskingTakesItsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		if h.mailing = 900 * time.Millisecond; h.mailing > askTime {
			t.Fatalf("at least %v", askTime)
		}
		h.askTime = askTime
		took := func(who string) time.Duration {
			begin := time.Now()
			if w := h.post(h.links.ListURL(h.team), "address="+who+"@example.org"); w.Code != http.StatusOK {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			return time.Since(begin)
		}
		if member, stranger := took("ann"), took("eve"); member != stranger {
			t.Errorf("%v for a member, %v for a stranger", member, stranger)
		}
	})
}

func TestAskTrouble(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.askErr = errFault
	if w := h.post(h.links.ListURL(h.team), "address=ann@example.org"); w.Code != 503 || w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), errFault.Error()) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if err := h.store.Delete(t.Context(), h.team); err != nil {
		t.Fatal(err)
	}
	if w := h.get(h.links.ListURL(h.team)); w.Code != 404 {
		t.Errorf("the list is gone: %d", w.Code)
	}
}

// A bomb of requests for mails is over after five, and so is whatever else the client wants, for a while.
func TestAskingCosts(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	url := h.links.ListURL(h.team)
	for range 1000 {
		h.post(url, "address=ann@example.org")
	}
	if most := burst / askSteps; len(h.asked) == 0 || len(h.asked) > most {
		t.Errorf("%d mails, want 1 to %d", len(h.asked), most)
	}
	w := h.post(h.member(t, "ann@example.org"), oneClick)
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "1" || h.members(t) != everybody {
		t.Errorf("%d, Retry-After %q, members %s", w.Code, w.Header().Get("Retry-After"), h.members(t))
	}
	h.clock = h.clock.Add(stepTime)
	if w := h.post(h.member(t, "ann@example.org"), oneClick); w.Code != http.StatusOK {
		t.Errorf("a second later: %d", w.Code)
	}
}

func TestNewWantsHTTPS(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"", "http://example.org", "https:", "https://a b", "://"} {
		if _, err := New(Options{Links: NewLinks(base, newKeys(t))}); err == nil {
			t.Errorf("%q is taken", base)
		}
	}
}

var _ lists.Store = (*faulty)(nil)
