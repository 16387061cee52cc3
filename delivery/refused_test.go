package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"superlistd/delivery"
	"superlistd/internal/smtptest"
	"superlistd/smtpclient"
	"superlistd/wire"
)

// refuseSome answers every step-th numbered member with a reply.
func refuseSome(step int, reply string) smtptest.Option {
	return smtptest.RcptReply(func(addr string) string {
		var n int
		if _, err := fmt.Sscanf(addr, "member%d@", &n); err == nil && n%step == 0 {
			return reply
		}
		return ""
	})
}

func TestMembersWhomTheNextHopRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		members, batch, step int
		hop                  []smtptest.Option
	}{
		{3, 10, 3, nil},
		{2 * smtpclient.Window, 10 * smtpclient.Window, 7, nil}, // further back than replies can refer
		{5*smtpclient.Window + 17, 2*smtpclient.Window + 1, 100, nil},
		{4 * smtpclient.Window, 4 * smtpclient.Window, smtpclient.Window, nil},
		{50, 20, 7, []smtptest.Option{smtptest.Ext()}},
	} {
		t.Run(fmt.Sprintf("%d by %d, each %dth", tt.members, tt.batch, tt.step), func(t *testing.T) {
			t.Parallel()
			o := usual
			o.Batch = tt.batch
			h := newHouse(t, o, append(tt.hop, refuseSome(tt.step, "550 5.1.1 No such user"))...)
			members := numbered(tt.members)
			team := h.list("team@lists.test", members...)
			out := h.mustExpand(h.route(team))
			var served, refused []string
			for i, m := range members {
				if i%tt.step == 0 {
					refused = append(refused, "team@lists.test "+m)
				} else {
					served = append(served, m)
				}
			}
			h.wantOnce(served...)
			h.wantRefused(refused...)
			if out[0].Accepted != len(served) || out[0].Refused != len(refused) {
				t.Errorf("outcome %+v, want %d and %d", out, len(served), len(refused))
			}
			for _, why := range h.why {
				if !strings.Contains(why, "550 5.1.1 No such user") {
					t.Errorf("reason %q", why)
				}
			}
		})
	}
}

// Attempts that come to nothing report nobody: here the limit is found behind refused members, and a post
// that is deferred will come again.
func TestRefusedAreReportedOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, usual, smtptest.MaxRcpts(10), refuseSome(4, "550 5.1.1 No such user"))
	h.mustExpand(h.route(h.list("team@lists.test", numbered(16)...)))
	h.wantRefused("team@lists.test member000000@m.test", "team@lists.test member000004@m.test",
		"team@lists.test member000008@m.test", "team@lists.test member000012@m.test")
}

// Whatever fails before the first dot leaves nothing behind.
func TestFailureLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		hop  smtptest.Option
		want error
		code int // of an *smtpclient.Error
	}{
		{"a member is deferred", refuseSome(7, "450 4.2.1 Later"), delivery.ErrDeferred, 0},
		{"the last member is deferred", refuseSome(29, "451 4.7.1 Greylisted"), delivery.ErrDeferred, 0},
		{"all are refused", smtptest.On("RCPT", "550 5.7.1 Relaying denied"), delivery.ErrAllRefused, 0},
		{"no room for the first", smtptest.On("RCPT", "452 4.5.3 Too many"), delivery.ErrDeferred, 0},
		{"MAIL is deferred", smtptest.On("MAIL", "452 4.3.1 Full"), nil, 452},
		{"MAIL is refused", smtptest.On("MAIL", "550 5.7.1 No"), nil, 550},
		{"DATA is deferred", smtptest.On("DATA", "451 4.3.0 Later"), nil, 451},
		{"DATA is refused", smtptest.On("DATA", "554 5.7.1 No"), nil, 554},
		{"the content is refused", smtptest.On(".", "550 5.7.1 Spam"), nil, 550},
		{"the content is deferred", smtptest.On(".", "451 4.3.0 Later"), nil, 451},
		{"no banner", smtptest.On("CONNECT", "554 No"), smtpclient.ErrUnreachable, 0},
		{"421 to the banner", smtptest.On("CONNECT", "421 4.3.2 Busy"), smtpclient.ErrUnreachable, 0},
		{"421 to DATA", smtptest.On("DATA", "421 4.3.2 Bye"), smtpclient.ErrLost, 0},
		{"421 to the dot", smtptest.On(".", "421 4.3.2 Bye"), smtpclient.ErrLost, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := usual
			o.Batch = 10
			h := newHouse(t, o, tt.hop)
			team := h.list("team@lists.test", numbered(30)...)
			_, _, err := h.expand(h.route(team))
			var refusal *smtpclient.Error
			switch {
			case tt.want != nil:
				wantError(t, err, tt.want)
			case !errors.As(err, &refusal) || refusal.Reply.Code != tt.code:
				t.Errorf("error %v, want %d", err, tt.code)
			}
			if got := h.peer.Messages(); len(got) > 0 {
				t.Errorf("%d messages queued", len(got))
			}
			if n := strings.Count(h.peer.Transcript(), "complete: true"); n > 1 || n == 1 && !strings.Contains(tt.name, "content") && !strings.Contains(tt.name, "dot") {
				t.Errorf("%d dots", n)
			}
			h.wantClean()
		})
	}
}

// The deferred member is named, from beyond the window too.
func TestDeferredMemberIsNamed(t *testing.T) {
	t.Parallel()
	o := usual
	o.Batch = 5000
	h := newHouse(t, o, smtptest.RcptReply(func(addr string) string {
		if addr == "member002345@m.test" {
			return "450 4.2.1 Later"
		}
		return ""
	}))
	_, _, err := h.expand(h.route(h.list("team@lists.test", numbered(4000)...)))
	if !errors.Is(err, delivery.ErrDeferred) || !strings.Contains(err.Error(), "member002345@m.test: 450") {
		t.Errorf("error %v", err)
	}
	h.wantNothing()
}

// From the second commit on there is no way back: the error says so, and the outcome says who has it.
func TestFailureAfterTheFirstCommit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		reply string
		want  error
	}{
		{"refused", "550 5.7.1 Spam", delivery.ErrPartial},
		{"lost", "421 4.3.2 Bye", smtpclient.ErrLost},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := usual
			o.Batch = 10
			h := newHouse(t, o, smtptest.FinalReply(func(first string) string {
				if first == "member000000@m.test" {
					return tt.reply
				}
				return ""
			}))
			small := h.list("small@lists.test", "ann@m.test")
			team := h.list("team@lists.test", numbered(20)...)
			out, reply, err := h.expand(h.route(team), h.route(small, team))
			wantError(t, err, delivery.ErrPartial)
			wantError(t, err, tt.want)
			if out[0].Transactions != 1 || out[1].Transactions != 1 || out[1].Accepted != 1 || reply.Code != 250 {
				t.Errorf("outcome %+v, reply %v", out, reply)
			}
			if got := len(h.peer.Queued()); got != 1+out[0].Accepted {
				t.Errorf("%d recipients queued, outcome %+v", got, out)
			}
			h.wantClean()
		})
	}
}

// The caller has committed something before: no refusal may stand for all any more.
func TestCommitBehindAnother(t *testing.T) {
	t.Parallel()
	h := newHouse(t, usual, smtptest.On(".", "550 5.7.1 Spam"))
	e, err := h.d.Expand(t.Context(), wire.ClientInfo{}, []delivery.Route{h.route(h.list("team@lists.test", "ann@m.test"))})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = e.Commit(t.Context(), false)
	wantError(t, err, delivery.ErrPartial)
	h.wantClean()
}

func TestAbortOfWhatIsArmed(t *testing.T) {
	t.Parallel()
	o := usual
	o.Batch = 10
	h := newHouse(t, o)
	team := h.list("team@lists.test", numbered(95)...)
	e, err := h.d.Expand(t.Context(), wire.ClientInfo{}, []delivery.Route{h.route(team)})
	if err != nil {
		t.Fatal(err)
	}
	e.Abort()
	e.Abort() // does nothing
	h.wantNothing()
	h.peer.Close() // reads what is still on the way
	h.wantNothing()
}

// A body that cannot be read (a disk that fails) ends the post, and nothing of it is queued.
func TestBodyCannotBeRead(t *testing.T) {
	t.Parallel()
	o := usual
	o.Batch = 10
	h := newHouse(t, o)
	r := h.route(h.list("team@lists.test", numbered(30)...))
	r.Body = brokenContent{}
	_, _, err := h.expand(r)
	wantError(t, err, errDisk)
	h.wantNothing()
}

var errDisk = errors.New("input/output error")

// brokenContent fails in the middle.
type brokenContent struct{}

func (brokenContent) Size() int64 { return 200_000 }

func (brokenContent) Reader(int64) io.Reader {
	return io.MultiReader(strings.NewReader(strings.Repeat("line\r\n", 15_000)), failingReader{})
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errDisk }

func TestContextEndsAtEachStage(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"EHLO", "MAIL", "RCPT", "DATA"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			o := usual
			o.Batch = 10
			h := newHouse(t, o, smtptest.Delay(20*time.Millisecond))
			team := h.list("team@lists.test", numbered(30)...)
			r := h.route(team)
			stop := make(chan struct{})
			go func() {
				defer close(stop)
				for !strings.Contains(h.peer.Transcript(), "C: "+verb) && ctx.Err() == nil {
					time.Sleep(time.Millisecond)
				}
				cancel()
			}()
			e, err := h.d.Expand(ctx, wire.ClientInfo{}, []delivery.Route{r})
			<-stop
			if err == nil { // on a busy machine everything was armed before the context ended
				e.Abort()
			} else {
				wantError(t, err, context.Canceled)
			}
			h.wantNothing()
		})
	}
}

func TestMembersWhoNeedSMTPUTF8(t *testing.T) {
	t.Parallel()
	members := []string{"ann@m.test", "bärbel@m.test", "cat@m.test", "дима@m.test"}
	for _, tt := range []struct {
		name    string
		hop     []smtptest.Option
		content bool // the post itself needs it
		want    error
		served  []string
		refused []string
		mail    string
	}{
		{"offered", nil, false, nil, members, nil, " SMTPUTF8"},
		{"not offered", []smtptest.Option{smtptest.Ext("PIPELINING")}, false, nil, []string{"ann@m.test", "cat@m.test"},
			[]string{"team@lists.test bärbel@m.test", "team@lists.test дима@m.test"}, "lists.test>"},
		{"not offered, nor PIPELINING", []smtptest.Option{smtptest.Ext()}, false, nil, []string{"ann@m.test", "cat@m.test"},
			[]string{"team@lists.test bärbel@m.test", "team@lists.test дима@m.test"}, "lists.test>"},
		{"needed and not offered", []smtptest.Option{smtptest.Ext("PIPELINING")}, true, smtpclient.ErrUTF8, nil, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := usual
			o.Batch = 3
			h := newHouse(t, o, tt.hop...)
			r := h.route(h.list("team@lists.test", members...))
			r.UTF8 = tt.content
			_, _, err := h.expand(r)
			h.wantRefused(tt.refused...)
			if tt.want != nil {
				wantError(t, err, tt.want)
				h.wantNothing()
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			h.wantOnce(tt.served...)
			for _, m := range h.peer.Messages() {
				if !strings.HasSuffix(m.Mail, tt.mail) {
					t.Errorf("MAIL %s, want …%s", m.Mail, tt.mail)
				}
			}
		})
	}
}

// Only members who need it are there, and the hop cannot: all are refused.
func TestOnlyMembersWhoNeedSMTPUTF8(t *testing.T) {
	t.Parallel()
	h := newHouse(t, usual, smtptest.Ext("PIPELINING"))
	_, _, err := h.expand(h.route(h.list("team@lists.test", "bärbel@m.test")))
	wantError(t, err, delivery.ErrAllRefused)
	h.wantRefused("team@lists.test bärbel@m.test")
	h.wantNothing()
}
