package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"
)

const (
	sideMembers = 20_000
	fewMembers  = 50 // where mlmmj is as installed: 23 members a second, however many there are
	sideRounds  = 3

	sideSpooled = "[delivery]\nbatch = 1000\nmax_armed = 19\n" // one transaction too few to go through
	sideThrough = "[delivery]\nbatch = 1000\nmax_armed = 20\n"
)

// side is all that is compared with each other: a post to the same number of members.
type side struct {
	installed, hurried, best *mlmmj // hurried: as installed, where the peer acknowledges at once
	raw                      *bulk
	spool, through           *author
	processes                []*process
}

// sideBySide measures a post with mlmmj as it is installed and at its best (a thousand members in a transaction, and a peer
// that acknowledges at once), with a raw client, by the spool, and through, in turn.
func sideBySide(ctx context.Context, r *rig) (result, error) {
	if _, err := exec.LookPath("mlmmj-receive"); err != nil {
		return result{left: "mlmmj is missing (apt-get install mlmmj)"}, nil
	}
	var s side
	defer s.close()
	if err := s.openMlmmj(ctx, r); err != nil {
		return result{}, err
	}
	if err := s.openOurs(ctx, r); err != nil {
		return result{}, err
	}
	roads := []sender{scaled(s.installed), s.best.send, s.raw.send, s.spool.send, s.through.send}
	res, err := r.compare(ctx, roads, min(r.rounds, sideRounds), 1, sideMembers)
	if err != nil {
		return res, err
	}
	hurried, err := scaled(s.hurried)(ctx)
	if err != nil {
		return res, err
	}
	res.verdict = res.series[4].over(res.series[1])
	res.note = fmt.Sprintf("%s times by the spool; mlmmj as installed reaches %s where the peer acknowledges at once",
		number(res.series[3].over(res.series[1]).median()), number(sideMembers/hurried.Seconds()))
	return res, s.through.check()
}

// openMlmmj makes mlmmj's lists and the next hop that acknowledges at once.
func (s *side) openMlmmj(ctx context.Context, r *rig) error {
	quick, err := freeAddress()
	if err != nil {
		return err
	}
	hop, err := start(ctx, filepath.Join(r.dir, "quick.log"), quick, r.self, quickCommand, "-listen", quick)
	if err != nil {
		return err
	}
	s.processes = append(s.processes, hop)
	for _, m := range []struct {
		list           **mlmmj
		name, hop      string
		members, batch int
	}{
		{&s.installed, "installed", r.sinkAddress, fewMembers, 0},
		{&s.hurried, "hurried", quick, fewMembers, 0},
		{&s.best, "best", quick, sideMembers, batch},
	} {
		if *m.list, err = newMlmmj(filepath.Join(r.dir, "mlmmj-"+m.name), m.hop, m.members, m.batch); err != nil {
			return err
		}
	}
	return nil
}

// openOurs starts the raw client and two superlistd.
func (s *side) openOurs(ctx context.Context, r *rig) (err error) {
	list := largeList(sideMembers)
	s.raw, err = newBulk(r.sinkAddress, plan{members: sideMembers, batch: batch, connections: sideMembers / batch}, letter(list, 0, postSize))
	if err != nil {
		return err
	}
	for _, o := range []struct {
		author         **author
		name, settings string
		spooled        bool
	}{
		{&s.spool, "side-spool", sideSpooled, true},
		{&s.through, "side-through", sideThrough, false},
	} {
		p, address, err := r.stocked(ctx, o.name, r.sinkAddress, o.settings, sideMembers)
		if err != nil {
			return err
		}
		s.processes = append(s.processes, p)
		if *o.author, err = newAuthor(p, address, list, sideMembers, o.spooled); err != nil {
			return err
		}
	}
	return nil
}

func (s *side) close() {
	s.raw.close()
	s.spool.close()
	s.through.close()
	for _, p := range s.processes {
		p.stop()
	}
}

// scaled is how long a post to so many members would have taken.
func scaled(few *mlmmj) sender {
	return func(ctx context.Context) (time.Duration, error) {
		took, err := few.send(ctx)
		return took * sideMembers / fewMembers, err
	}
}
