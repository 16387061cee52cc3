package web

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"superlistd/audit"
	"superlistd/lists"
)

// Options are what a Site works with. All are needed but Proxies, Now and Log.
type Options struct {
	// Links are of this site.
	Links Links
	Store lists.Store
	// Proxies are networks of servers that stand before ours: X-Forwarded-For is believed from them. A peer without
	// an address (a Unix socket) is one.
	Proxies []netip.Prefix
	// Left hears of each member who has left, once, after the store has it.
	Left func(ctx context.Context, l lists.List, m lists.Member)
	// Ask mails the owner of an address whether he wants to leave, if he is a member. The page is the same if he is
	// not, and comes no sooner; after an error it asks to come again. So an error that only members cause would tell who is one.
	Ask func(ctx context.Context, l lists.List, address lists.Address, client netip.Addr) error
	// Now is the clock of the limits; nil is time.Now.
	Now func() time.Time
	// Log hears of what was done, and of what could not be done.
	Log func(Event)
}

// Event is something for the log.
type Event struct {
	What         string
	List, Member lists.Address
	Client       netip.Addr // zero: not known
	Err          error
}

// Site answers at the links (http.Handler). It is safe for many goroutines.
type Site struct {
	opts    Options
	prefix  string // path of the base, with a slash at its end
	pages   map[string]*template.Template
	policy  string // Content-Security-Policy
	limits  limiter
	askTime time.Duration
}

// New returns a Site; the error is of a base that is no https URL.
func New(o Options) (*Site, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = func(Event) {}
	}
	base, err := url.Parse(o.Links.base)
	if err != nil {
		return nil, err
	}
	if base.Scheme != "https" || base.Host == "" {
		return nil, fmt.Errorf("%q is no https URL", o.Links.base)
	}
	pages, err := readPages()
	if err != nil {
		return nil, err
	}
	return &Site{opts: o, prefix: strings.TrimSuffix(base.Path, "/") + "/", pages: pages, policy: contentPolicy(), askTime: askTime}, nil
}

// Limits of one request.
const (
	maxBody = 1 << 10 // octets; what RFC 8058 asks for has 26, an address 320, thrice that when it is escaped
	// workTime is for all that a request sets going.
	workTime = 30 * time.Second
	// askTime is how long it takes at least to ask somebody: a mail takes longer than none, and that would tell who is a member.
	askTime = time.Second
)

// ServeHTTP answers one request. A proxy may take the path of the base away or leave it.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := &visit{site: s, w: w, r: r, client: s.client(r)}
	if !v.allowed(1) {
		return
	}
	path := strings.TrimPrefix(r.URL.Path, "/")
	if below, ok := strings.CutPrefix(r.URL.Path, s.prefix); ok {
		path = below
	}
	var ok bool
	if v.link, ok = s.opts.Links.read(path); !ok {
		v.show(http.StatusNotFound, "broken")
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	// Whoever has asked to leave need not wait for the answer.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), workTime)
	defer cancel()
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	var err error
	if v.link.member.IsZero() {
		err = v.ask(ctx)
	} else {
		err = v.leave(ctx)
	}
	if err != nil {
		v.log("not done", err)
		w.Header().Set("Retry-After", "300")
		v.show(http.StatusServiceUnavailable, "trouble")
	}
}

// visit is one request.
type visit struct {
	site   *Site
	w      http.ResponseWriter
	r      *http.Request
	client netip.Addr
	link   link
	facts  facts
}

func (v *visit) log(what string, err error) {
	v.site.opts.Log(Event{What: what, List: v.link.list, Member: v.link.member, Client: v.client, Err: err})
}

// clientName is the client's address, "" when that is not known.
func (v *visit) clientName() string {
	if !v.client.IsValid() {
		return ""
	}
	return v.client.String()
}

// leave is the page of a member. Only a POST that says what RFC 8058 section 3.2 wants, as our own button does, changes something.
// What it asks for is also true when he has left before, or his list is gone.
func (v *visit) leave(ctx context.Context) error {
	v.facts = facts{List: v.link.list.String(), Member: v.link.member.String()}
	store := v.site.opts.Store
	l, err := store.List(ctx, v.link.list)
	if errors.Is(err, lists.ErrNoList) {
		v.show(http.StatusOK, "absent")
		return nil
	} else if err != nil {
		return err
	}
	m, found, err := store.Member(ctx, l.Address, v.link.member)
	if err != nil {
		return err
	}
	if !found || m.Address.Key() != v.link.member.Key() { // it may be somebody's alias now
		v.about(l, "")
		v.show(http.StatusOK, "absent")
		return nil
	}
	v.about(l, m.Language)
	v.facts.Member = m.Address.String()
	switch {
	case v.r.Method != http.MethodPost:
		v.show(http.StatusOK, "leave")
	case v.field("List-Unsubscribe") != "One-Click":
		v.show(http.StatusBadRequest, "leave")
	default:
		return v.remove(ctx, l, m)
	}
	return nil
}

// remove takes a member off the list. Of several who do that at once, one tells Left.
func (v *visit) remove(ctx context.Context, l lists.List, m lists.Member) error {
	ctx = audit.With(ctx, audit.Actor{By: v.clientName(), Way: audit.ByWeb, Own: true})
	outcome, err := v.site.opts.Store.Change(ctx, l.Address, lists.Change{Remove: []lists.Address{m.Address}})
	if err != nil {
		return err
	}
	if len(outcome.Removed) > 0 {
		v.log("left by the web", nil)
		v.site.opts.Left(ctx, l, m)
	}
	v.show(http.StatusOK, "left")
	return nil
}

// ask is the page of a list: anybody may name an address, and its owner is asked.
func (v *visit) ask(ctx context.Context) error {
	l, err := v.site.opts.Store.List(ctx, v.link.list)
	if errors.Is(err, lists.ErrNoList) {
		v.show(http.StatusNotFound, "broken")
		return nil
	} else if err != nil {
		return err
	}
	v.about(l, "")
	if v.r.Method != http.MethodPost {
		v.show(http.StatusOK, "ask")
		return nil
	}
	v.facts.Member = strings.TrimSpace(v.field("address"))
	address, err := lists.ParseAddress(v.facts.Member)
	if err != nil {
		v.facts.Wrong = true
		v.show(http.StatusBadRequest, "ask")
		return nil
	}
	if !v.allowed(askSteps) {
		return nil
	}
	slow := time.After(v.site.askTime)
	err = v.site.opts.Ask(ctx, l, address, v.client)
	<-slow
	if err != nil {
		v.link.member = address // for the log
		return err
	}
	v.facts.Member = address.String()
	v.show(http.StatusOK, "asked")
	return nil
}

// field is that of a form, urlencoded or of multipart/form-data; the query does not count. A body that is no form, or too large, has none.
func (v *visit) field(name string) string {
	if err := v.r.ParseMultipartForm(maxBody); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return ""
	}
	return v.r.PostForm.Get(name)
}
