package run

import (
	"path/filepath"
	"time"

	"github.com/rs/zerolog"

	"superlistd/config"
	"superlistd/lists"
	"superlistd/lists/boltstore"
	"superlistd/posting"
	"superlistd/templates"
	"superlistd/token"
	"superlistd/web"
)

// bureau is what posts are judged and dressed with.
type bureau struct {
	desk    *posting.Desk
	texts   *templates.Set
	keys    *token.Keys
	links   web.Links
	history lists.History
	audit   auditor // of a server
	now     func() time.Time
	log     zerolog.Logger
}

func newBureau(cfg config.Config, store lists.Store, now func() time.Time, log zerolog.Logger) (*bureau, error) {
	signer, err := newSigners(cfg, log)
	if err != nil {
		return nil, err
	}
	b := &bureau{now: now, log: log}
	if b.texts, err = templates.New(cfg.Templates); err != nil {
		// A text is no reason to stop mail: those that cannot be used are passed over, each time with a line in the log.
		log.Error().Err(err).Msg("texts of the site not usable")
	}
	if b.keys, err = token.Open(cfg.Data); err != nil {
		return nil, err
	}
	if b.history, err = boltstore.OpenHistory(statePath(cfg), boltstore.Options{}); err != nil {
		return nil, err
	}
	b.links = newLinks(cfg, b.keys)
	b.desk = posting.New(posting.Options{
		Hostname: cfg.Hostname, Members: store, Identity: newChecker(cfg), History: b.history,
		Unsubscribe: b.links.ListURL, Page: b.links.URL, Texts: b.texts, Signer: signer, Key: b.keys.Derive("anonymous"), Now: now,
		Report: func(err error) { log.Error().Err(err).Msg("text not usable") },
	})
	return b, nil
}

// statePath is where the history of posts is.
func statePath(cfg config.Config) string { return filepath.Join(cfg.Data, "state.db") }
