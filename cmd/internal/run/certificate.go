package run

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"

	"superlistd/config"
)

// certificate is the key pair of our doors; it is read anew when its files change, so that a renewal needs no
// restart. A pair that cannot be read then leaves the old one in place.
type certificate struct {
	cert, key string

	mu      sync.Mutex
	pair    *tls.Certificate
	stamp   [2]time.Time
	checked time.Time
}

// certificateAge is how long the files are not looked at again.
const certificateAge = time.Minute

// serverTLS returns nil when no certificate is configured.
func serverTLS(cfg config.Config) (*tls.Config, error) {
	if cfg.TLS.Cert == "" {
		return nil, nil
	}
	c := &certificate{cert: cfg.TLS.Cert, key: cfg.TLS.Key}
	if err := c.load(time.Now()); err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current(time.Now()), nil },
	}, nil
}

func (c *certificate) current(now time.Time) *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.checked) >= certificateAge {
		_ = c.load(now) // the old pair serves on; "superlistd check" names the fault
	}
	return c.pair
}

// load reads the pair when its files are not those that were read before.
func (c *certificate) load(now time.Time) error {
	c.checked = now
	var stamp [2]time.Time
	for i, path := range []string{c.cert, c.key} {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		stamp[i] = info.ModTime()
	}
	if c.pair != nil && stamp == c.stamp {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return err
	}
	c.pair, c.stamp = &pair, stamp
	return nil
}
