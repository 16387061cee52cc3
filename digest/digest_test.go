package digest_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlistd/delivery"
	"superlistd/delivery/spool"
	"superlistd/digest"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/smtpclient"
)

// What is gathered waits until the issue is due, and then each reader has it in his form, once.
func TestDue(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		setting []string
		posts   int
		after   time.Duration
		want    bool
	}{
		{"too few, too small, too young", []string{"digest_count=3"}, 2, 23 * time.Hour, false},
		{"by count", []string{"digest_count=3"}, 3, 0, true},
		{"by size", []string{"digest_size=1kB"}, 8, 0, true},
		{"by hours", nil, 1, 24 * time.Hour, true},
		{"never by hours", []string{"digest_hours=none"}, 1, 1000 * time.Hour, false},
		{"nothing, for long", nil, 0, 1000 * time.Hour, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := open(t, tt.setting...)
			h.join(lists.DeliveryDigest, "dora")
			h.join(lists.DeliveryPlain, "paul")
			h.join(lists.DeliveryMail, "ann")
			h.join(lists.DeliveryNone, "none")
			for n := range tt.posts {
				h.gather(text(n, "Lunch"), 0)
			}
			called := false
			select {
			case <-h.desk.Due():
				called = true
			default:
			}
			if called != (tt.want && tt.after == 0) {
				t.Errorf("called: %v", called)
			}
			h.now = h.now.Add(tt.after)
			h.tick()
			h.tick()
			if !tt.want {
				if h.hop.jobs > 0 || h.list().Digests.Number != 0 {
					t.Errorf("%d jobs, %+v", h.hop.jobs, h.list().Digests)
				}
				return
			}
			posts, _, _ := unfold(t, h.one("dora", lists.DeliveryDigest))
			plain, _, _ := burst(t, h.one("paul", lists.DeliveryPlain))
			if len(posts) != tt.posts || len(plain) != tt.posts {
				t.Errorf("%d posts, %d as text; want %d", len(posts), len(plain), tt.posts)
			}
			if all := append(h.got("ann"), h.got("none")...); len(all) > 0 {
				t.Errorf("others got %+v", all)
			}
			if d := h.list().Digests; d.Number != 1 || d.Volume != 1 || d.Issue != 1 || !d.Sent.Equal(h.now) {
				t.Errorf("%+v", d)
			}
			if left := h.files(); len(left) != 0 {
				t.Errorf("left: %q", left)
			}
		})
	}
}

// files are the posts that lie about.
func (h *house) files() (all []string) {
	h.t.Helper()
	found, err := filepath.Glob(filepath.Join(h.data, "digests", "*", "[0-9]*", "*"))
	must(h.t, err)
	return found
}

// A year begins a volume; the clock that goes back does not.
func TestLabels(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.join(lists.DeliveryPlain, "paul")
	for n, tt := range []struct {
		year int
		want string
	}{
		{2026, "Vol 1, Issue 1"}, {2026, "Vol 1, Issue 2"}, {2027, "Vol 2, Issue 1"}, {2027, "Vol 2, Issue 2"}, {2020, "Vol 2, Issue 3"}, {2031, "Vol 3, Issue 1"},
	} {
		h.now = time.Date(tt.year, 12, 31, 23, 0, 0, 0, time.UTC)
		h.gather(text(n, "Lunch"), n)
		w, err := h.desk.Waiting(t.Context(), list)
		must(t, err)
		if w.Posts != 1 || w.Size == 0 || !w.Oldest.Equal(h.now) || w.Closed != 0 {
			t.Errorf("waiting: %+v", w)
		}
		if sent, err := h.desk.Send(t.Context(), list); sent != 1 || err != nil {
			t.Fatal(sent, err)
		}
		raw := h.one("paul", lists.DeliveryPlain)
		if !strings.Contains(raw, "\r\nSubject: Team Digest, "+tt.want+"\r\n") {
			t.Errorf("no %q in\n%s", tt.want, raw)
		}
		if _, _, end := burst(t, raw); end != "End of Team Digest, "+tt.want {
			t.Errorf("end %q", end)
		}
	}
	if sent, err := h.desk.Send(t.Context(), list); sent != 0 || err != nil {
		t.Errorf("sent nothing: %d, %v", sent, err)
	}
}

// What comes for an issue that is sent already goes to its readers too, under its label.
func TestLate(t *testing.T) {
	t.Parallel()
	h := open(t, "digest_count=2")
	h.join(lists.DeliveryPlain, "paul")
	first := h.gather(text(1, "One"), 0)
	h.gather(text(2, "Two"), 0)
	h.tick()
	h.one("paul", lists.DeliveryPlain)
	<-h.desk.Due()

	must(t, h.desk.Gather(t.Context(), first)) // the spool lost its own note of it
	h.gather(text(3, "Three"), 0)
	<-h.desk.Due()
	h.set("paul", lists.DeliveryMail)
	h.tick()
	raw := h.one("paul", lists.DeliveryPlain)
	posts, _, _ := burst(t, raw)
	if len(posts) != 1 || !strings.Contains(posts[0], "Subject: Three") || !strings.Contains(raw, "Subject: Team Digest, Vol 1, Issue 1, supplement") {
		t.Errorf("the supplement:\n%s", raw)
	}
	h.now = h.now.Add(100 * 24 * time.Hour)
	h.tick()
	h.gather(text(4, "Four"), 0) // so late that nobody knows the label any more
	h.again(nil)
	h.tick()
	if raw := h.one("paul", lists.DeliveryPlain); !strings.Contains(raw, "Vol 2, Issue 1\r\n") {
		t.Errorf("a new label:\n%s", raw)
	}
}

// Where copies are personal, each has a way out of its own: the header leaves room for it, and is not signed yet.
func TestPersonalCopies(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"", "post"} {
		h := open(t, "digest_count=1")
		h.opts.Way = func(_ context.Context, r *delivery.Route, _ lists.List, _ time.Time) { r.Personal = kind }
		h.opts.Note = func(head []byte, body message.Content) (string, error) {
			return fmt.Sprint(len(head), " ", body.Size()), nil
		}
		h.opts.Sign = func(string, []byte, message.Content) []byte { return []byte("DKIM-Signature: x\r\n") }
		h.opts.Deliver = func(ctx context.Context, j delivery.Job) (delivery.Result, error) {
			for _, r := range j.Routes {
				head, note := string(r.Head), ""
				if kind != "" {
					note = fmt.Sprint(len(r.Head), " ", r.Body.Size())
				}
				if shared := kind == ""; strings.Contains(head, "\nList-Unsubscribe: ") != shared || strings.Contains(head, "DKIM-") != shared || r.Note != note {
					t.Errorf("%q: note %q, header\n%s", kind, r.Note, head)
				}
			}
			return h.hop.deliver(ctx, j)
		}
		h.again(nil)
		h.join(lists.DeliveryDigest, "dora")
		h.join(lists.DeliveryPlain, "paul")
		h.gather(text(1, "One"), 0)
		h.tick()
		h.one("dora", lists.DeliveryDigest)
		h.one("paul", lists.DeliveryPlain)
	}
}

// The size that the next hop takes may not be known before it is asked, or change: what it refuses for it goes out in other parts.
func TestSizeThatChanges(t *testing.T) {
	t.Parallel()
	h := open(t, "digest_size=none", "digest_count=none")
	size := int64(0)
	h.opts.MaxSize = func(context.Context) int64 { return size }
	h.again(nil)
	h.join(lists.DeliveryDigest, "dora")
	for n := range 5 {
		h.gather(text(n, "Large")+strings.Repeat(strings.Repeat("x", 70)+"\n", 900), 0)
	}
	h.hop.fail = func() error {
		if size > 0 {
			return nil
		}
		size = 150_000
		return smtpclient.ErrSize
	}
	h.now = h.now.Add(25 * time.Hour)
	if err := h.desk.Tick(t.Context(), h.now); !errors.Is(err, smtpclient.ErrSize) {
		t.Error(err)
	}
	h.now = h.now.Add(time.Hour)
	h.tick()
	posts := 0
	for _, m := range h.got("dora") {
		some, _, _ := unfold(t, m.raw)
		posts += len(some)
		if int64(len(m.raw)) > size {
			t.Errorf("a mail of %d octets", len(m.raw))
		}
	}
	if posts != 5 || len(h.files()) > 0 {
		t.Errorf("%d posts, left %q", posts, h.files())
	}
}

// Only what is not in yet may go out in other parts: what is would come twice.
func TestSizeThatChangesHalfway(t *testing.T) {
	t.Parallel()
	h := open(t, "digest_count=1")
	size := int64(1 << 20)
	h.opts.MaxSize = func(context.Context) int64 { return size }
	h.again(spool.RealDisk{})
	h.join(lists.DeliveryDigest, "dora")
	h.join(lists.DeliveryPlain, "paul")
	h.hop.fail = func() error {
		if len(h.hop.done) == 0 {
			return nil
		}
		size = 2 << 20
		return fmt.Errorf("%w: %w", delivery.ErrPartial, smtpclient.ErrSize)
	}
	h.gather(text(1, "One"), 0)
	if err := h.desk.Tick(t.Context(), h.now); err == nil {
		t.Error("all is well")
	}
	h.hop.fail = nil
	h.gather(text(2, "Two"), 0)
	h.now = h.now.Add(time.Hour)
	h.tick()
	for name, form := range map[string]lists.Delivery{"dora": lists.DeliveryDigest, "paul": lists.DeliveryPlain} {
		once := 0
		for _, m := range h.got(name) {
			once += strings.Count(m.raw, "Post number 1.")
		}
		if once != 1 {
			t.Errorf("%s (%s) has the post %d times", name, form, once)
		}
	}
}

// One works on a list, and the others go on.
func TestBusy(t *testing.T) {
	t.Parallel()
	h := open(t, "digest_count=1")
	h.join(lists.DeliveryDigest, "dora")
	h.gather(text(1, "One"), 0)
	other := digest.New(h.opts)
	asked := false
	h.hop.fail = func() error {
		if !asked {
			asked = true
			if _, err := other.Send(t.Context(), list); !errors.Is(err, digest.ErrBusy) {
				t.Errorf("two at once: %v", err)
			}
			must(t, other.Tick(t.Context(), h.now))
			must(t, other.Gather(t.Context(), h.gathered(text(2, "Two"), 0)))
		}
		return nil
	}
	h.tick()
	h.one("dora", lists.DeliveryDigest)
	must(t, other.Tick(t.Context(), h.now))
	if raw := h.one("dora", lists.DeliveryDigest); !strings.Contains(raw, "supplement") {
		t.Errorf("the other post:\n%s", raw)
	}
}

// A digest that comes back to the list is known, whatever was stripped of it; and no program answers it.
func TestComesBack(t *testing.T) {
	t.Parallel()
	h := open(t, "digest_count=1")
	h.join(lists.DeliveryDigest, "dora")
	h.gather(text(1, "One"), 0)
	h.tick()
	raw := h.one("dora", lists.DeliveryDigest)
	head := message.ParseHeader([]byte(raw))
	if !message.Automatic(head) || message.ID(head) == "" || len(head.Values("Precedence")) != 1 {
		t.Errorf("header:\n%s", head.Bytes())
	}
	for _, strip := range [][]string{nil, {"List-Id"}, {"Received"}} {
		stripped := message.ParseHeader([]byte(raw))
		stripped.Delete(strip...)
		if err := message.CheckLoop(stripped, "mx.lists.test", list, h.list().ID()); !errors.Is(err, message.ErrLoop) {
			t.Errorf("without %q: %v", strip, err)
		}
	}
}
