package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"superlistd/bouncing"
	"superlistd/delivery"
	"superlistd/enrol"
	"superlistd/lists"
	"superlistd/moderation"
	"superlistd/posting"
	"superlistd/wire"
)

// Options are the limits and the identity of a Server. Zero numbers mean no limit,
// unless said otherwise.
type Options struct {
	Hostname string // our name in banners, replies and Received fields
	DataDir  string // where messages go that are larger than Memory

	MessageSize    int64         // octets of content, RFC 1870
	Memory         int           // octets of a post that are held in memory before it goes to a file
	Recipients     int           // per transaction, RFC 5321 section 4.5.3.1.8; must be positive
	Sessions       int           // at once; must be positive
	ClientSessions int           // at once from one address; must be positive
	Errors         int           // protocol errors before the session is ended; must be positive
	Line           int           // octets of a command line; must be positive
	CommandTimeout time.Duration // wait for a command, RFC 5321 section 4.5.3.2.7
	DataTimeout    time.Duration // wait for the next octets of content, section 4.5.3.2.5
	Budget         time.Duration // for everything we do ourselves under one command; below Postfix's smtpd_proxy_timeout

	HeloCheck HeloCheck
	Resolver  Resolver       // for HeloResolvable
	TLS       *tls.Config    // offers STARTTLS when set
	Clients   []netip.Prefix // who may connect over TCP; nobody else, since the next hop trusts us
	XClient   []netip.Prefix // who may use XCLIENT

	// Desk judges and dresses posts; nil: one that asks nobody but the store.
	Desk *posting.Desk
	// Office keeps posts for moderators; nil: what would be held is refused.
	Office *moderation.Office
	// Enrol takes what people ask of a list by mail; nil: its owners get that.
	Enrol *enrol.Desk
	// Bounces counts what comes back; nil: it is logged and forgotten.
	Bounces *bouncing.Desk
	// Now tells when a post came; nil is time.Now.
	Now func() time.Time
}

// Server answers SMTP and LMTP sessions. Its methods may be called concurrently.
type Server struct {
	opts   Options
	lists  *lists.Directory
	store  lists.Store
	hop    *delivery.Deliverer
	desk   *posting.Desk
	press  press
	office *moderation.Office
	log    zerolog.Logger

	ctx    context.Context // ends when sessions must not go on
	cancel context.CancelFunc

	mu       sync.Mutex
	stopping bool
	active   map[*link]struct{}
	clients  map[netip.Addr]int
	doors    map[net.Listener]struct{}
	running  sync.WaitGroup
}

// New returns a server that routes recipients by directory, reads members from store and
// hands mail to hop.
func New(opts Options, directory *lists.Directory, store lists.Store, hop *delivery.Deliverer, log zerolog.Logger) *Server {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &Server{
		opts: opts, lists: directory, store: store, hop: hop, desk: opts.Desk, office: opts.Office, log: log,
		active: map[*link]struct{}{}, clients: map[netip.Addr]int{}, doors: map[net.Listener]struct{}{},
	}
	if s.desk == nil {
		s.desk = posting.New(posting.Options{Hostname: opts.Hostname, Members: store})
	}
	s.press = press{s.desk, directory, opts.Hostname, opts.Bounces, hop}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Door says which protocol a listener speaks.
type Door int

// The filter's door speaks SMTP; mail that starts inside Postfix comes by the LMTP door (RFC 2033).
const (
	SMTP Door = iota
	LMTP

	// Trusted is added to a door, as in SMTP|Trusted, behind which somebody else has made sure that
	// From is the sender's own.
	Trusted Door = 1 << 4
)

func (d Door) String() string { return [...]string{"smtp", "lmtp"}[d&^Trusted] }

// Serve accepts sessions until the listener is closed by Shutdown; then it returns nil.
// Any other end of the listener is an error.
func (s *Server) Serve(l net.Listener, door Door) error {
	s.mu.Lock()
	if s.stopping {
		s.mu.Unlock()
		return l.Close()
	}
	s.doors[l] = struct{}{}
	s.mu.Unlock()
	wait := 5 * time.Millisecond
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			wait = 5 * time.Millisecond
			s.mu.Lock()
			if s.stopping {
				s.mu.Unlock()
				conn.Close()
				continue
			}
			s.running.Add(1)
			s.mu.Unlock()
			go func() {
				defer s.running.Done()
				s.ServeConn(conn, door)
			}()
		case errors.Is(err, net.ErrClosed) && s.isStopping():
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		default: // out of descriptors, mostly: the sessions that end will free some
			s.log.Error().Err(err).Msg("accept failed")
			time.Sleep(wait)
			wait = min(2*wait, time.Second)
		}
	}
}

// ServeConn holds one session on conn and closes it.
func (s *Server) ServeConn(conn net.Conn, door Door) {
	l := newLink(s.ctx, conn, s.opts.CommandTimeout, s.opts.CommandTimeout)
	defer l.close()
	sess := newSession(s, l, door)
	if !s.admit(sess) {
		return
	}
	defer s.leave(sess)
	stop := context.AfterFunc(s.ctx, l.cut)
	defer stop()
	defer func() {
		if cause := recover(); cause != nil {
			sess.abort()
			sess.log.Error().Any("panic", cause).Bytes("stack", debug.Stack()).Msg("session failed")
			refuse(l, text(421, "4.3.0", "Local trouble, try again later"))
		}
	}()
	sess.run()
}

// refuse writes a last reply to a client whom no session serves any more.
func refuse(l *link, r wire.Reply) {
	l.w.Write(r.Append(nil))
}

// admit counts the session in, or tells the client why not.
func (s *Server) admit(sess *session) bool {
	addr := sess.peer.Addr()
	if addr.IsValid() && !within(addr, s.opts.Clients) {
		sess.log.Warn().Msg("client refused: not in clients")
		refuse(sess.link, text(554, "5.7.1", "No access from here"))
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.stopping:
		refuse(sess.link, replyTo(errStopping))
		return false
	case len(s.active) >= s.opts.Sessions:
		sess.log.Warn().Int("sessions", len(s.active)).Msg("client refused: too many sessions")
		refuse(sess.link, text(421, "4.3.2", "Too many sessions, try again later"))
		return false
	case addr.IsValid() && s.clients[addr] >= s.opts.ClientSessions:
		sess.log.Warn().Int("sessions", s.clients[addr]).Msg("client refused: too many sessions of its own")
		refuse(sess.link, text(421, "4.7.0", "Too many sessions from you, try again later"))
		return false
	}
	s.active[sess.link] = struct{}{}
	s.clients[addr]++
	return true
}

func (s *Server) leave(sess *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.active, sess.link)
	addr := sess.peer.Addr()
	if s.clients[addr]--; s.clients[addr] == 0 {
		delete(s.clients, addr)
	}
}

func (s *Server) isStopping() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping
}

// Shutdown closes the doors, tells idle sessions 421, and waits until running transactions have
// ended or ctx has; then it ends what is left, which leaves no trace at the next hop.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.stopping = true
	for l := range s.doors {
		l.Close()
	}
	for l := range s.active {
		l.wake()
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() { s.running.Wait(); close(done) }()
	select {
	case <-done:
		s.cancel()
		return nil
	case <-ctx.Done():
	}
	s.cancel()
	<-done
	return ctx.Err()
}

func within(addr netip.Addr, nets []netip.Prefix) bool {
	addr = addr.Unmap()
	for _, p := range nets {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}
