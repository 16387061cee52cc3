package run

import (
	"context"
	"fmt"
	stdlog "log"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/rs/zerolog"

	"superlistd/config"
	"superlistd/lists"
	"superlistd/token"
	"superlistd/web"
)

// newLinks returns the links to the page where members leave; without [web] there are none.
func newLinks(cfg config.Config, keys *token.Keys) web.Links { return web.NewLinks(cfg.Web.URL, keys) }

// webHooks are what the page sets going; see web.Options.
type webHooks struct {
	left func(ctx context.Context, l lists.List, m lists.Member)
	ask  func(ctx context.Context, l lists.List, address lists.Address, client netip.Addr) error
}

// newWeb returns the page where members leave, nil without [web].
func newWeb(cfg config.Config, links web.Links, store lists.Store, hooks webHooks, log zerolog.Logger) (*web.Site, error) {
	if cfg.Web.URL == "" {
		return nil, nil
	}
	site, err := web.New(web.Options{
		Links: links, Store: store, Proxies: cfg.Web.Proxies, Left: hooks.left, Ask: hooks.ask,
		Log: func(e web.Event) { logWeb(log, e) },
	})
	if err != nil {
		return nil, fmt.Errorf("web.url: %w", err)
	}
	return site, nil
}

func logWeb(log zerolog.Logger, e web.Event) {
	line := log.Info()
	if e.Err != nil {
		line = log.Error().Err(e.Err)
	}
	line = line.Stringer("list", e.List)
	if !e.Member.IsZero() {
		line = line.Stringer("member", e.Member)
	}
	if e.Client.IsValid() {
		line = line.Stringer("client", e.Client)
	}
	line.Str("door", "web").Msg(e.What)
}

// openWeb opens the listener of the page, nil without [web].
func openWeb(cfg config.Config) (net.Listener, error) {
	switch at := cfg.Web.Listen; at.Network {
	case "":
		return nil, nil
	case config.Unix:
		return listenUnix(at.Address)
	default:
		return net.Listen(at.Network, at.Address)
	}
}

// startWeb answers at l until end; with a nil l, nobody does. What ends it before goes to failed, which has room for it.
func startWeb(l net.Listener, page http.Handler, failed chan<- error, log zerolog.Logger) background {
	return inBackground(func(ctx context.Context) {
		if l == nil {
			return
		}
		log.Info().Str("address", l.Addr().String()).Str("door", "web").Msg("listening")
		if err := web.Serve(ctx, l, page, stdlog.New(webFaults{log}, "", 0)); err != nil && ctx.Err() == nil {
			failed <- fmt.Errorf("%s: %w", l.Addr(), err)
		}
	})
}

// webFaults brings what the HTTP server says of itself into our log.
type webFaults struct{ log zerolog.Logger }

// Write takes one message.
func (f webFaults) Write(p []byte) (int, error) {
	f.log.Warn().Str("door", "web").Msg(strings.TrimSpace(string(p)))
	return len(p), nil
}
