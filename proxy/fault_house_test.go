package proxy_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"superlistd/delivery"
	"superlistd/delivery/spool"
	"superlistd/internal/smtptest"
	"superlistd/lists"
	"superlistd/lists/memstore"
	"superlistd/proxy"
	"superlistd/smtpclient"
)

// faultRosters are the lists of every fault test: bob and cat are on both. With faultBatch each
// needs two transactions.
var faultRosters = map[string][]string{
	"team@lists.test": {"ann@m.test", "bob@m.test", "cat@m.test"},
	"news@lists.test": {"bob@m.test", "cat@m.test", "dan@m.test"},
}

const faultBatch = 2

// faultEnd is the last line of faultContent: a copy without it was cut.
const faultEnd = "-- the end --\r\n"

func faultContent(lines int) string {
	return "Message-ID: <lunch@m.test>\r\nFrom: ann@m.test\r\nSubject: lunch\r\n\r\n" + strings.Repeat(".at one, in the usual place\r\n", lines) + faultEnd
}

// faultAudience is who gets what is sent to an address.
func faultAudience(rcpt string) []string {
	if members := faultRosters[rcpt]; members != nil {
		return members
	}
	return []string{rcpt}
}

// faultSetup is what differs between fault tests; zero values are the usual ones.
type faultSetup struct {
	timeout time.Duration // of the next hop's answers
	dataDir string
	noSpool bool
	marks   spool.Options // of the spool
	store   func(lists.Store) lists.Store
}

// faultHouse is a server at both doors, in front of a peer.
type faultHouse struct {
	t     testing.TB
	peer  *smtptest.Peer
	srv   *proxy.Server
	pool  *smtpclient.Pool
	doors map[proxy.Door]string
	log   *faultLog
	wg    sync.WaitGroup

	spool *spool.Spool // nil: none
	stop  context.CancelFunc

	mu      sync.Mutex
	refused map[string]bool // members whom the peer refused for good
}

func newFaultHouse(t testing.TB, set faultSetup, opts ...smtptest.Option) *faultHouse {
	t.Helper()
	h := &faultHouse{t: t, peer: smtptest.Start(t, opts...), doors: map[proxy.Door]string{}, log: new(faultLog), refused: map[string]bool{}}
	var store lists.Store = faultStore(t)
	if set.store != nil {
		store = set.store(store)
	}
	directory, err := lists.NewDirectory(store, []string{"lists.test"}, "+")
	if err != nil {
		t.Fatal(err)
	}
	hop, err := smtpclient.ParseHop(h.peer.Hop())
	if err != nil {
		t.Fatal(err)
	}
	if set.timeout == 0 {
		set.timeout = 15 * time.Second
	}
	log := zerolog.New(h.log)
	h.pool = smtpclient.NewPool(smtpclient.Options{Hop: hop, Hostname: "mx.lists.test", Timeout: set.timeout}, 20, time.Minute)
	data := t.TempDir()
	if !set.noSpool {
		set.marks.Slots = 2
		h.spool = spool.Open(data, set.marks)
	}
	hand, err := delivery.New(h.pool, store, delivery.Options{
		Batch: faultBatch, MaxArmed: 8, Connections: 40, RelayShare: 20,
		Guard: delivery.NewGuard(filepath.Join(data, "guard")),
		Spool: h.spool, SpoolConnections: 1, SpoolPerList: 1, Lifetime: time.Hour, Timeout: 20 * time.Second, Hostname: "mx.lists.test",
		Backoff: func(int) time.Duration { return time.Millisecond },
		Refused: func(_ lists.Address, rcpt, _ string) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.refused[rcpt] = true
		},
	}, log)
	if err != nil {
		t.Fatal(err)
	}
	h.srv = proxy.New(proxy.Options{
		Hostname: "mx.lists.test", DataDir: set.dataDir, MessageSize: 4 << 20, Memory: 64 << 10, Recipients: 100,
		Sessions: 200, ClientSessions: 200, Errors: 20, Line: 8192,
		CommandTimeout: 20 * time.Second, DataTimeout: 20 * time.Second, Budget: 20 * time.Second,
		Clients: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	}, directory, store, hand, log)
	for _, door := range []proxy.Door{proxy.SMTP, proxy.LMTP} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		h.doors[door] = l.Addr().String()
		h.wg.Go(func() { _ = h.srv.Serve(l, door) }) // ends with Shutdown
	}
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	if s := hand.Spooler(); s != nil {
		h.wg.Go(func() { s.Run(ctx) })
	}
	t.Cleanup(h.close)
	return h
}

// drained waits until nothing waits in the spool.
func (h *faultHouse) drained() error {
	if h.spool == nil {
		return nil
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		infos, err := h.spool.Entries()
		if err == nil && !slices.ContainsFunc(infos, func(i spool.Info) bool { return !i.Failed }) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("left in the spool: %+v, %v", infos, err)
		}
	}
}

func faultStore(t testing.TB) *memstore.Store {
	t.Helper()
	store := memstore.New()
	for name, members := range faultRosters {
		list, err := lists.ParseAddress(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Create(t.Context(), lists.List{Address: list, Settings: lists.DefaultSettings()}, nil); err != nil {
			t.Fatal(err)
		}
		var change lists.Change
		for _, m := range append([]string{"ann@m.test"}, members...) { // the author is on every list
			a, err := lists.ParseAddress(m)
			if err != nil {
				t.Fatal(err)
			}
			if m != "ann@m.test" || name == "team@lists.test" {
				change.Add = append(change.Add, lists.Member{Address: a})
			}
		}
		if _, err := store.Change(t.Context(), list, change); err != nil {
			t.Fatal(err)
		}
		anyone := func(s *lists.Settings) error { s.Post = lists.PostAnyone; return nil }
		if name == "news@lists.test" {
			if _, err := store.Update(t.Context(), list, anyone); err != nil {
				t.Fatal(err)
			}
		}
	}
	return store
}

// close waits until every session has ended. It may be called more than once.
func (h *faultHouse) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := h.srv.Shutdown(ctx); err != nil {
		h.t.Errorf("sessions did not end: %v", err)
	}
	h.stop()
	h.wg.Wait()
	h.pool.Close()
	h.peer.Close()
}

func (h *faultHouse) isRefused(rcpt string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.refused[rcpt]
}

// faultLog is a log that may be read while it is written.
type faultLog struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *faultLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *faultLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// faultPost is one message of a client that does as Postfix does: a recipient who is refused is left
// out, the others go on.
type faultPost struct {
	door    proxy.Door
	bdat    bool
	rcpts   []string
	content string
}

func (p faultPost) hello() string {
	if p.door == proxy.LMTP {
		return "LHLO client.test"
	}
	return "EHLO client.test"
}

// send returns what the client was told in the end for each recipient.
func (h *faultHouse) send(p faultPost) (map[string]string, error) {
	conn, err := net.Dial("tcp", h.doors[p.door])
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return nil, err
	}
	c := &faultClient{conn: conn, r: bufio.NewReader(conn)}
	c.expect("220")
	c.say(p.hello(), "250")
	c.say("MAIL FROM:<ann@m.test>", "250")
	told := map[string]string{}
	var accepted []string
	for _, rcpt := range p.rcpts {
		told[rcpt] = c.say("RCPT TO:<"+rcpt+">", "")
		if strings.HasPrefix(told[rcpt], "250") {
			accepted = append(accepted, rcpt)
		}
	}
	if len(accepted) > 0 && c.err == nil {
		c.content(p, accepted, told)
	}
	if c.err == nil {
		c.say("QUIT", "")
	}
	return told, c.err
}

// faultClient speaks SMTP; its first error stays.
type faultClient struct {
	conn net.Conn
	r    *bufio.Reader
	err  error
}

// reply reads the last line of a reply.
func (c *faultClient) reply() string {
	for c.err == nil {
		var line string
		if line, c.err = c.r.ReadString('\n'); c.err == nil && (len(line) < 4 || line[3] != '-') {
			return strings.TrimRight(line, "\r\n")
		}
	}
	return ""
}

func (c *faultClient) expect(code string) {
	if got := c.reply(); c.err == nil && !strings.HasPrefix(got, code) {
		c.err = fmt.Errorf("reply %q, want %s", got, code)
	}
}

func (c *faultClient) say(line, want string) string {
	if c.err != nil {
		return ""
	}
	if _, c.err = io.WriteString(c.conn, line+"\r\n"); c.err != nil {
		return ""
	}
	got := c.reply()
	if c.err == nil && !strings.HasPrefix(got, want) {
		c.err = fmt.Errorf("%s: reply %q, want %s", line, got, want)
	}
	return got
}

func (c *faultClient) content(p faultPost, accepted []string, told map[string]string) {
	finals := accepted
	if p.door == proxy.SMTP {
		finals = accepted[:1]
	}
	switch {
	case p.bdat:
		half := len(p.content) / 2
		c.chunk(p.content[:half], "")
		if got := c.reply(); !strings.HasPrefix(got, "250") {
			finals = nil // a refused chunk ends it
			for _, rcpt := range accepted {
				told[rcpt] = got
			}
			break
		}
		c.chunk(p.content[half:], " LAST")
	default:
		if got := c.say("DATA", ""); !strings.HasPrefix(got, "354") {
			finals = nil
			for _, rcpt := range accepted {
				told[rcpt] = got
			}
			break
		}
		if c.err == nil {
			_, c.err = io.WriteString(c.conn, strings.ReplaceAll(p.content, "\r\n.", "\r\n..")+".\r\n")
		}
	}
	for i, rcpt := range accepted {
		if i < len(finals) {
			told[rcpt] = c.reply()
		} else if len(finals) > 0 {
			told[rcpt] = told[finals[0]]
		}
	}
}

func (c *faultClient) chunk(content, last string) {
	if c.err == nil {
		_, c.err = fmt.Fprintf(c.conn, "BDAT %d%s\r\n%s", len(content), last, content)
	}
}

// whole is nil when every queued copy is complete, and the client kept to the protocol.
func (h *faultHouse) whole() error {
	if v := h.peer.Violations(); len(v) > 0 {
		return fmt.Errorf("violations: %q", v)
	}
	for _, m := range h.peer.Messages() {
		if !strings.HasSuffix(m.Content, faultEnd) {
			return errors.New("a copy was cut")
		}
	}
	return nil
}
