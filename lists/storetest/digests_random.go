package storetest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"superlistd/lists"
)

// testNobodyLoses does random things to members and issues, and now and then asks, however
// late, who gets the posts of an issue. The law: a member gets it in the way that he had at
// the time, and in no other, as long as he neither leaves nor goes without posts meanwhile. A failure names its seed and step.
func testNobodyLoses(t *testing.T, s lists.Store) {
	steps := 400
	if testing.Short() {
		steps = 150
	}
	seed := rand.Uint64()
	d := &digestModel{t: t, rnd: rand.New(rand.NewPCG(seed, 2)), store: s, list: create(t, s, "a@example.org"), members: map[string]*taker{}}
	for i := range steps {
		d.what = fmt.Sprintf("seed %d, step %d, issue %d", seed, i, d.issue)
		d.step()
		d.checkCounts()
		if t.Failed() {
			return
		}
	}
}

// taker is a member as the rules say. A new one begins where somebody comes, and where he goes without posts or has them again.
type taker struct{ now, wish lists.Delivery }

// moment is how things were when a post came.
type moment struct {
	issue   int
	members map[string]*taker
	how     map[string]lists.Delivery
}

type digestModel struct {
	t       *testing.T
	rnd     *rand.Rand
	store   lists.Store
	list    lists.Address
	what    string
	issue   int
	members map[string]*taker // by key
	posts   []moment
}

func (d *digestModel) delivery() lists.Delivery {
	return []lists.Delivery{"", "", "digest", "digest", "plain", "plain", "nomail"}[d.rnd.IntN(7)]
}

func (d *digestModel) somebody() lists.Address {
	return lists.Address{Local: fmt.Sprintf("m%d", d.rnd.IntN(8)), Domain: "x"}
}

func (d *digestModel) step() {
	switch n := d.rnd.IntN(20); {
	case n < 2:
		d.add()
	case n == 2:
		who := d.somebody()
		change(d.t, d.store, d.list, lists.Change{Remove: []lists.Address{who}})
		delete(d.members, who.Key())
	case n < 10:
		d.update()
	case n < 13:
		d.advance()
	case n < 16:
		d.post()
	default:
		d.ask()
	}
}

func (d *digestModel) add() {
	m := lists.Member{Address: d.somebody(), Name: fmt.Sprintf("Name %d", d.rnd.IntN(3)), Delivery: d.delivery()}
	change(d.t, d.store, d.list, lists.Change{Add: []lists.Member{m}})
	if d.members[m.Address.Key()] == nil {
		d.members[m.Address.Key()] = &taker{m.Delivery, m.Delivery}
	}
}

func (d *digestModel) update() {
	who, wish := d.somebody(), d.delivery()
	m := d.members[who.Key()]
	if m == nil {
		return
	}
	update(d.t, d.store, d.list, who.Key(), func(edited *lists.Member) {
		if d.rnd.IntN(4) == 0 {
			edited.NoMeToo = !edited.NoMeToo
			return
		}
		edited.Delivery = wish
		if wish == m.wish {
			return
		}
		if m.wish = wish; wish == lists.DeliveryNone || m.now == lists.DeliveryNone {
			d.members[who.Key()] = &taker{wish, wish}
		}
	})
}

func (d *digestModel) advance() {
	d.issue = advance(d.t, d.store, d.list).Digests.Number
	for _, m := range d.members {
		m.now = m.wish
	}
}

func (d *digestModel) post() {
	p := moment{d.issue, map[string]*taker{}, map[string]lists.Delivery{}}
	for key, m := range d.members {
		p.members[key], p.how[key] = m, m.now
	}
	d.posts = append(d.posts, p)
	if len(d.posts) > 8 {
		d.posts = d.posts[1:]
	}
}

// ask asks who gets one of the last posts.
func (d *digestModel) ask() {
	if len(d.posts) == 0 {
		return
	}
	p := d.posts[d.rnd.IntN(len(d.posts))]
	if p.issue < d.issue-8 {
		return // whoever has switched in each issue since is forgotten
	}
	got := map[string][]lists.Delivery{}
	for _, way := range []lists.Delivery{lists.DeliveryMail, lists.DeliveryDigest, lists.DeliveryPlain} {
		r := lists.Recipients{Select: lists.Selection{Delivery: way, Issue: p.issue}}
		for !r.Done() {
			if err := d.store.Recipients(d.t.Context(), d.list, &r, 1+d.rnd.IntN(4)); err != nil {
				d.t.Fatal(err)
			}
		}
		for i := range r.Len() {
			got[string(r.Key(i))] = append(got[string(r.Key(i))], way)
		}
	}
	for key, m := range p.members {
		if d.members[key] != m {
			continue
		}
		var want []lists.Delivery
		if p.how[key] != lists.DeliveryNone {
			want = append(want, p.how[key])
		}
		equal(d.t, fmt.Sprintf("%s: how %s gets a post of issue %d", d.what, key, p.issue), got[key], want)
	}
	singly := map[string]bool{}
	for key, ways := range got {
		singly[key] = ways[0] == lists.DeliveryMail
	}
	d.checkContains(p.issue, singly)
}

func (d *digestModel) checkCounts() {
	takers, waits, want := 0, false, map[string]bool{}
	for key, m := range d.members {
		if digest := func(way lists.Delivery) bool { return way == "digest" || way == "plain" }; digest(m.now) || digest(m.wish) {
			takers++
		}
		waits = waits || m.now != m.wish
		want[key] = m.now == lists.DeliveryMail
	}
	l := get(d.t, d.store, d.list)
	equal(d.t, d.what+": who take digests", l.Digests.Members, takers)
	if waits && l.Digests.Switch <= l.Digests.Number {
		d.t.Errorf("%s: %+v, but somebody waits", d.what, l.Digests)
	}
	d.checkContains(lists.PresentIssue, want)
}

// checkContains checks who gets the posts of an issue one by one.
func (d *digestModel) checkContains(issue int, want map[string]bool) {
	var keys [][]byte
	for key := range d.members {
		keys = append(keys, []byte(key))
	}
	in := make([]bool, len(keys))
	if err := d.store.Contains(d.t.Context(), d.list, issue, keys, in); err != nil {
		d.t.Fatal(err)
	}
	for i, key := range keys {
		equal(d.t, fmt.Sprintf("%s: issue %d contains %s", d.what, issue, key), in[i], want[string(key)])
	}
}
