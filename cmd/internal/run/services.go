package run

import (
	"context"
	"path/filepath"

	"github.com/rs/zerolog"

	"superlistd/bouncing"
	"superlistd/config"
	"superlistd/daily"
	"superlistd/delivery"
	"superlistd/digest"
	"superlistd/enrol"
	"superlistd/letters"
	"superlistd/lists"
	"superlistd/lists/boltstore"
	"superlistd/moderation"
	"superlistd/templates"
	"superlistd/web"
)

// services are those who do what mail asks for besides being passed on.
type services struct {
	office  *moderation.Office
	audit   auditor
	daily   *daily.Desk
	enrol   *enrol.Desk
	bounces *bouncing.Desk
	digests *digest.Desk
	book    *boltstore.Records
	site    *web.Site // nil without [web]
}

func newServices(cfg config.Config, b *bureau, store lists.Store, directory *lists.Directory, hop *delivery.Deliverer, log zerolog.Logger) (*services, error) {
	clerk := newClerk(cfg, b, store, hop, log)
	s := &services{}
	s.enrol = newEnrol(cfg, b, clerk, s, store, log)
	var err error
	if s.book, err = openBook(cfg); err != nil {
		return nil, err
	}
	s.bounces = newBounces(cfg, b, clerk, s, store, log)
	s.digests = newDigests(cfg, b, s.bounces, store, hop, log)
	s.office = newOffice(cfg, b, clerk, s.bounces, store, directory, hop, log)
	s.audit, s.daily = b.audit, newDaily(cfg, b, clerk, store, log)
	hooks := webHooks{left: s.enrol.Left, ask: s.enrol.Ask}
	if s.site, err = newWeb(cfg, b.links, store, hooks, log); err != nil {
		s.book.Close()
		return nil, err
	}
	return s, nil
}

func newEnrol(cfg config.Config, b *bureau, clerk *letters.Clerk, s *services, store lists.Store, log zerolog.Logger) *enrol.Desk {
	return enrol.New(enrol.Options{
		Data: cfg.Data, Store: store, Letters: clerk, Keys: b.keys, Delimiter: cfg.Delimiter,
		Limits: enrol.Limits{Address: cfg.Limits.AnswersPerDay}, Page: b.links.URL, Now: b.now,
		Held: func(ctx context.Context, l lists.List) ([]templates.Item, error) { return s.office.Waiting(ctx, l) },
		Complained: func(ctx context.Context, list, address lists.Address) (bool, error) {
			return s.bounces.Complained(ctx, list, address)
		},
		Confirmed: func(ctx context.Context, list, address lists.Address) error {
			return s.bounces.Forgive(ctx, list, address)
		},
		Log: func(e enrol.Event) {
			line := log.Info()
			if e.Err != nil {
				line = log.Error().Err(e.Err)
			}
			line = line.Stringer("list", e.List).Stringer("member", e.Who)
			if !e.By.IsZero() {
				line = line.Stringer("by", e.By)
			}
			line.Msg(e.What)
		},
	})
}

// openBook opens the scores of bounces. They may be lost: members who do not exist bounce again.
func openBook(cfg config.Config) (*boltstore.Records, error) {
	return boltstore.OpenRecords(filepath.Join(cfg.Data, "bounces.db"), "bounces", boltstore.Options{})
}

func newBounces(cfg config.Config, b *bureau, clerk *letters.Clerk, s *services, store lists.Store, log zerolog.Logger) *bouncing.Desk {
	return bouncing.New(bouncing.Options{
		Store: store, Book: s.book, Letters: clerk, Keys: b.keys, Delimiter: cfg.Delimiter, Link: b.links.Member, Left: s.enrol.Removed, Now: b.now,
		Counted: b.audit.bounced,
		Log: func(e bouncing.Event) {
			b.audit.bounces(e)
			line := log.Info()
			if e.Err != nil {
				line = log.Error().Err(e.Err)
			}
			line = line.Stringer("list", e.List)
			if !e.Member.IsZero() {
				line = line.Stringer("member", e.Member)
			}
			if e.Post != "" {
				line = line.Str("post", e.Post)
			}
			if e.Why != "" {
				line = line.Str("why", e.Why)
			}
			line.Msg(e.What)
		},
	})
}

// tick is what time brings to them; that something failed is no reason to stop.
func (a *app) tick(ctx context.Context, log zerolog.Logger) {
	now := a.now()
	for what, do := range map[string]func() error{
		"held posts not looked after": func() error { return a.office.Tick(ctx, now) },
		"requests not tidied up":      func() error { return a.enrol.Tick(ctx, now) },
		"bounces not looked after":    func() error { return a.bounces.Tick(ctx, now) },
		"daily summaries not sent":    func() error { return a.daily.Tick(ctx, now) },
		"audit log not tidied up":     func() error { return a.audit.Tick(now) },
	} {
		if err := do(); err != nil && ctx.Err() == nil {
			log.Error().Err(err).Msg(what)
		}
	}
}
