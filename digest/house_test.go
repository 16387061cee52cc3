package digest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"superlistd/delivery"
	"superlistd/delivery/spool"
	"superlistd/digest"
	"superlistd/internal/faultdisk"
	"superlistd/internal/housetest"
	"superlistd/lists"
	"superlistd/lists/memstore"
	"superlistd/message"
)

var must, address, start = housetest.Must, housetest.Address, housetest.Start

// sent is a mail that a member got.
type sent struct {
	form lists.Delivery
	raw  string
}

// hop is the next hop, with the retry guard before it.
type hop struct {
	t     testing.TB
	store lists.Store

	mu    sync.Mutex
	done  map[delivery.Key]bool
	boxes map[string][]sent // by member
	jobs  int
	// fail, unless nil, is asked before each route of a job, and once more behind the last; not about the spool, whose error is another one.
	fail  func() error
	spool error
}

func (h *hop) deliver(ctx context.Context, j delivery.Job) (delivery.Result, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.jobs++
	fail := h.fail
	if len(j.Routes) > 0 && j.Routes[0].Spooled {
		fail = func() error { return h.spool }
	}
	if j.Gone() || j.Client.Source != "LOCAL" {
		h.t.Errorf("job %+v", j)
	}
	for _, r := range j.Routes {
		if fail != nil {
			if err := fail(); err != nil {
				return delivery.Result{}, err
			}
		}
		if r.Key == (delivery.Key{}) {
			h.t.Error("a route without a key")
		}
		if h.done[r.Key] {
			continue
		}
		if err := h.deal(ctx, r); err != nil {
			return delivery.Result{}, err
		}
		h.done[r.Key] = true
	}
	if fail != nil {
		return delivery.Result{}, fail()
	}
	return delivery.Result{}, nil
}

func (h *hop) deal(ctx context.Context, r delivery.Route) error {
	body, err := io.ReadAll(r.Body.Reader(r.BodyOffset))
	if err != nil || int64(len(body)) != r.Body.Size()-r.BodyOffset {
		h.t.Errorf("body: %d octets of %d, %v", len(body), r.Body.Size(), err)
	}
	if eight := bytes.ContainsFunc(body, func(c rune) bool { return c >= 0x80 }); eight && !r.EightBit {
		h.t.Error("octets beyond ASCII without EightBit")
	}
	for rs := (lists.Recipients{Select: r.Audience.Select}); !rs.Done(); rs.Reset() {
		if err := h.store.Recipients(ctx, r.Audience.List, &rs, 7); err != nil {
			return err
		}
		for i := range rs.Len() {
			key := string(rs.Key(i))
			h.boxes[key] = append(h.boxes[key], sent{r.Audience.Select.Delivery, string(r.Head) + string(body)})
		}
	}
	return nil
}

// house is a desk with a list and a next hop.
type house struct {
	t     testing.TB
	data  string
	store *memstore.Store
	hop   *hop
	opts  digest.Options
	desk  *digest.Desk
	now   time.Time
	log   []digest.Event
	posts int
}

var list = lists.Address{Local: "team", Domain: "lists.test"}

func open(t testing.TB, settings ...string) *house {
	t.Helper()
	h := &house{t: t, data: t.TempDir(), store: memstore.New(), now: start}
	h.hop = &hop{t: t, store: h.store, done: map[delivery.Key]bool{}, boxes: map[string][]sent{}}
	h.opts = digest.Options{
		Data: h.data, Store: h.store, Texts: housetest.Texts(t), Hostname: "mx.lists.test", Deliver: h.hop.deliver,
		Now: func() time.Time { return h.now }, Log: func(e digest.Event) { h.log = append(h.log, e) },
	}
	h.again(nil)
	h.create(settings...)
	return h
}

func (h *house) create(settings ...string) {
	h.t.Helper()
	l := lists.List{Address: list, Created: h.now, Settings: lists.DefaultSettings()}
	l.Settings.Description = "Team"
	for _, line := range settings {
		name, value, _ := strings.Cut(line, "=")
		s, err := lists.LookupSetting(name)
		must(h.t, err)
		must(h.t, s.Set(&l.Settings, value))
	}
	must(h.t, h.store.Create(h.t.Context(), l, nil))
}

// join adds members, each "ann" of example.org, with a delivery.
func (h *house) join(d lists.Delivery, names ...string) {
	h.t.Helper()
	var c lists.Change
	for _, n := range names {
		c.Add = append(c.Add, lists.Member{Address: address(h.t, n+"@example.org"), Delivery: d})
	}
	_, err := h.store.Change(h.t.Context(), list, c)
	must(h.t, err)
}

func (h *house) set(name string, d lists.Delivery) {
	h.t.Helper()
	_, err := h.store.UpdateMember(h.t.Context(), list, address(h.t, name+"@example.org"), func(m *lists.Member) error {
		m.Delivery = d
		return nil
	})
	must(h.t, err)
}

func (h *house) list() lists.List {
	h.t.Helper()
	l, err := h.store.List(h.t.Context(), list)
	must(h.t, err)
	return l
}

// text is a post with LF line ends.
func text(n int, subject string) string {
	return fmt.Sprintf("From: Ann <ann@example.org>\nTo: team@lists.test\nSubject: %s\nDate: Sat, 21 Nov 2026 12:00:00 +0000\nMessage-ID: <%d@example.org>\n\nPost number %d.\n", subject, n, n)
}

// gathered is a post as package delivery hands it over.
func (h *house) gathered(raw string, issue int) delivery.Gathered {
	h.posts++
	raw = strings.ReplaceAll(raw, "\n", "\r\n")
	head := message.ParseHeader([]byte(raw)).Bytes()
	return delivery.Gathered{
		List: list, Issue: issue, ID: fmt.Sprintf("%032x", h.posts), MessageID: "<1@example.org>", At: h.now,
		Head: head, Body: message.Octets(raw[len(head):]),
	}
}

func (h *house) gather(raw string, issue int) delivery.Gathered {
	h.t.Helper()
	g := h.gathered(raw, issue)
	must(h.t, h.desk.Gather(h.t.Context(), g))
	return g
}

func (h *house) tick() {
	h.t.Helper()
	must(h.t, h.desk.Tick(h.t.Context(), h.now))
}

// got are the mails of a member since he was asked last.
func (h *house) got(name string) []sent {
	key := name + "@example.org"
	all := h.hop.boxes[key]
	h.hop.boxes[key] = nil
	return all
}

// one is the only mail of a member.
func (h *house) one(name string, form lists.Delivery) string {
	h.t.Helper()
	all := h.got(name)
	if len(all) != 1 || all[0].form != form {
		h.t.Fatalf("%s got %d mails: %+v", name, len(all), all)
	}
	return all[0].raw
}

func (h *house) logged(what string) bool {
	return slices.ContainsFunc(h.log, func(e digest.Event) bool { return strings.Contains(e.What, what) })
}

// again is another process on the same folder. Its disk, nil for a good one, really syncs nothing.
func (h *house) again(disk spool.Disk) {
	if disk == nil {
		disk = faultdisk.New(faultdisk.Fault{})
	}
	h.opts.Disk = disk
	h.desk = digest.New(h.opts)
}

// posts are the texts of the posts in a digest of MIME, and the words around them.
func unfold(t testing.TB, raw string) (posts []string, intro, footer string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(raw))
	must(t, err)
	for n, p := range parts(t, m.Header.Get("Content-Type"), m.Body) {
		switch {
		case n == 0:
			intro = p.text
		case n == 1:
			if m.Header.Get("Content-Transfer-Encoding") != p.encoding {
				t.Errorf("encoding %q, inside %q", m.Header.Get("Content-Transfer-Encoding"), p.encoding)
			}
			for _, post := range parts(t, p.kind, strings.NewReader(p.text)) {
				if kind, _, _ := mime.ParseMediaType(post.kind); kind != "message/rfc822" && kind != "message/global" {
					t.Errorf("a part of the type %q", post.kind)
				}
				if !ascii(post.text) && post.encoding != "8bit" || p.encoding == "7bit" && post.encoding == "8bit" {
					t.Errorf("a post in %q, in a digest in %q", post.encoding, p.encoding)
				}
				posts = append(posts, post.text)
			}
		case n == 2:
			footer = p.text
		default:
			t.Errorf("part %d", n)
		}
	}
	return posts, intro, footer
}

type part struct{ kind, encoding, text string }

func parts(t testing.TB, kind string, r io.Reader) (all []part) {
	t.Helper()
	_, params, err := mime.ParseMediaType(kind)
	if err != nil || params["boundary"] == "" {
		t.Fatalf("type %q: %v", kind, err)
	}
	for m := multipart.NewReader(r, params["boundary"]); ; {
		p, err := m.NextRawPart()
		if errors.Is(err, io.EOF) {
			return all
		}
		must(t, err)
		raw, err := io.ReadAll(p)
		must(t, err)
		all = append(all, part{p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), string(raw)})
	}
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c >= 0x80 })
}

// burst takes a digest of RFC 1153 apart.
func burst(t testing.TB, raw string) (posts []string, preamble, end string) {
	t.Helper()
	b, err := message.Inspect(message.Octets(raw))
	must(t, err)
	body, err := b.Text(100 << 20)
	must(t, err)
	preamble, rest, ok := strings.Cut(body, "\n"+strings.Repeat("-", 70)+"\n\n")
	if !ok {
		t.Fatalf("no preamble in\n%s", body)
	}
	all := strings.Split("\n"+rest, "\n\n"+strings.Repeat("-", 30)+"\n\n")
	for n, p := range all {
		all[n] = strings.TrimPrefix(p, "\n")
	}
	end = all[len(all)-1]
	lines := strings.Split(strings.TrimSuffix(end, "\n"), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "End of ") || lines[1] != strings.Repeat("*", len([]rune(lines[0]))) {
		t.Fatalf("end %q", end)
	}
	return all[:len(all)-1], preamble, lines[0]
}
