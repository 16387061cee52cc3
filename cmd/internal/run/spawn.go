package run

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"

	"superlistd/config"
	"superlistd/proxy"
)

// spawn holds one session on descriptor 0, as Postfix's spawn(8) gives it, and returns the exit status.
// All three standard descriptors are the client's connection there, so 1 and 2 are taken away before
// anything could be written to them. No environment is looked at.
func spawn(args []string) (status int) {
	reply := takeOutput()
	client, err := standardConn(reply)
	if err != nil {
		return exitRefused // nobody could be told
	}
	log := zerolog.Nop()
	defer func() {
		if cause := recover(); cause != nil {
			log.Error().Any("panic", cause).Bytes("stack", debug.Stack()).Msg("spawn failed")
			sorry(client)
			status = exitRefused
		}
	}()
	door, cfg, err := spawnSettings(args)
	if err == nil {
		syscall.Umask(filesMode)
		var file *logFile
		if log, file, err = spawnLogger(cfg); err == nil {
			takeErrors(cfg, file)
		}
	}
	var a *app
	if err == nil {
		a, err = newApp(cfg, log)
	}
	if err != nil {
		complain(log, err)
		sorry(client)
		return exitRefused
	}
	defer a.close()
	a.server.ServeConn(client, door)
	hangUp()
	a.linger(cfg.Delivery.SpawnLinger, log)
	return exitDone
}

// hangUp ends the client's connection for good. Closing ours is not enough: descriptor 0 is the same socket, and spawn(8)
// holds it too until we are gone, so that a client that waits for the end would wait for all that we still do.
func hangUp() {
	_ = unix.Shutdown(0, unix.SHUT_RDWR) // it is a pipe, or the client was first
	if null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0); err == nil {
		_ = unix.Dup3(null, 0, 0)
		unix.Close(null)
	}
}

// linger goes on with what this session left in the spool, for so long at most; whoever comes next does the rest.
func (a *app) linger(most time.Duration, log zerolog.Logger) {
	if most == 0 {
		a.spooler.Release()
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	a.spooler.Linger(ctx)
	select {
	case <-a.digests.Due(): // a post of this session made one full
		a.sendDigests(ctx, log)
		a.spooler.Linger(ctx)
	default:
	}
}

// takeOutput keeps where replies go when descriptor 0 is a pipe, and puts the null device in the place of
// descriptors 1 and 2, so that neither a library nor the runtime can write to the client.
func takeOutput() *os.File {
	out, err := unix.FcntlInt(1, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		out = -1
	}
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	for _, fd := range []int{1, 2} {
		if err == nil {
			err = unix.Dup3(null, fd, 0)
		}
		if err != nil {
			unix.Close(fd) // nothing at all is better than the client
		}
	}
	if out < 0 {
		return nil
	}
	return os.NewFile(uintptr(out), "reply")
}

// standardConn makes a connection of descriptor 0; for a pipe, of 0 and what 1 was.
func standardConn(reply *os.File) (net.Conn, error) {
	var st unix.Stat_t
	if err := unix.Fstat(0, &st); err != nil {
		return nil, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return newPipe(reply)
	}
	conn, err := net.FileConn(os.Stdin) // os.Stdin lives on, so nothing closes descriptor 0 behind our back
	if err != nil {
		return nil, err
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetNoDelay(true) // no reply may wait for an acknowledgement of the one before
	}
	return conn, nil
}

// spawnFlags are the arguments of spawn.
type spawnFlags struct{ protocol, trust, path string }

// readSpawnFlags reads them. The settings are where they say, not where the environment does.
func readSpawnFlags(args []string) (f spawnFlags, err error) {
	lmtp := false
	err = flags(args, func(set *flag.FlagSet) {
		set.BoolVar(&lmtp, "lmtp", false, "the client speaks LMTP")
		set.StringVar(&f.trust, "trust", config.TrustNone, "what is known of the client")
		set.StringVar(&f.path, "config", "/etc/superlistd/superlistd.toml", "settings file")
	})
	if err == nil && f.trust != config.TrustNone && f.trust != config.TrustSubmission {
		err = fmt.Errorf("--trust %q is neither %q nor %q", f.trust, config.TrustNone, config.TrustSubmission)
	}
	if err != nil {
		return f, fmt.Errorf("superlistd spawn: %w", err)
	}
	f.protocol = config.ProtocolSMTP
	if lmtp {
		f.protocol = config.ProtocolLMTP
	}
	return f, nil
}

func spawnSettings(args []string) (proxy.Door, config.Config, error) {
	f, err := readSpawnFlags(args)
	if err != nil {
		return 0, config.Config{}, err
	}
	cfg, err := config.Load(f.path)
	return kindOf(f.protocol, f.trust), cfg, err
}

// takeErrors lets the runtime's last words go to the log file, if there is one, or to a file of their own.
func takeErrors(cfg config.Config, file *logFile) {
	if file != nil {
		_ = unix.Dup3(int(file.descriptor().Fd()), 2, 0) // the null device stays when this fails
		return
	}
	if f, err := os.OpenFile(cfg.Data+"/crash.log", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640); err == nil {
		_ = debug.SetCrashOutput(f, debug.CrashOptions{})
		f.Close()
	}
}

// complain logs why a session was not begun; without settings, to syslog.
func complain(log zerolog.Logger, err error) {
	if log.GetLevel() == zerolog.Disabled {
		fallback, second := syslogWriter(config.Log{Format: config.FormatText})
		if second != nil {
			return
		}
		log = fallback
	}
	log.Error().Err(err).Msg("spawn not started")
}

// sorry tells the client to come again: RFC 5321 section 3.8 allows 421 at any time.
func sorry(client net.Conn) {
	io.WriteString(client, "421 4.3.0 Local trouble, try again later\r\n")
	client.Close()
}
