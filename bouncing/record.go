package bouncing

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"superlistd/lists"
	"superlistd/lists/boltstore"
)

// Keys in the table of a list: "m" and the key of a member → record; "c" and the same → nothing, for those with a case;
// "p" and the name of a post → post; "s" → storms; "t" → when it was tidied up.
const (
	prefixRecord = "m"
	prefixCase   = "c"
	prefixPost   = "p"
	keyStorms    = "s"
	keyTidied    = "t"
)

const (
	// maxPoints is more than maxBounceLimit of lists needs, counted in days.
	maxPoints = 120
	// maxSeen is how many posts are remembered that came back from a member, so that each counts once for a storm.
	maxSeen = 8
	// forget is the quiet time, in days, that takes a point away.
	forget = 7
)

// record is what is known of a member who bounces.
type record struct {
	Points []point  `json:"points,omitempty"` // by day
	Seen   []string `json:"seen,omitempty"`   // names of posts, the last one at the end
	Said   string   `json:"said,omitempty"`   // what came back last
	Case   *inquiry `json:"case,omitempty"`
}

// point is what the bounces of a day count, in halves.
type point struct {
	Day    int64  `json:"day"`
	Halves int    `json:"halves"`
	Post   string `json:"post"` // the first one
}

// state of an inquiry.
type state string

const (
	suspect state = "suspect" // has enough points; nothing was done yet
	probed  state = "probed"  // a probe is on its way
	stopped state = "stopped" // gets no posts
)

// inquiry is about a member who has too many points.
type inquiry struct {
	State state     `json:"state"`
	At    time.Time `json:"at"` // of the state, or of the last letter
	// Letter names the letter that tries the address; Sent: the next hop has it; Back: it came back.
	Letter string `json:"letter,omitempty"`
	Sent   bool   `json:"sent,omitempty"`
	Back   bool   `json:"back,omitempty"`
	// Notices is how many letters tell that posts are stopped, the last one (perhaps not sent yet) among them.
	Notices int `json:"notices,omitempty"`
	// Due is when the removal was first seen to be due.
	Due time.Time `json:"due,omitzero"`
}

// dayOf numbers the days since 1970.
func dayOf(t time.Time) int64 { return t.Unix() / int64(day/time.Second) }

// left are the points that are not forgotten: each quiet week takes one, the oldest first.
func (r record) left(today int64) []point {
	if len(r.Points) == 0 {
		return nil
	}
	points := slices.Clone(r.Points)
	away := 2 * (today - points[len(points)-1].Day) / forget
	away -= away % 2
	for away > 0 && len(points) > 0 {
		n := min(away, int64(points[0].Halves))
		points[0].Halves -= int(n)
		away -= n
		if points[0].Halves == 0 {
			points = points[1:]
		}
	}
	return points
}

// score is in halves.
func (r record) score(today int64) (sum int) {
	for _, p := range r.left(today) {
		sum += p.Halves
	}
	return sum
}

// add counts a bounce: a day has what its worst has.
func (r *record) add(today int64, halves int, post string) {
	r.Points = r.left(today)
	for i := range r.Points { // of a clock that was wrong
		r.Points[i].Day = min(r.Points[i].Day, today)
	}
	if n := len(r.Points); n > 0 && r.Points[n-1].Day == today {
		r.Points[n-1].Halves = max(r.Points[n-1].Halves, halves)
		return
	}
	r.Points = append(r.Points, point{today, halves, post})
	r.Points = r.Points[max(len(r.Points)-maxPoints, 0):]
}

// see tells whether a post is new for the member.
func (r *record) see(post string) bool {
	if slices.Contains(r.Seen, post) {
		return false
	}
	r.Seen = append(r.Seen, post)
	r.Seen = r.Seen[max(len(r.Seen)-maxSeen, 0):]
	return true
}

// forgive takes away what a post has counted.
func (r *record) forgive(post string) {
	r.Points = slices.DeleteFunc(r.Points, func(p point) bool { return p.Post == post })
}

// load returns what is known of a member. What cannot be read is as if it was lost.
func load(t *boltstore.Table, member string) (r record) {
	if json.Unmarshal(t.Get(prefixRecord+member), &r) != nil {
		return record{}
	}
	return r
}

// save keeps a record, or removes one that says nothing.
func save(t *boltstore.Table, member string, r record) error {
	index, err := t.Delete, error(nil)
	if r.Case != nil {
		index = func(key string) error { return t.Put(key, nil) }
	}
	if len(r.Points) == 0 && len(r.Seen) == 0 && r.Case == nil {
		err = t.Delete(prefixRecord + member)
	} else {
		err = put(t, prefixRecord+member, r)
	}
	if err == nil {
		err = index(prefixCase + member)
	}
	return err
}

func put(t *boltstore.Table, key string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return t.Put(key, raw)
}

// nameOf names a post by its Message-ID, or by the day when there is none.
func nameOf(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:6])
}

// address makes one of a key; what is not the roster's own spelling is only shown.
func address(key string) lists.Address {
	at := strings.LastIndexByte(key, '@')
	if at < 0 {
		return lists.Address{}
	}
	return lists.Address{Local: key[:at], Domain: key[at+1:]}
}
