package housetest

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"superlistd/delivery"
	"superlistd/message"
)

// Letter is a mail that the next hop has.
type Letter struct {
	From, To string // its reverse-path, and the readers that are no list's members
	Text     string // whole
	Route    delivery.Route
}

// Header is its header.
func (l Letter) Header() message.Header { return message.ParseHeader([]byte(l.Text)) }

// Value is what stands in the fields of a name.
func (l Letter) Value(name string) string { return strings.Join(l.Header().Values(name), " | ") }

// Subject is what a person reads there.
func (l Letter) Subject() string { return strings.Join(message.Texts(l.Header(), "Subject"), " | ") }

// Body is the text that a person reads.
func (l Letter) Body(t testing.TB) string {
	t.Helper()
	b, err := message.Inspect(message.Octets(l.Text))
	Must(t, err)
	text, err := b.Text(1 << 20)
	Must(t, err)
	return strings.ReplaceAll(text, "\r\n", "\n")
}

// WantText checks that its text has all of these.
func (l Letter) WantText(t testing.TB, want ...string) {
	t.Helper()
	body := l.Body(t)
	for _, w := range want {
		if !strings.Contains(body, w) {
			t.Errorf("no %q in\n%s", w, body)
		}
	}
}

// Line is "reader: words of the subject"; of a post to a list the reader is "members".
func (l Letter) Line() string {
	if !l.Route.Audience.List.IsZero() {
		return "members: " + l.Subject()
	}
	return l.To + ": " + l.Subject()
}

// Deliver takes a job with one mail as a Deliverer does that has a retry guard: a mail whose key is known is not sent again.
func (h *House) Deliver(_ context.Context, j delivery.Job) (delivery.Result, error) {
	err := h.Step("deliver")
	if err == nil {
		err = h.send(j)
	}
	if err == nil {
		err = h.Step("after deliver")
	}
	return delivery.Result{}, err
}

func (h *House) send(j delivery.Job) error {
	if len(j.Routes) != 1 || j.Gone() || j.Routes[0].Key == (delivery.Key{}) {
		return fmt.Errorf("odd job: %+v", j)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	r := j.Routes[0]
	if h.Refuse != nil {
		if err := h.Refuse(r); err != nil {
			return err
		}
	}
	if h.done[r.Key] {
		return nil
	}
	body, err := io.ReadAll(r.Body.Reader(r.BodyOffset))
	if err != nil {
		return err
	}
	if int64(len(body)) != r.Body.Size()-r.BodyOffset {
		return fmt.Errorf("body of %d octets, announced %d", len(body), r.Body.Size()-r.BodyOffset)
	}
	h.done[r.Key] = true
	h.sent = append(h.sent, Letter{
		From: r.ReversePath.String(), To: strings.Join(r.Audience.Fixed, " "), Text: string(r.Head) + string(body), Route: r,
	})
	return nil
}

// WantSent checks what was sent since it was asked last, by the Line of each letter, in any order, and returns it in the order that it was
// sent in. Other letters end the test.
func (h *House) WantSent(want ...string) []Letter {
	h.T.Helper()
	all := h.Take()
	got := make([]string, len(all))
	for i, l := range all {
		got[i] = l.Line()
	}
	slices.Sort(got)
	if want = slices.Sorted(slices.Values(want)); !slices.Equal(got, want) {
		h.T.Fatalf("sent:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	return all
}

// Sent finds the letter of a Line among those.
func Sent(t testing.TB, all []Letter, line string) Letter {
	t.Helper()
	i := slices.IndexFunc(all, func(l Letter) bool { return l.Line() == line })
	if i < 0 {
		t.Fatalf("no letter %q", line)
	}
	return all[i]
}

// Take returns what was sent since it was asked last.
func (h *House) Take() []Letter {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := h.sent
	h.sent = nil
	return all
}
