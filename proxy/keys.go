package proxy

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"superlistd/delivery"
	"superlistd/message"
	"superlistd/posting"
)

// messageID is for people; a mail may have none, or several.
func messageID(h message.Header) string {
	ids := h.Values("Message-ID")
	if len(ids) == 0 {
		return ""
	}
	return ids[0][:min(len(ids[0]), 250)]
}

// guard names the message for the retry guard, for each list and for those who are relayed.
func (s *session) guard(p *posting.Post, job *delivery.Job) error {
	sum, ok, err := p.Digest()
	if err != nil || !ok {
		return err
	}
	// Who of a list is served by another list, or in his own name, is part of the key: when that changes between two
	// attempts, what was noted of the first does not tell who has the post.
	elsewhere := slices.Sorted(maps.Keys(s.tx.relayed))
	for i := range job.Routes {
		if kind := job.Routes[i].Gather; kind != "" { // whoever has the post from elsewhere has a digest too
			job.Routes[i].Key = guardKey(sum, s.tx.from, job.Routes[i].List.Key(), kind)
			continue
		}
		job.Routes[i].Key = guardKey(sum, s.tx.from, append([]string{job.Routes[i].List.Key()}, elsewhere...)...)
		if !job.Routes[i].Audience.List.IsZero() {
			elsewhere = append(elsewhere, job.Routes[i].List.Key())
		}
	}
	if job.Relay != nil && len(s.tx.relayed) == s.tx.relayCount() {
		job.RelayKey = guardKey(sum, s.tx.from, slices.Sorted(maps.Keys(s.tx.relayed))...)
	}
	return nil
}

func guardKey(sum [sha256.Size]byte, from string, to ...string) (k delivery.Key) {
	h := sha256.Sum256(fmt.Appendf(sum[:], "%q%q", from, to))
	copy(k[:], h[:])
	return k
}
