package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"

	"superlistd/delivery"
	"superlistd/lists"
	"superlistd/lists/boltstore"
	"superlistd/smtpclient"
	"superlistd/wire"
)

// hand is superlistd's delivery with the program's store, inside this process: for what no setting of a list asks for
// yet.
type hand struct {
	store *boltstore.Store
	pool  *smtpclient.Pool
	d     *delivery.Deliverer
	route delivery.Route
	told  chan error // what the log says of the spool
	sent  int
}

// newHand has a data folder of its own, with a list of so many members.
func (r *rig) newHand(ctx context.Context, name, hop string, members int, o delivery.Options) (h *hand, err error) {
	if err := r.stock(ctx, name, members); err != nil {
		return nil, err
	}
	h = &hand{told: make(chan error, 1)}
	list, err := lists.ParseAddress(largeList(members))
	if err != nil {
		return nil, err
	}
	h.route = delivery.Route{
		List: list, ReversePath: lists.List{Address: list}.Bounces(),
		Audience: delivery.Audience{List: list, Members: members},
	}
	if h.store, err = boltstore.Open(filepath.Join(r.data(name), "lists.db"), boltstore.Options{}); err != nil {
		return nil, err
	}
	h.pool = smtpclient.NewPool(smtpclient.Options{
		Hop: smtpclient.Hop{Network: "tcp", Address: hop}, Hostname: "mx.example.org",
		ConnectTimeout: clientPatience, Timeout: clientPatience,
	}, o.Connections, clientPatience)
	if h.d, err = delivery.New(h.pool, h.store, o, zerolog.New(h)); err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

func (h *hand) close() error {
	h.pool.Close()
	return h.store.Close()
}

// next makes the route of a new post.
func (h *hand) next() delivery.Route {
	h.sent++
	content := letter(h.route.List.String(), h.sent, postSize)
	content = content[:len(content)-len(".\r\n")]
	body := bytes.Index(content, []byte("\r\n\r\n")) + len("\r\n\r\n")
	route := h.route
	route.Head, route.Body, route.BodyOffset = content[:body], stored(content), int64(body)
	return route
}

// through delivers one post to all members, all of it before it is committed.
func (h *hand) through(ctx context.Context) (time.Duration, error) {
	route := h.next()
	begin := time.Now()
	e, err := h.d.Expand(ctx, wire.ClientInfo{}, []delivery.Route{route})
	if err != nil {
		return 0, err
	}
	outcomes, _, err := e.Commit(ctx, true)
	took := time.Since(begin)
	if err == nil && outcomes[0].Accepted != route.Audience.Members {
		err = fmt.Errorf("%d of %d members were accepted", outcomes[0].Accepted, route.Audience.Members)
	}
	return took, err
}

// spooled delivers one post by the spool, from its acceptance to the last copy.
func (h *hand) spooled(ctx context.Context) (time.Duration, error) {
	route := h.next()
	begin := time.Now()
	_, err := h.d.Deliver(ctx, delivery.Job{Routes: []delivery.Route{route}, Gone: func() bool { return false }})
	if err != nil {
		return 0, err
	}
	select {
	case err := <-h.told:
		return time.Since(begin), err
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(followPatience):
		return 0, fmt.Errorf("the spool tells of no delivery in %v", followPatience)
	}
}

// Write is the log of the delivery. What it says of a post that is not delivered to all is an error.
func (h *hand) Write(line []byte) (int, error) {
	if !bytes.Contains(line, []byte(`"message":"spooled post `)) {
		return len(line), nil
	}
	var err error
	if !bytes.Contains(line, []byte(`"message":"spooled post delivered"`)) || !bytes.Contains(line, fmt.Appendf(nil, `"members":%d,`, h.route.Audience.Members)) {
		err = errors.New(string(line))
	}
	select {
	case h.told <- err:
	default: // the first word counts
	}
	return len(line), nil
}

// stored is a message in memory, as delivery reads it.
type stored []byte

func (s stored) Reader(off int64) io.Reader { return bytes.NewReader(s[off:]) }
func (s stored) Size() int64                { return int64(len(s)) }
