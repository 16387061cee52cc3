package run

import (
	"errors"
	"fmt"
	"net"

	"github.com/rs/zerolog"

	"superlistd/config"
	"superlistd/identity"
)

// newChecker returns what finds out whether From is forged, or nil when the DNS must not be asked.
func newChecker(cfg config.Config) *identity.Checker {
	resolver := newResolver(cfg.Identity)
	if resolver == nil {
		return nil
	}
	return identity.New(identity.Options{
		Resolver: resolver, Timeout: cfg.Identity.Timeout,
		CacheSize: cfg.Identity.Cache, MaxSignatures: cfg.Identity.Signatures,
	})
}

// newResolver returns who answers for the DNS, or nil when it must not be asked.
func newResolver(i config.Identity) *net.Resolver {
	switch i.Resolver {
	case config.ResolverOff:
		return nil
	case config.ResolverSystem:
		return net.DefaultResolver
	}
	return identity.ResolverAt(i.Resolver)
}

// newSigners returns a function that gives the signer for posts of a domain of lists. It gives nil for every other
// domain, and for all of them when no key is set. A key that cannot be used is an error that names its file.
func newSigners(cfg config.Config, log zerolog.Logger) (func(domain string) *identity.Signer, error) {
	keys, warnings, err := loadKeys(cfg.DKIM)
	if err != nil {
		return nil, err
	}
	for _, warning := range warnings {
		log.Warn().Msg(warning)
	}
	signers := make(map[string]*identity.Signer, len(cfg.Domains))
	for _, domain := range cfg.Domains {
		if len(keys) == 0 {
			break
		}
		if signers[domain], err = identity.NewSigner(signingDomain(cfg, domain), nil, keys...); err != nil {
			return nil, err
		}
	}
	return func(domain string) *identity.Signer { return signers[domain] }, nil
}

// signingDomain is the d= of signatures for lists of a domain.
func signingDomain(cfg config.Config, domain string) string {
	if cfg.DKIM.Domain != "" {
		return cfg.DKIM.Domain
	}
	return domain
}

// loadKeys reads the keys that sign, or tells all that is wrong with them. Warnings are of files that too many may read.
func loadKeys(d config.DKIM) (keys []identity.Key, warnings []string, err error) {
	var errs []error
	for i, path := range d.Keys {
		key, warning, err := identity.LoadKey(d.Selectors[i], path)
		if err != nil {
			errs = append(errs, fmt.Errorf("dkim.key: %w", err))
			continue
		}
		if warning != "" {
			warnings = append(warnings, warning)
		}
		keys = append(keys, key)
	}
	return keys, warnings, errors.Join(errs...)
}
