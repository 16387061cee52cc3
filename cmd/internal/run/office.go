package run

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"superlistd/bouncing"
	"superlistd/config"
	"superlistd/delivery"
	"superlistd/letters"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/moderation"
	"superlistd/moderation/held"
	"superlistd/proxy"
)

// Limits of what moderators may leave lying about.
const (
	heldEntries     = 20_000
	heldListEntries = 2_000
	heldListSize    = 500e6 // octets
)

// openHeld opens the folder of held posts, with the limits of the spool for its size.
func openHeld(cfg config.Config, now func() time.Time) *held.Store {
	return held.Open(cfg.Data, held.Options{
		Entries: heldEntries, Size: cfg.Delivery.SpoolHigh, ListEntries: heldListEntries, ListSize: heldListSize, Free: cfg.Delivery.SpoolFree, Now: now,
	})
}

// newClerk returns what writes to people.
func newClerk(cfg config.Config, b *bureau, store lists.Store, hop *delivery.Deliverer, log zerolog.Logger) *letters.Clerk {
	return letters.New(letters.Options{
		Texts: b.texts, Members: store, Hostname: cfg.Hostname, Deliver: hop.Deliver, Sign: b.sign, Now: b.now,
		Report: func(list lists.Address, err error) {
			log.Error().Stringer("list", list).Err(err).Msg("text of our own used")
		},
	})
}

// newOffice returns what looks after held posts.
func newOffice(
	cfg config.Config, b *bureau, clerk *letters.Clerk, bounces *bouncing.Desk, store lists.Store, directory *lists.Directory, hop *delivery.Deliverer, log zerolog.Logger,
) *moderation.Office {
	return moderation.New(moderation.Options{
		Held: openHeld(cfg, b.now), Store: store, Letters: clerk, Keys: b.keys, Delimiter: cfg.Delimiter,
		Deliver: hop.Deliver, Routes: proxy.Release(b.desk, directory, cfg.Hostname, bounces, hop), Now: b.now,
		New: b.audit.heldPost,
		Log: func(e moderation.Event) {
			logHeld(log, e)
			b.audit.office(e)
		},
	})
}

func logHeld(log zerolog.Logger, e moderation.Event) {
	line := log.Info()
	if e.Err != nil {
		line = log.Error().Err(e.Err)
	}
	line = line.Stringer("list", e.List).Str("held", e.ID)
	if e.By != "" {
		line = line.Str("by", e.By)
	}
	line.Msg(e.What)
}

// sign makes the signatures of a mail of ours from a list's domain. One that cannot be signed goes without.
func (b *bureau) sign(domain string, head []byte, body message.Content) []byte {
	signed, err := b.desk.SignNote(domain, head, body)
	if err != nil {
		b.log.Error().Err(err).Msg("mail of ours not signed")
	}
	return signed
}

// tickEvery is how often what waits for its time is looked after.
const tickEvery = time.Minute

func (a *app) tickOften(ctx context.Context, log zerolog.Logger) {
	often := time.NewTicker(tickEvery)
	defer often.Stop()
	for {
		a.tick(ctx, log)
		select {
		case <-ctx.Done():
			return
		case <-often.C:
		}
	}
}

// digestOften sends digests. It may take long, so it is beside all that tick looks after.
func (a *app) digestOften(ctx context.Context, log zerolog.Logger) {
	often := time.NewTicker(tickEvery)
	defer often.Stop()
	for {
		a.sendDigests(ctx, log)
		select {
		case <-ctx.Done():
			return
		case <-often.C:
		case <-a.digests.Due():
		}
	}
}

// sendDigests sends those that are due.
func (a *app) sendDigests(ctx context.Context, log zerolog.Logger) {
	if err := a.digests.Tick(ctx, a.now()); err != nil && ctx.Err() == nil {
		log.Error().Err(err).Msg("digests not looked after")
	}
}
