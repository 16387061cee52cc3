package main

import (
	"context"
	"flag"
	"net"
	"os"
	"path/filepath"
	"runtime/pprof"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"superlistd/config"
	"superlistd/delivery"
	"superlistd/delivery/spool"
	"superlistd/lists"
	"superlistd/lists/boltstore"
	"superlistd/proxy"
	"superlistd/smtpclient"
)

const serveCommand = "serve"

// serveProfiled is superlistd without its signals: the same rooms, wired as the program wires them, under a CPU
// profile. The program itself has no door for profilers.
func serveProfiled(ctx context.Context, args []string) error {
	set := flag.NewFlagSet(serveCommand, flag.ExitOnError)
	path := set.String("config", "", "settings `file`")
	profile := set.String("profile", "", "`file` for the CPU profile")
	set.Parse(args)
	cfg, err := config.Load(*path)
	if err != nil {
		return err
	}
	server, spooler, err := wired(cfg)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", cfg.Listen[0].Address)
	if err != nil {
		return err
	}
	out, err := os.Create(*profile)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(out); err != nil {
		return err
	}
	var wg sync.WaitGroup
	wg.Go(func() { spooler.Run(ctx) })
	defer context.AfterFunc(ctx, func() {
		late, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = server.Shutdown(late) // what is cut off was not asked for any more
	})()
	err = server.Serve(l, proxy.SMTP)
	wg.Wait()
	pprof.StopCPUProfile()
	if err != nil {
		return err
	}
	return out.Close()
}

func wired(cfg config.Config) (*proxy.Server, *delivery.Spooler, error) {
	if err := os.MkdirAll(cfg.Data, 0o750); err != nil {
		return nil, nil, err
	}
	store, err := boltstore.Open(filepath.Join(cfg.Data, "lists.db"), boltstore.Options{})
	if err != nil {
		return nil, nil, err
	}
	directory, err := lists.NewDirectory(store, cfg.Domains, cfg.Delimiter)
	if err != nil {
		return nil, nil, err
	}
	log := zerolog.New(zerolog.ConsoleWriter{Out: os.Stderr, NoColor: true, TimeFormat: time.RFC3339}).With().Timestamp().Logger()
	pool := smtpclient.NewPool(smtpclient.Options{
		Hop: smtpclient.Hop{Network: cfg.Relay.Network, Address: cfg.Relay.Address}, Hostname: cfg.Hostname,
		TLS: smtpclient.TLSMode(cfg.RelayTLS.Mode), ConnectTimeout: cfg.Timeouts.Connect, Timeout: cfg.Timeouts.Relay,
	}, cfg.Delivery.RelayConnections, cfg.Timeouts.Idle)
	d := cfg.Delivery
	hop, err := delivery.New(pool, store, delivery.Options{
		Batch: d.Batch, MaxArmed: d.MaxArmed, Connections: d.RelayConnections, RelayShare: d.RelayShare,
		Guard:            delivery.NewGuard(filepath.Join(cfg.Data, "guard")),
		Spool:            spool.Open(cfg.Data, spool.Options{High: d.SpoolHigh, Low: d.SpoolLow, Entries: d.SpoolEntries, Free: d.SpoolFree, Slots: d.SpoolConnections}),
		SpoolConnections: d.SpoolConnections, SpoolPerList: d.SpoolPerList,
		Lifetime: d.SpoolLifetime, Timeout: d.Budget, Hostname: cfg.Hostname,
	}, log)
	if err != nil {
		return nil, nil, err
	}
	return proxy.New(proxy.Options{
		Hostname: cfg.Hostname, DataDir: cfg.Data,
		MessageSize: cfg.Limits.MessageSize, Memory: int(cfg.Limits.Memory), Recipients: cfg.Limits.Recipients,
		Sessions: cfg.Limits.Sessions, ClientSessions: cfg.Limits.ClientSessions,
		Errors: cfg.Limits.Errors, Line: int(cfg.Limits.Line),
		CommandTimeout: cfg.Timeouts.Command, DataTimeout: cfg.Timeouts.Data, Budget: d.Budget, Clients: cfg.Clients,
	}, directory, store, hop, log), hop.Spooler(), nil
}
