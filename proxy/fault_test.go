package proxy_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"superlistd/internal/smtptest"
	"superlistd/proxy"
)

// faultScenes are the kinds of transaction. In the mixed one bob is named himself, and is a member too.
var faultScenes = []struct {
	name  string
	rcpts []string
	lines int
}{
	{"relay only", []string{"out@far.test", "two@far.test"}, 40},
	{"long relay only", []string{"out@far.test"}, 3000}, // more than one write of content
	{"one list", []string{"team@lists.test"}, 40},
	{"two lists", []string{"team@lists.test", "news@lists.test"}, 40},
	{"mixed", []string{"out@far.test", "team@lists.test", "bob@m.test"}, 40},
}

// faultPatience is longer than any step takes, and shorter than any timeout of the usual house.
const faultPatience = 12 * time.Second

// faultWave is how many steps are broken side by side: more where most of the time is waiting.
func faultWave(fault smtptest.Fault) int {
	if fault == smtptest.Stall {
		return 16
	}
	return 8
}

// Break every step of the next hop in every way, for every kind of transaction at both doors. The law:
// 250 means that everybody has it exactly once, anything else is a 4xx, or the next hop's own
// 5xx, and left nothing behind, or a log line for what had been committed before; and a client that
// comes again reaches everybody.
func TestFaultAtEveryStepOfTheNextHop(t *testing.T) {
	t.Parallel()
	faults := []smtptest.Fault{smtptest.Drop, smtptest.RST, smtptest.Garbage, smtptest.HalfReply, smtptest.Stall,
		"451 4.7.1 Later", "550 5.7.1 Never", "421 4.3.2 Bye"}
	for _, scene := range faultScenes {
		for _, door := range []proxy.Door{proxy.SMTP, proxy.LMTP} {
			for _, bdat := range []bool{false, true} {
				for _, fault := range faults {
					if testing.Short() && bdat && fault != smtptest.Drop {
						continue // what comes by BDAT goes on as what comes by DATA
					}
					post := faultPost{door: door, bdat: bdat, rcpts: scene.rcpts, content: faultContent(scene.lines)}
					name := fmt.Sprintf("%s/%v/bdat=%v/%.3s", scene.name, door, bdat, fault)
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						breakEveryStep(t, post, fault)
					})
				}
			}
		}
	}
}

// breakEveryStep goes on until a fault is not reached any more.
func breakEveryStep(t *testing.T, post faultPost, fault smtptest.Fault) {
	set := faultSetup{dataDir: t.TempDir()}
	if fault == smtptest.Stall {
		set.timeout = 500 * time.Millisecond
	}
	wave := faultWave(fault)
	for n, tripped := 1, true; tripped; n += wave {
		var wg sync.WaitGroup
		houses := make([]*faultHouse, wave)
		reached := make([]bool, wave)
		for i := range houses {
			houses[i] = newFaultHouse(t, set, smtptest.Fail(n+i, fault))
			wg.Go(func() { reached[i] = houses[i].tryStep(n+i, post, fault) })
		}
		wg.Wait()
		for i, h := range houses {
			h.close()
			tripped = tripped && reached[i]
		}
		if !reached[0] && n == 1 {
			t.Fatal("no step was reached")
		}
		if n > 1000 {
			t.Fatal("no end of steps")
		}
	}
}

// tryStep sends a post to a house whose peer breaks the n-th step, and tells whether that step came.
func (h *faultHouse) tryStep(n int, post faultPost, fault smtptest.Fault) bool {
	start := time.Now()
	told, err := h.send(post)
	tripped := h.peer.Tripped()
	if took := time.Since(start); err == nil && took > faultPatience {
		err = fmt.Errorf("took %v: somebody waits for nothing", took)
	}
	if err == nil {
		err = h.drained()
	}
	if err == nil {
		err = h.judgeSettled(told, fault)
	}
	if err == nil && !tripped {
		for rcpt, reply := range told {
			if reply[:3] != "250" && fault != smtptest.Stall { // a busy machine times out by itself
				err = fmt.Errorf("%s told %q without a fault", rcpt, reply)
			}
		}
	}
	for tries := 0; err == nil && tries < h.retries(fault); tries++ {
		post.rcpts = nil
		for rcpt, reply := range told {
			if reply[0] == '4' {
				post.rcpts = append(post.rcpts, rcpt)
			}
		}
		if len(post.rcpts) == 0 {
			break
		}
		var again map[string]string
		again, err = h.send(post)
		for rcpt, reply := range again {
			told[rcpt] = reply
		}
	}
	if err == nil {
		err = h.drained()
	}
	if err == nil {
		err = h.judgeEnd(told, fault)
	}
	if err != nil {
		h.t.Errorf("step %d: %v\ntold %q, queued %v\n%s\n%s", n, err, told, h.peer.Queued(), h.peer.Transcript(), h.log)
	}
	return tripped
}

// gaveUp tells that the spool ended an entry which the next hop refused for good; its owners were told.
func (h *faultHouse) gaveUp() bool { return strings.Contains(h.log.String(), "spooled post failed") }

// spooled tells that something went by the spool, where a reply can be lost after 250 too.
func (h *faultHouse) spooled() bool { return strings.Contains(h.log.String(), "post spooled") }

// retries is one; where the timeout is short for a busy machine, it is more.
func (h *faultHouse) retries(fault smtptest.Fault) int {
	if fault == smtptest.Stall {
		return 5
	}
	return 1
}

// judgeSettled gives a peer that drops the connection time: it answers first, and queues a moment later.
func (h *faultHouse) judgeSettled(told map[string]string, fault smtptest.Fault) error {
	err := h.judgeFault(told, fault)
	for range 100 {
		if err == nil || fault != smtptest.Drop {
			break
		}
		time.Sleep(20 * time.Millisecond)
		err = h.judgeFault(told, fault)
	}
	return err
}

// judgeFault holds the law after the first attempt.
func (h *faultHouse) judgeFault(told map[string]string, fault smtptest.Fault) error {
	queued := h.peer.Queued()
	positive := 0
	for rcpt, reply := range told {
		switch {
		case strings.HasPrefix(reply, "250 "):
			positive++
			for _, m := range faultAudience(rcpt) {
				if queued[m] == 0 && (h.isRefused(m) || h.gaveUp()) {
					continue
				}
				if queued[m] != 1 && !(queued[m] == 2 && h.spooled()) {
					return fmt.Errorf("%s was told %q, and %s has it %d times", rcpt, reply, m, queued[m])
				}
			}
		case strings.HasPrefix(reply, "421"), len(reply) < 4, reply[0] == '5' && reply != string(fault), reply[0] != '4' && reply[0] != '5':
			return fmt.Errorf("%s was told %q", rcpt, reply)
		}
	}
	if positive == 0 && len(queued) > 0 && !strings.Contains(h.log.String(), `"level":"error"`) {
		return fmt.Errorf("nobody was told 250, queued is %v, and the log has no error", queued)
	}
	return h.whole()
}

// judgeEnd holds it after the client came again: whoever was not refused for good has it, and of all transactions
// that were committed no more than one came twice, the one whose reply was lost. Nobody can tell that one from one that
// was not taken.
func (h *faultHouse) judgeEnd(told map[string]string, fault smtptest.Fault) error {
	queued := h.peer.Queued()
	twice := 0
	for _, n := range queued {
		twice += n - 1
	}
	if fault != smtptest.Stall && twice > faultBatch { // a busy machine times out at further replies
		return fmt.Errorf("%d copies too many", twice)
	}
	for rcpt, reply := range told {
		if reply == string(fault) && reply[0] == '5' {
			continue
		}
		if !strings.HasPrefix(reply, "250 ") {
			return fmt.Errorf("%s was told %q in the end", rcpt, reply)
		}
		for _, m := range faultAudience(rcpt) {
			if queued[m] == 0 && !h.isRefused(m) && !h.gaveUp() {
				return fmt.Errorf("%s has nothing in the end", m)
			}
		}
	}
	return h.whole()
}
