package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/foxcpp/go-mockdns"
	"github.com/rs/zerolog"

	"superlistd/delivery"
	"superlistd/identity"
	"superlistd/internal/smtptest"
	"superlistd/letters"
	"superlistd/lists"
	"superlistd/lists/memstore"
	"superlistd/moderation"
	"superlistd/moderation/held"
	"superlistd/posting"
	"superlistd/smtpclient"
	"superlistd/templates"
	"superlistd/token"
)

var update = flag.Bool("update", false, "write what came out into testdata/dialog and docs/replies.md")

// patience is for what must happen in the end, however slow the machine is.
const patience = 30 * time.Second

// setup is what a test asks of its house; the zero value will do.
type setup struct {
	options func(*Options)
	peer    []smtptest.Option
	hop     string                        // instead of a peer
	client  func(*smtpclient.Options)     // of the next hop
	armed   func(*delivery.Options)       // and of delivery
	store   func(lists.Store) lists.Store // wraps the store
	lists   []roster                      // nil: team with ann and bob
	quiet   bool                          // no log
	office  bool                          // there are moderators
	full    bool                          // who hold one post at most
	dns     map[string]string             // TXT records; nil: nobody asks the DNS
}

// roster is a list with its settings ("post=nobody") and members.
type roster struct {
	address  string
	settings []string
	members  []string
}

// house is a server with everything around it: a store, a next hop, and two doors of each kind.
type house struct {
	tb    testing.TB
	srv   *Server
	peer  *smtptest.Peer
	held  *held.Store
	store lists.Store
	log   *logLines
	wg    sync.WaitGroup
	once  sync.Once
	addr  map[string]string // "smtp/tcp", "smtp/unix", "lmtp/tcp", "lmtp/unix"
}

func defaults() Options {
	return Options{
		Hostname: "mx.example.org", MessageSize: 1 << 20, Memory: 16 << 10, Recipients: 100, Sessions: 100, ClientSessions: 100,
		Errors: 20, Line: 8000, CommandTimeout: patience, DataTimeout: patience, Budget: patience,
		Clients: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	}
}

func start(tb testing.TB, s setup) *house {
	tb.Helper()
	h := &house{tb: tb, log: new(logLines), addr: map[string]string{}}
	opts := defaults()
	opts.DataDir = tb.TempDir()
	if s.options != nil {
		s.options(&opts)
	}
	hop := s.hop
	if hop == "" {
		h.peer = smtptest.Start(tb, s.peer...)
		hop = h.peer.Hop()
	}
	h.store = fill(tb, s.lists)
	if s.store != nil {
		h.store = s.store(h.store)
	}
	directory, err := lists.NewDirectory(h.store, []string{"lists.example.org", "bücher.example.org"}, "+")
	if err != nil {
		tb.Fatal(err)
	}
	log := zerolog.New(h.log).Level(zerolog.InfoLevel)
	if s.quiet {
		log = zerolog.Nop()
	}
	hand := h.deliverer(s, hop, log)
	h.bureau(s, &opts, hand, directory)
	h.srv = New(opts, directory, h.store, hand, log)
	h.listen(SMTP)
	h.listen(LMTP)
	tb.Cleanup(h.stop)
	return h
}

// bureau adds what judges posts with the DNS, and keeps those that wait.
func (h *house) bureau(s setup, opts *Options, hand *delivery.Deliverer, directory *lists.Directory) {
	h.tb.Helper()
	if !s.office && s.dns == nil {
		return
	}
	texts, err := templates.New("")
	if err != nil {
		h.tb.Fatal(err)
	}
	desk := posting.Options{Hostname: opts.Hostname, Members: h.store, Texts: texts}
	if s.dns != nil {
		zones := map[string]mockdns.Zone{}
		for name, record := range s.dns {
			zones[name+"."] = mockdns.Zone{TXT: []string{record}}
		}
		desk.Identity = identity.New(identity.Options{Resolver: &mockdns.Resolver{Zones: zones}})
	}
	opts.Desk = posting.New(desk)
	if !s.office {
		return
	}
	keys, err := token.Open(opts.DataDir)
	if err != nil {
		h.tb.Fatal(err)
	}
	var limits held.Options
	if s.full {
		limits.Entries = 1
	}
	h.held = held.Open(opts.DataDir, limits)
	opts.Office = moderation.New(moderation.Options{
		Held: h.held, Store: h.store, Keys: keys, Delimiter: "+",
		Letters: letters.New(letters.Options{Texts: texts, Members: h.store, Hostname: opts.Hostname, Deliver: hand.Deliver}),
		Deliver: hand.Deliver, Routes: Release(opts.Desk, directory, opts.Hostname, nil, hand),
		Log: func(e moderation.Event) {
			if e.Err != nil {
				h.tb.Errorf("%+v", e)
			}
		},
	})
}

// fill makes a store with the lists of a test.
func fill(tb testing.TB, rosters []roster) lists.Store {
	tb.Helper()
	store := memstore.New()
	if rosters == nil {
		rosters = []roster{{address: "team@lists.example.org", members: []string{"ann@example.net", "bob@example.net"}}}
	}
	for _, r := range rosters {
		l := lists.List{Address: addr(tb, r.address), Created: time.Unix(1e9, 0), Settings: lists.DefaultSettings()}
		for _, line := range r.settings {
			name, value, _ := strings.Cut(line, "=")
			setting, err := lists.LookupSetting(name)
			if err == nil {
				err = setting.Set(&l.Settings, value)
			}
			if err != nil {
				tb.Fatal(err)
			}
		}
		var change lists.Change
		for _, m := range r.members {
			change.Add = append(change.Add, lists.Member{Address: addr(tb, m), Since: time.Unix(1e9, 0)})
		}
		if err := store.Create(tb.Context(), l, nil); err != nil {
			tb.Fatal(err)
		}
		if _, err := store.Change(tb.Context(), l.Address, change); err != nil {
			tb.Fatal(err)
		}
	}
	return store
}

func addr(tb testing.TB, s string) lists.Address {
	tb.Helper()
	a, err := lists.ParseAddress(s)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

func (h *house) deliverer(s setup, hop string, log zerolog.Logger) *delivery.Deliverer {
	where, err := smtpclient.ParseHop(hop)
	if err != nil {
		h.tb.Fatal(err)
	}
	client := smtpclient.Options{Hop: where, Hostname: "mx.example.org", ConnectTimeout: patience, Timeout: patience}
	if s.client != nil {
		s.client(&client)
	}
	pool := smtpclient.NewPool(client, 8, time.Minute)
	h.tb.Cleanup(pool.Close)
	bounds := delivery.Options{Batch: 1000, MaxArmed: 20, Connections: 60, RelayShare: 30}
	bounds.Refused = func(list lists.Address, rcpt, reply string) {
		log.Warn().Stringer("list", list).Str("rcpt", rcpt).Str("reply", reply).Msg("member refused by the next hop")
	}
	if s.armed != nil {
		s.armed(&bounds)
	}
	d, err := delivery.New(pool, h.store, bounds, log)
	if err != nil {
		h.tb.Fatal(err)
	}
	return d
}

func (h *house) listen(door Door) {
	for _, network := range []string{"tcp", "unix"} {
		at := "127.0.0.1:0"
		if network == "unix" {
			at = filepath.Join(h.tb.TempDir(), "door")
		}
		l, err := net.Listen(network, at)
		if err != nil {
			h.tb.Fatal(err)
		}
		h.addr[door.String()+"/"+network] = l.Addr().String()
		h.wg.Go(func() {
			if err := h.srv.Serve(l, door); err != nil {
				h.tb.Errorf("Serve: %v", err)
			}
		})
	}
}

// stop shuts the server down; then its log is complete.
func (h *house) stop() {
	h.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := h.srv.Shutdown(ctx); err != nil {
			h.tb.Errorf("Shutdown: %v", err)
		}
		h.wg.Wait()
	})
}

// dial connects to a door: "smtp/tcp".
func (h *house) dial(door string) net.Conn {
	h.tb.Helper()
	_, network, _ := strings.Cut(door, "/")
	c, err := net.Dial(network, h.addr[door])
	if err != nil {
		h.tb.Fatal(err)
	}
	h.tb.Cleanup(func() { _ = c.Close() })
	return c
}

// talk plays a dialogue at a door.
func (h *house) talk(door, text string) {
	h.tb.Helper()
	c := h.dial(door)
	defer c.Close()
	smtptest.Dialog(h.tb, c, text)
}

// eventually waits for what must come.
func eventually(tb testing.TB, what string, is func() bool) {
	tb.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			tb.Fatalf("never: %s", what)
		}
	}
}

// logLines captures the log.
type logLines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// String writes each event as "level message key=value …", without what differs from run to run.
func (l *logLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out strings.Builder
	for line := range bytes.Lines(l.buf.Bytes()) {
		event := map[string]any{}
		if err := json.Unmarshal(line, &event); err != nil {
			fmt.Fprintf(&out, "not JSON: %s", line)
			continue
		}
		fmt.Fprintf(&out, "%v %v", event["level"], event["message"])
		var keys []string
		for k := range event {
			if !slices.Contains([]string{"level", "message", "sid", "took", "peer", "stack", "door", "client"}, k) {
				keys = append(keys, k)
			}
		}
		slices.Sort(keys)
		for _, k := range keys {
			fmt.Fprintf(&out, " %s=%v", k, event[k])
		}
		out.WriteByte('\n')
	}
	return out.String()
}
