package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/rs/zerolog"

	"superlistd/config"
	"superlistd/proxy"
)

// filesMode keeps lists and posts from other accounts of the host.
const filesMode = 0o027

// door is a listener with the protocol it speaks.
type door struct {
	net.Listener
	kind proxy.Door
}

// serve answers at all doors until SIGTERM or SIGINT; then it lets running transactions finish.
func serve(args []string, _, stderr io.Writer) error {
	var path string
	if err := flags(args, configFlag(&path)); err != nil {
		return err
	}
	cfg, err := config.Load(configPath(path))
	if err != nil {
		return err
	}
	if len(cfg.AllDoors()) == 0 {
		return errors.New("superlistd serve: neither listen nor lmtp nor a [[door]] is set, so there is no door to answer at")
	}
	syscall.Umask(filesMode)
	log, file, err := newLogger(cfg.Log, stderr)
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer signal.Stop(signals)
	a, err := newApp(cfg, log)
	if err != nil {
		log.Error().Err(err).Msg("not started")
		return err
	}
	defer a.close()
	doors, err := openDoors(cfg)
	if err != nil {
		log.Error().Err(err).Msg("not started")
		return err
	}
	page, err := openWeb(cfg)
	if err != nil {
		for _, d := range doors {
			d.Close()
		}
		log.Error().Err(err).Msg("not started")
		return err
	}
	return a.serveDoors(cfg, doors, page, signals, file, log)
}

func (a *app) serveDoors(cfg config.Config, doors []door, page net.Listener, signals <-chan os.Signal, file *logFile, log zerolog.Logger) error {
	failed := make(chan error, len(doors)+1)
	spooling := a.startSpooler(log)
	web := startWeb(page, a.site, failed, log)
	var wg sync.WaitGroup
	for _, d := range doors {
		log.Info().Str("address", d.Addr().String()).Str("door", d.kind.String()).Bool("trusted", d.kind&proxy.Trusted != 0).Msg("listening")
		wg.Go(func() {
			if err := a.server.Serve(d, d.kind); err != nil {
				failed <- fmt.Errorf("%s: %w", d.Addr(), err)
			}
		})
	}
	daemon.SdNotify(false, daemon.SdNotifyReady) // no systemd, no notice: that is no error
	err := a.wait(signals, failed, file, log)
	daemon.SdNotify(false, daemon.SdNotifyStopping)
	asked, now := context.WithCancel(context.Background())
	defer now()
	go func() {
		for sig := range signals {
			if sig != syscall.SIGHUP {
				now() // asked twice
			}
		}
	}()
	// Content that is still coming keeps to its own pace; what we do ourselves ends within the budget.
	ctx, cancel := context.WithTimeout(asked, cfg.Timeouts.Data+cfg.Delivery.Budget)
	defer cancel()
	if late := a.server.Shutdown(ctx); late != nil {
		log.Warn().Msg("transactions were cut off: they left no trace, their senders will come again")
	}
	wg.Wait()
	ctx, cancel = context.WithTimeout(asked, cfg.Delivery.Budget)
	defer cancel()
	if late := spooling.end(ctx); late != nil {
		log.Warn().Msg("transactions of the spool were cut off: their members may get a second copy")
	}
	if late := web.end(ctx); late != nil {
		log.Warn().Msg("requests to the page were cut off")
	}
	log.Info().Msg("stopped")
	return err
}

// wait returns when a signal asks for the end, or a door fails.
func (a *app) wait(signals <-chan os.Signal, failed <-chan error, file *logFile, log zerolog.Logger) error {
	for {
		select {
		case err := <-failed:
			log.Error().Err(err).Msg("door failed")
			return err
		case sig := <-signals:
			if sig != syscall.SIGHUP {
				log.Info().Str("signal", sig.String()).Msg("stopping")
				return nil
			}
			if file != nil {
				if err := file.reopen(); err != nil {
					log.Error().Err(err).Msg("log not opened anew")
				}
			}
		}
	}
}

// openDoors opens all listeners, or none.
func openDoors(cfg config.Config) (doors []door, err error) {
	defer func() {
		if err != nil {
			for _, d := range doors {
				d.Close()
			}
			doors = nil
		}
	}()
	passed, err := activation.ListenersWithNames()
	if err != nil {
		return nil, fmt.Errorf("sockets of systemd: %w", err)
	}
	for _, at := range cfg.AllDoors() {
		ls, err := open(at.Listen, passed)
		for _, l := range ls {
			doors = append(doors, door{l, kindOf(at.Protocol, at.Trust)})
		}
		if err != nil {
			return doors, err
		}
	}
	return doors, nil
}

// kindOf is a door in the words of proxy.
func kindOf(protocol, trust string) proxy.Door {
	kind := proxy.SMTP
	if protocol == config.ProtocolLMTP {
		kind = proxy.LMTP
	}
	if trust == config.TrustSubmission {
		kind |= proxy.Trusted
	}
	return kind
}

func open(e config.Endpoint, passed map[string][]net.Listener) ([]net.Listener, error) {
	switch e.Network {
	case config.Systemd:
		if len(passed[e.Address]) == 0 {
			return nil, fmt.Errorf("%s: systemd passed no socket with FileDescriptorName=%s", e, e.Address)
		}
		return passed[e.Address], nil
	case config.Unix:
		l, err := listenUnix(e.Address)
		return one(l, err)
	}
	return one(net.Listen("tcp", e.Address))
}

func one(l net.Listener, err error) ([]net.Listener, error) {
	if err != nil {
		return nil, err
	}
	return []net.Listener{l}, nil
}

// listenUnix takes over the path of a socket at which nobody answers any more. Postfix runs under another account
// and must get in; the folder of the socket can keep others out.
func listenUnix(path string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
		conn, err := net.DialTimeout("unix", path, time.Second)
		if err == nil {
			conn.Close()
			return nil, fmt.Errorf("%s: another process answers there", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o666); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}
