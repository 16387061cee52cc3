package run

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"superlistd/audit"
	"superlistd/config"
	"superlistd/delivery"
	"superlistd/delivery/spool"
	"superlistd/lists"
	"superlistd/lists/boltstore"
	"superlistd/message"
	"superlistd/proxy"
	"superlistd/smtpclient"
)

// app is a server with all that is behind it.
type app struct {
	server  *proxy.Server
	spool   *spool.Spool
	spooler *delivery.Spooler
	pool    *smtpclient.Pool
	store   lists.Store
	history lists.History
	now     func() time.Time
	*services
}

func (a *app) close() {
	_ = a.bounces.Flush(context.Background()) // what is lost comes back with the next post
	a.pool.Close()
	a.history.Close()
	a.book.Close()
	a.store.Close()
}

// newApp wires the rooms of a configuration. Nothing is opened or connected before the first session needs it,
// but what can be known to be wrong now is an error now.
func newApp(cfg config.Config, log zerolog.Logger) (*app, error) { return newAppAt(cfg, time.Now, log) }

// newAppAt is newApp with another clock, by which members, posts and bounces get older.
func newAppAt(cfg config.Config, now func() time.Time, log zerolog.Logger) (*app, error) {
	if err := os.MkdirAll(cfg.Data, 0o750); err != nil {
		return nil, err
	}
	store, err := boltstore.Open(storePath(cfg), boltstore.Options{})
	if err != nil {
		return nil, err
	}
	return assemble(cfg, store, now, log)
}

func storePath(cfg config.Config) string { return filepath.Join(cfg.Data, "lists.db") }

func assemble(cfg config.Config, store lists.Store, now func() time.Time, log zerolog.Logger) (*app, error) {
	auditor := newAuditor(cfg, now, log)
	store = audit.Store(store, auditor.Log)
	directory, err := lists.NewDirectory(store, cfg.Domains, cfg.Delimiter)
	if err != nil {
		return nil, err
	}
	hop, err := hopOptions(cfg)
	if err != nil {
		return nil, err
	}
	cert, err := serverTLS(cfg)
	if err != nil {
		return nil, err
	}
	bureau, err := newBureau(cfg, store, now, log)
	if err != nil {
		return nil, err
	}
	bureau.audit = auditor
	pool := smtpclient.NewPool(hop, cfg.Delivery.RelayConnections, cfg.Timeouts.Idle)
	queue := newSpool(cfg, spool.RealDisk{}, now)
	var s *services // there before anything is delivered
	deliverer, err := delivery.New(pool, store, delivery.Options{
		Batch: cfg.Delivery.Batch, MaxArmed: cfg.Delivery.MaxArmed,
		Connections: cfg.Delivery.RelayConnections, RelayShare: cfg.Delivery.RelayShare,
		Guard: delivery.NewGuard(filepath.Join(cfg.Data, "guard")),
		Spool: queue, SpoolConnections: cfg.Delivery.SpoolConnections, SpoolPerList: cfg.Delivery.SpoolPerList,
		Lifetime: cfg.Delivery.SpoolLifetime, Timeout: cfg.Delivery.Budget, Hostname: cfg.Hostname, Texts: bureau.texts,
		Personal: map[string]delivery.Personal{proxy.PersonalKind: bureau.personal(cfg.Delimiter)},
		Gather: map[string]delivery.Gather{
			proxy.DigestKind: func(ctx context.Context, g delivery.Gathered) error { return s.digests.Gather(ctx, g) },
		},
		Sign:   func(domain string, head, body []byte) []byte { return bureau.sign(domain, head, message.Octets(body)) },
		Failed: auditor.failed,
		Refused: func(list lists.Address, rcpt, reply string) {
			log.Warn().Stringer("list", list).Str("rcpt", rcpt).Str("reply", reply).Msg("member refused by the next hop")
			s.bounces.Refused(list, rcpt, reply)
		},
	}, log)
	if err != nil {
		return nil, err
	}
	s, err = newServices(cfg, bureau, store, directory, deliverer, log)
	if err != nil {
		return nil, err
	}
	opts := proxyOptions(cfg, cert)
	opts.Desk, opts.Office, opts.Enrol, opts.Bounces, opts.Now = bureau.desk, s.office, s.enrol, s.bounces, now
	server := proxy.New(opts, directory, store, deliverer, log)
	return &app{
		server: server, spool: queue, spooler: deliverer.Spooler(), pool: pool, store: store, history: bureau.history, services: s, now: now,
	}, nil
}

// newSpool returns the spool with the limits of the settings.
func newSpool(cfg config.Config, disk spool.Disk, now func() time.Time) *spool.Spool {
	d := cfg.Delivery
	return spool.Open(cfg.Data, spool.Options{
		High: d.SpoolHigh, Low: d.SpoolLow, Entries: d.SpoolEntries, Free: d.SpoolFree, Slots: d.SpoolConnections, Disk: disk, Now: now,
	})
}

func proxyOptions(cfg config.Config, cert *tls.Config) proxy.Options {
	return proxy.Options{
		Hostname: cfg.Hostname, DataDir: cfg.Data,
		MessageSize: cfg.Limits.MessageSize, Memory: int(cfg.Limits.Memory), Recipients: cfg.Limits.Recipients,
		Sessions: cfg.Limits.Sessions, ClientSessions: cfg.Limits.ClientSessions,
		Errors: cfg.Limits.Errors, Line: int(cfg.Limits.Line),
		CommandTimeout: cfg.Timeouts.Command, DataTimeout: cfg.Timeouts.Data, Budget: cfg.Delivery.Budget,
		HeloCheck: proxy.HeloCheck(cfg.Helo.Check), Resolver: net.DefaultResolver,
		TLS: cert, Clients: cfg.Clients, XClient: cfg.XClient.Networks,
	}
}

// hopOptions says how the next hop is met.
func hopOptions(cfg config.Config) (smtpclient.Options, error) {
	o := smtpclient.Options{
		Hop:      smtpclient.Hop{Network: cfg.Relay.Network, Address: cfg.Relay.Address},
		Hostname: cfg.Hostname, TLS: smtpclient.TLSMode(cfg.RelayTLS.Mode),
		ConnectTimeout: cfg.Timeouts.Connect, Timeout: cfg.Timeouts.Relay,
	}
	if cfg.RelayTLS.CA != "" || cfg.RelayTLS.Name != "" {
		o.TLSConfig = &tls.Config{ServerName: cfg.RelayTLS.Name, MinVersion: tls.VersionTLS12}
	}
	if cfg.RelayTLS.CA != "" {
		pem, err := os.ReadFile(cfg.RelayTLS.CA)
		if err != nil {
			return o, fmt.Errorf("relay_tls.ca: %w", err)
		}
		o.TLSConfig.RootCAs = x509.NewCertPool()
		if !o.TLSConfig.RootCAs.AppendCertsFromPEM(pem) {
			return o, fmt.Errorf("relay_tls.ca: %s holds no certificate", cfg.RelayTLS.CA)
		}
	}
	if cfg.RelayAuth.User != "" {
		password, err := relayPassword(cfg.RelayAuth)
		if err != nil {
			return o, err
		}
		o.Auth = &smtpclient.Auth{Mechanism: cfg.RelayAuth.Mechanism, User: cfg.RelayAuth.User, Password: password}
	}
	return o, nil
}

func relayPassword(a config.RelayAuth) (string, error) {
	if a.PasswordFile == "" {
		return a.Password, nil
	}
	data, err := os.ReadFile(a.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("relay_auth.password_file: %w", err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	if line = strings.TrimRight(line, "\r"); line == "" {
		return "", errors.New("relay_auth.password_file: the first line is empty")
	}
	return line, nil
}
