package run

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/syslog"
	"os"
	"path/filepath"
	"sync"

	"github.com/rs/zerolog"

	"superlistd/config"
)

// logFile is a log that can be rotated: Reopen begins the file anew at its path.
type logFile struct {
	path string
	mu   sync.Mutex
	file *os.File
}

func openLog(path string) (*logFile, error) {
	l := &logFile{path: path}
	return l, l.reopen()
}

func (l *logFile) reopen() error {
	f, err := os.OpenFile(l.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		l.file.Close()
	}
	l.file = f
	return nil
}

func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Write(p)
}

func (l *logFile) descriptor() *os.File {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file
}

// newLogger returns the log of the settings, and its file when it is one.
func newLogger(cfg config.Log, stderr io.Writer) (zerolog.Logger, *logFile, error) {
	level, err := zerolog.ParseLevel(cfg.Level)
	if err != nil {
		return zerolog.Nop(), nil, err
	}
	switch cfg.To {
	case config.ToStderr:
		return logger(cfg, stderr).Level(level), nil, nil
	case config.ToSyslog:
		w, err := syslogWriter(cfg)
		if err != nil {
			return zerolog.Nop(), nil, fmt.Errorf("log.to: %w", err)
		}
		return w.Level(level), nil, nil
	}
	f, err := openLog(cfg.To)
	if err != nil {
		return zerolog.Nop(), nil, fmt.Errorf("log.to: %w", err)
	}
	return logger(cfg, f).Level(level), f, nil
}

// logger writes JSON, or the same as text with key=value pairs, quoted where a value could be taken for
// more than one.
func logger(cfg config.Log, w io.Writer) zerolog.Logger {
	if cfg.Format == config.FormatText {
		w = textWriter{w: w}
	}
	return zerolog.New(w).With().Timestamp().Logger()
}

// levelWriter hands each line to syslog with the priority of its level.
type levelWriter struct {
	cfg config.Log
	w   *syslog.Writer
}

func syslogWriter(cfg config.Log) (zerolog.Logger, error) {
	w, err := syslog.New(syslog.LOG_MAIL|syslog.LOG_INFO, "superlistd")
	if err != nil {
		return zerolog.Nop(), err
	}
	return zerolog.New(levelWriter{cfg, w}), nil
}

func (l levelWriter) Write(p []byte) (int, error) { return l.WriteLevel(zerolog.InfoLevel, p) }

func (l levelWriter) WriteLevel(level zerolog.Level, p []byte) (int, error) {
	line := p
	if l.cfg.Format == config.FormatText {
		var text bytes.Buffer
		if _, err := (textWriter{w: &text, plain: true}).Write(p); err != nil {
			return 0, err
		}
		line = text.Bytes()
	}
	write := l.w.Info
	switch {
	case level >= zerolog.ErrorLevel:
		write = l.w.Err
	case level == zerolog.WarnLevel:
		write = l.w.Warning
	case level <= zerolog.DebugLevel:
		write = l.w.Debug
	}
	return len(p), write(string(line))
}

// spawnLogger is the log of a spawned process. Its standard error is the client's socket, so "stderr" means
// syslog there, and without a syslog the file superlistd.log in the data folder.
func spawnLogger(cfg config.Config) (zerolog.Logger, *logFile, error) {
	log := cfg.Log
	if log.To == config.ToStderr {
		log.To = config.ToSyslog
	}
	l, f, err := newLogger(log, io.Discard)
	if err == nil || cfg.Log.To != config.ToStderr {
		return l, f, err
	}
	log.To = filepath.Join(cfg.Data, "superlistd.log")
	l, f, second := newLogger(log, io.Discard)
	if second != nil {
		return l, f, errors.Join(err, second)
	}
	return l, f, nil
}
