package run

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"superlistd/config"
)

// A pointer is a place of Postfix's settings that hands mail to superlistd.
type pointer struct {
	from     string // who hands it, in words that begin a sentence
	to       string // as Postfix's settings have it
	at       config.Endpoint
	protocol string // config.ProtocolSMTP or config.ProtocolLMTP
	alone    string // what becomes of mail while nobody is there
}

// checkFilters looks where the smtpd entries of master.cf hand mail before the queue. It reports whether all of
// them go to doors that Postfix holds itself.
func (r *report) checkFilters(m *master, cfg config.Config, path string) (held bool) {
	if len(m.filters) == 0 && len(cfg.Listen) > 0 {
		r.say("note", "postfix", "no smtpd entry in %s hands mail to listen (smtpd_proxy_filter): right for LMTP alone only", m.dir)
	}
	held = len(m.filters) > 0
	for _, entry := range slices.Sorted(maps.Keys(m.filters)) {
		p := pointer{from: entry + " in master.cf hands mail to", to: m.filters[entry], protocol: config.ProtocolSMTP,
			alone: `its clients are told "451 4.3.0 Error: queue file write error"`}
		p.at, _ = m.endpoint(p.to)
		held = r.checkPointer(m, p, cfg, path) && held
	}
	return held
}

// checkRoute looks where an entry of transport_maps sends mail, "transport:nexthop". It reports whether that is a door that
// Postfix holds itself.
func (r *report) checkRoute(m *master, domain, route string, cfg config.Config, path string) (held bool) {
	transport, hop, _ := strings.Cut(route, ":")
	entry, ok := m.find(transport, "unix")
	if !ok {
		r.say("WRONG", "postfix", "transport_maps sends mail for %s to %s, which is no entry in master.cf: it waits in the queue", domain, transport)
		return false
	}
	p := pointer{from: domain + " is routed to", to: route, protocol: config.ProtocolSMTP,
		alone: "bounces and local mail for its lists wait in the queue"}
	switch entry.command {
	case "lmtp":
		p.protocol = config.ProtocolLMTP
	case "smtp":
	default:
		r.say("ok", "postfix", "%s %s", p.from, p.to)
		return false
	}
	if p.at, ok = m.endpoint(hop); !ok {
		r.say("ok", "postfix", "%s %s", p.from, p.to)
		return false
	}
	return r.checkPointer(m, p, cfg, path)
}

// checkPointer looks who takes the mail there.
func (r *report) checkPointer(m *master, p pointer, cfg config.Config, path string) (held bool) {
	if entry, ok := m.holder(p.at); ok {
		return r.checkHolder(entry, p, cfg, path)
	}
	banner, err := greeting(p.at)
	switch {
	case errors.Is(err, fs.ErrPermission):
		r.say("note", "postfix", "%s %s; this account may not look there", p.from, p.to)
	case err != nil:
		r.say("WRONG", "postfix", "%s %s, where nobody answers: %s", p.from, p.to, p.alone)
	case !isOurs(banner):
		r.say("note", "postfix", "%s %s, where something answers that is not superlistd", p.from, p.to)
	default:
		r.say("ok", "postfix", "%s %s, where superlistd answers", p.from, p.to)
	}
	return false
}

// checkHolder looks at the spawn entry that answers there.
func (r *report) checkHolder(entry masterEntry, p pointer, cfg config.Config, path string) (ours bool) {
	account, argv := entry.spawns()
	if len(argv) < 2 || argv[1] != "spawn" {
		r.say("note", "postfix", "%s %s, where Postfix starts something that is not superlistd", p.from, p.to)
		return false
	}
	f, err := readSpawnFlags(argv[2:])
	if err == nil {
		err = checkSpawn(account, argv[0], cfg)
	}
	switch {
	case err != nil:
	case f.protocol != p.protocol && f.protocol == config.ProtocolLMTP:
		err = errors.New("it has --lmtp, and must not")
	case f.protocol != p.protocol:
		err = errors.New("it must have --lmtp")
	}
	if err != nil {
		r.say("WRONG", "postfix", "%s %s, which is %s in master.cf: %v", p.from, p.to, entry, err)
		return true
	}
	r.say("ok", "postfix", "%s %s, where Postfix starts superlistd", p.from, p.to)
	theirs, err := os.Stat(f.path)
	if err != nil {
		r.say("WRONG", "postfix", "%s in master.cf: settings: %v", entry, err)
	} else if own, err := os.Stat(path); err == nil && !os.SameFile(own, theirs) {
		r.say("note", "postfix", "%s in master.cf reads %s, and not these settings", entry, f.path)
	}
	return true
}

// checkSpawn says why spawn(8) cannot start a program that works.
func checkSpawn(account, program string, cfg config.Config) error {
	info, err := os.Stat(program)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return fmt.Errorf("%s is no program", program)
	}
	found, err := user.Lookup(account)
	if err != nil {
		return fmt.Errorf("user=%s: %w", account, err)
	}
	if found.Uid == "0" {
		return fmt.Errorf("user=%s: spawn(8) starts nothing as root", account)
	}
	if owner := ownerOf(cfg.Data); owner >= 0 && found.Uid != strconv.Itoa(owner) {
		return fmt.Errorf("it runs as %s, and %s belongs to account %d", account, cfg.Data, owner)
	}
	return nil
}
