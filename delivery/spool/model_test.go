package spool_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"superlistd/delivery/spool"
	"superlistd/internal/faultdisk"
)

// entry is what the model knows of one.
type entry struct {
	name     string
	failed   bool
	holder   int // process, or -1
	e        *spool.Entry
	noted    map[int]bool
	attempts int
	told     bool
	due      time.Time
	killed   bool // and so it is due when it was before, or was written to
}

// model is a spool as a plain list, beside a real one that several processes share.
type model struct {
	t       *testing.T
	r       *rand.Rand
	data    string
	clock   *clock
	disks   []*faultdisk.Disk
	spools  []*spool.Spool
	entries []*entry
	serial  int
	did     []string
}

func newModel(t *testing.T, seed uint64) *model {
	m := &model{t: t, r: rand.New(rand.NewPCG(seed, 7)), data: t.TempDir(), clock: newClock()}
	for range 3 {
		m.disks, m.spools = append(m.disks, nil), append(m.spools, nil)
		m.start(len(m.spools) - 1)
	}
	return m
}

func (m *model) start(p int) {
	o := m.clock.options()
	m.disks[p] = faultdisk.New(faultdisk.Fault{})
	o.Disk = m.disks[p]
	m.spools[p] = spool.Open(m.data, o)
}

// at finds an entry in one of the two folders.
func (m *model) at(id string, failed bool) *entry {
	for _, e := range m.entries {
		if e.name == id && e.failed == failed {
			return e
		}
	}
	return nil
}

// meant is the entry that an order of an administrator is about.
func (m *model) meant(id string) *entry {
	if e := m.at(id, false); e != nil {
		return e
	}
	return m.at(id, true)
}

func (m *model) drop(e *entry) {
	m.entries = slices.DeleteFunc(m.entries, func(o *entry) bool { return o == e })
}

func (m *model) want(what string, got, want error) {
	m.t.Helper()
	m.did = append(m.did, what)
	wantErr(m.t, what, got, want)
}

// step does one thing in one process, and looks whether it is told what the model says.
func (m *model) step() {
	p, id := m.r.IntN(len(m.spools)), name(string(rune('a'+m.r.IntN(4))))
	if len(m.entries) > 0 && m.r.IntN(3) > 0 {
		id = m.entries[m.r.IntN(len(m.entries))].name
	}
	m.clock.move(time.Duration(m.r.IntN(2000)) * time.Millisecond)
	var held []*entry
	for _, e := range m.entries {
		if e.holder == p {
			held = append(held, e)
		}
	}
	switch n := m.r.IntN(20); {
	case n < 4:
		m.post(p, id)
	case n < 9:
		m.claim(p, id)
	case n == 9:
		m.retry(p, id)
	case n == 10:
		m.delete(p, id)
	case n == 11 && m.r.IntN(3) == 0:
		m.kill(p)
	case n == 12:
		must(m.t, m.spools[p].Sweep())
	case len(held) > 0:
		m.work(held[m.r.IntN(len(held))])
	}
}

func (m *model) post(p int, id string) {
	real, err := m.spools[p].Prepare(planOf(id), []byte(postHead), strings.NewReader(postBody), int64(len(postBody)))
	must(m.t, err)
	if m.r.IntN(4) == 0 {
		real.Discard()
		return
	}
	if m.at(id, false) != nil {
		m.want(fmt.Sprintf("%d Publish %.2s again", p, id), real.Publish(), fs.ErrExist)
		return
	}
	m.want(fmt.Sprintf("%d Publish %.2s", p, id), real.Publish(), nil)
	m.entries = append(m.entries, &entry{name: id, holder: p, e: real, noted: map[int]bool{}})
}

func (m *model) claim(p int, id string) {
	real, err := m.spools[p].Claim(id)
	switch e := m.at(id, false); {
	case e == nil:
		m.want(fmt.Sprintf("%d Claim %.2s", p, id), err, spool.ErrGone)
	case e.holder >= 0:
		m.want(fmt.Sprintf("%d Claim %.2s", p, id), err, spool.ErrHeld)
	default:
		m.want(fmt.Sprintf("%d Claim %.2s", p, id), err, nil)
		if err != nil {
			return
		}
		wantWhole(m.t, real, id)
		m.wantState(e, real.State())
		e.holder, e.e, e.killed = p, real, false
	}
}

func (m *model) wantState(e *entry, got spool.State) {
	m.t.Helper()
	for n := range m.serial + 1 {
		if has(got.Served, key(n)) != e.noted[n] {
			m.t.Errorf("%.2s: member %d is noted: %v", e.name, n, !e.noted[n])
		}
	}
	if got.Accepted != len(e.noted) || got.Attempts != e.attempts || got.Told != e.told {
		m.t.Errorf("%.2s: state %+v, want %d accepted, %d attempts, told %v", e.name, got, len(e.noted), e.attempts, e.told)
	}
}

// work does something to an entry that is held.
func (m *model) work(e *entry) {
	what := fmt.Sprintf("%d ", e.holder)
	switch n := m.r.IntN(12); {
	case n < 5:
		m.serial++
		e.noted[m.serial] = true
		m.want(what+"Note "+e.name[:2], e.e.Note(note(m.serial), 1, 0), nil)
	case n == 5:
		e.attempts++
		m.want(what+"Tried "+e.name[:2], e.e.Tried("because"), nil)
	case n == 6:
		e.told = true
		m.want(what+"Told "+e.name[:2], e.e.Told(), nil)
	case n == 7:
		m.want(what+"Finish "+e.name[:2], e.e.Finish(), nil)
		m.drop(e)
	case n == 8:
		m.fail(e, what)
	default:
		e.holder, e.due = -1, m.clock.now().Add(time.Duration(m.r.IntN(120)-60)*time.Second)
		m.want(what+"Release "+e.name[:2], e.e.Release(e.due), nil)
	}
}

// fail moves an entry to the failed ones, where it may need another name.
func (m *model) fail(e *entry, what string) {
	before := files(m.t, filepath.Join(m.data, "failed"))
	m.want(what+"Fail "+e.name[:2], e.e.Fail(), nil)
	taken := m.at(e.name, true) != nil
	e.failed, e.holder = true, -1
	if !taken {
		return
	}
	for _, n := range files(m.t, filepath.Join(m.data, "failed")) {
		if !slices.Contains(before, n) {
			e.name = n
		}
	}
}

func (m *model) retry(p int, id string) {
	err := m.spools[p].Retry(id)
	switch e := m.meant(id); {
	case e == nil:
		m.want(fmt.Sprintf("%d Retry %.2s", p, id), err, spool.ErrGone)
	case e.holder >= 0:
		m.want(fmt.Sprintf("%d Retry %.2s", p, id), err, spool.ErrHeld)
	default:
		m.want(fmt.Sprintf("%d Retry %.2s", p, id), err, nil)
		e.failed, e.attempts, e.due, e.killed = false, 0, m.clock.now(), false
	}
}

func (m *model) delete(p int, id string) {
	err := m.spools[p].Delete(id)
	switch e := m.meant(id); {
	case e == nil:
		m.want(fmt.Sprintf("%d Delete %.2s", p, id), err, spool.ErrGone)
	case e.holder >= 0:
		m.want(fmt.Sprintf("%d Delete %.2s", p, id), err, spool.ErrHeld)
	default:
		m.want(fmt.Sprintf("%d Delete %.2s", p, id), err, nil)
		m.drop(e)
	}
}

// kill ends a process, and starts another one.
func (m *model) kill(p int) {
	m.did = append(m.did, fmt.Sprintf("%d is killed", p))
	m.disks[p].Crash()
	for _, e := range m.entries {
		if e.holder == p {
			e.holder, e.e = -1, nil
			e.killed = true
		}
	}
	m.start(p)
}

// look compares everything.
func (m *model) look() {
	s := m.spools[m.r.IntN(len(m.spools))]
	all, err := s.Entries()
	must(m.t, err)
	if len(all) != len(m.entries) {
		m.t.Errorf("%d entries, want %d", len(all), len(m.entries))
	}
	for _, i := range all {
		e := m.at(i.ID, i.Failed)
		if e == nil || i.Held != (e.holder >= 0) || i.Fault != "" {
			m.t.Errorf("%+v, want %+v", i, e)
			continue
		}
		m.wantState(e, i.State)
	}
	ids, _, err := s.Due()
	must(m.t, err)
	for _, e := range m.entries {
		free := !e.failed && e.holder < 0 && !e.killed
		if got := slices.Contains(ids, e.name); free && got == e.due.After(m.clock.now()) {
			m.t.Errorf("%.2s is due: %v", e.name, got)
		}
		there, err := s.Has(e.name)
		if must(m.t, err); there != (m.at(e.name, false) != nil) {
			m.t.Errorf("Has(%.2s) = %v", e.name, there)
		}
	}
}

// Random things that several processes do to one folder, beside a plain list of who holds what and what is noted.
func TestAgainstAModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			m := newModel(t, seed)
			for i := 0; i < 600 && !t.Failed(); i++ {
				m.step()
				if i%10 == 0 {
					m.look()
				}
			}
			if t.Failed() {
				t.Logf("the last steps: %s", strings.Join(m.did[max(0, len(m.did)-30):], ", "))
			}
			for _, e := range m.entries {
				if e.holder >= 0 {
					must(t, e.e.Release(m.clock.now()))
				}
			}
			if left := unpublished(t, m.data); len(left) > 0 {
				t.Errorf("left: %q", left)
			}
		})
	}
}
