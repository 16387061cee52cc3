package main

import (
	"context"
	"flag"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"

	"github.com/rs/zerolog"

	"superlistd/delivery"
	"superlistd/lists"
	"superlistd/lists/boltstore"
	"superlistd/proxy"
	"superlistd/smtpclient"
)

const serveCommand = "serve"

// serveProfiled is superlistd without its settings and signals: the same rooms, wired with the defaults of
// examples/superlistd.toml, under a CPU profile. The program itself has no door for profilers.
func serveProfiled(ctx context.Context, args []string) error {
	set := flag.NewFlagSet(serveCommand, flag.ExitOnError)
	listen := set.String("listen", "", "`address` to answer at")
	relay := set.String("relay", "", "`address` of the next hop")
	data := set.String("data", "", "`folder` of lists.db")
	profile := set.String("profile", "", "`file` for the CPU profile")
	set.Parse(args)
	server, err := wired(*relay, *data)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", *listen)
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
	defer context.AfterFunc(ctx, func() {
		late, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = server.Shutdown(late) // what is cut off was not asked for any more
	})()
	err = server.Serve(l, proxy.SMTP)
	pprof.StopCPUProfile()
	if err != nil {
		return err
	}
	return out.Close()
}

func wired(relay, data string) (*proxy.Server, error) {
	if err := os.MkdirAll(data, 0o750); err != nil {
		return nil, err
	}
	store, err := boltstore.Open(filepath.Join(data, "lists.db"), boltstore.Options{})
	if err != nil {
		return nil, err
	}
	directory, err := lists.NewDirectory(store, []string{domain}, "+")
	if err != nil {
		return nil, err
	}
	log := zerolog.New(zerolog.ConsoleWriter{Out: os.Stderr, NoColor: true, TimeFormat: time.RFC3339}).With().Timestamp().Logger()
	pool := smtpclient.NewPool(smtpclient.Options{
		Hop: smtpclient.Hop{Network: "tcp", Address: relay}, Hostname: "mx.example.org", TLS: smtpclient.TLSOpportunistic,
	}, 60, 15*time.Second)
	hop, err := delivery.New(pool, store, delivery.Options{Batch: batch, MaxArmed: 20, Connections: 60, RelayShare: 20}, log)
	if err != nil {
		return nil, err
	}
	return proxy.New(proxy.Options{
		Hostname: "mx.example.org", DataDir: data, MessageSize: 50e6, Memory: 128e3, Recipients: 1000,
		Sessions: 200, ClientSessions: 200, Errors: 20, Line: 8e3,
		CommandTimeout: 5 * time.Minute, DataTimeout: 3 * time.Minute, Budget: 90 * time.Second,
		Clients: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	}, directory, store, hop, log), nil
}
