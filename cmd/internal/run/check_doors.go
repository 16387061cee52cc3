package run

import (
	"net"
	"net/textproto"
	"strings"
	"time"

	"superlistd/config"
)

// spawned says at which of our doors Postfix itself listens, and starts superlistd for each connection.
type spawned struct{ smtp, lmtp bool }

// checkDoors looks at the doors that the settings name. Where Postfix holds the door, they need none.
func (r *report) checkDoors(cfg config.Config, by spawned) {
	lmtp := false
	for _, key := range []struct {
		name string
		at   []config.Endpoint
		held bool
	}{{"listen", cfg.Listen, by.smtp}, {"lmtp", cfg.LMTP, by.lmtp}} {
		for _, e := range key.at {
			r.checkDoor(key.name, e, key.held)
			lmtp = lmtp || key.name == "lmtp"
		}
	}
	for _, d := range cfg.Doors {
		r.checkDoor("door", d.Listen, false)
		lmtp = lmtp || d.Protocol == config.ProtocolLMTP
	}
	switch {
	case len(cfg.AllDoors()) == 0 && by == spawned{}:
		r.say("note", "doors", "neither listen nor lmtp is set: right for spawn entries in master.cf only, one of them with --lmtp")
	case !lmtp && !by.lmtp:
		r.say("note", "lmtp", "not set: bounces and local mail for lists come by no other door than this, or by a spawn --lmtp entry in master.cf")
	}
}

// checkDoor looks who answers at a door that a key names; needless says that nobody needs to.
func (r *report) checkDoor(key string, e config.Endpoint, needless bool) {
	if e.Network == config.Systemd {
		r.say("ok", key, "%s: systemd listens", e)
		return
	}
	banner, err := greeting(e)
	switch {
	case err == nil && isOurs(banner):
		r.say("ok", key, "%s: answers", e)
	case err == nil:
		r.say("WRONG", key, "%s: answers with %q, which is not superlistd's greeting", e, banner)
	case !needless:
		r.say("note", key, "%s: nobody answers (superlistd serve is not running; with spawn entries in master.cf, it need not)", e)
	}
}

// isOurs reports whether a greeting is superlistd's.
func isOurs(banner string) bool { return strings.HasSuffix(banner, " superlistd") }

// greeting is the banner of what listens at a door; it takes its leave as a client should.
func greeting(e config.Endpoint) (string, error) {
	const patience = 2 * time.Second
	conn, err := net.DialTimeout(e.Network, e.Address, patience)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	text := textproto.NewConn(conn)
	banner, err := text.ReadLine()
	if err != nil {
		return "", nil // something accepts connections and says nothing: it is not superlistd
	}
	if err := text.PrintfLine("QUIT"); err == nil {
		_, _ = text.ReadLine() // whatever it says to that
	}
	return banner, nil
}
