package run

import (
	"context"

	"github.com/rs/zerolog"

	"superlistd/bouncing"
	"superlistd/config"
	"superlistd/delivery"
	"superlistd/digest"
	"superlistd/lists"
	"superlistd/proxy"
)

// newDigests returns what keeps posts for digests, and sends them.
func newDigests(cfg config.Config, b *bureau, bounces *bouncing.Desk, store lists.Store, hop *delivery.Deliverer, log zerolog.Logger) *digest.Desk {
	return digest.New(digest.Options{
		Data: cfg.Data, Store: store, Texts: b.texts, Hostname: cfg.Hostname, Deliver: hop.Deliver, Way: proxy.DigestWay(bounces, hop),
		Sign: b.sign, Note: b.desk.Note, Unsubscribe: b.links.ListURL, Now: b.now,
		MaxSize: func(ctx context.Context) int64 {
			can, err := hop.Capabilities(ctx)
			if err != nil {
				return 0
			}
			return can.Size
		},
		Log: func(e digest.Event) { logDigest(log, e) },
	})
}

func logDigest(log zerolog.Logger, e digest.Event) {
	line := log.Info()
	if e.Err != nil {
		line = log.Error().Err(e.Err)
	}
	line = line.Stringer("list", e.List)
	if e.Volume > 0 {
		line = line.Int("volume", e.Volume).Int("issue", e.Issue).Int("posts", e.Posts)
	}
	if e.Members > 0 {
		line = line.Int("members", e.Members)
	}
	line.Msg(e.What)
}
