package enrol_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"superlistd/enrol"
	"superlistd/internal/faultdisk"
	"superlistd/internal/housetest"
	"superlistd/lists"
)

// files counts what lies in a folder of the desk.
func (h *house) files(folder string) (n int) {
	h.T.Helper()
	entries, err := os.ReadDir(filepath.Join(h.Data, "enrol", folder))
	must(h.T, err)
	for _, e := range entries {
		if len(e.Name()) == 10 {
			n++
		}
	}
	return n
}

// Requests that are done lock the door for nobody, however many there are, and a second answer to one of them does nothing.
func TestDoneRequestsDoNotCount(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "subscribe", "open")
	h.limits.Open, h.limits.Network = 2, 1000
	h.open(nil)
	var asked []letter
	for i := range 20 {
		must(t, h.ask(lists.ServiceSubscribe, nobodyTwice(i), lists.Proven, "Subject: x"))
		h.wantSent(nobodyTwice(i) + welcome)
		must(t, h.ask(lists.ServiceUnsubscribe, nobodyTwice(i), lists.Unproven, "Subject: x"))
		asked = append(asked, h.wantSent(nobodyTwice(i) + confirmLeave)[0])
		must(t, h.answer(asked[i], nobodyTwice(i), "No."))
	}
	for i := range 2 { // these wait
		must(t, h.ask(lists.ServiceSubscribe, fmt.Sprintf("max%d@m.test", i), lists.Unproven, "Subject: x"))
	}
	wantError(t, h.ask(lists.ServiceSubscribe, "max3@m.test", lists.Unproven, "Subject: x"), enrol.ErrTooMany)
	h.Take()
	must(t, h.answer(asked[3], nobodyTwice(3), "")) // too late
	h.wantSent()
	h.wantMember(nobodyTwice(3), true)
	if n := h.files("."); n != 2 {
		t.Errorf("%d requests wait", n)
	}
}

// Of those that are done the oldest are forgotten when there are too many; what waits stays, and nothing is done again.
func TestDoneRequestsAreBounded(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.limits.Open, h.limits.Network = 2, 1000
	h.open(nil)
	must(t, h.ask(lists.ServiceSubscribe, "max@m.test", lists.Unproven, "Subject: x"))
	waits := h.Take()[0]
	var asked []letter
	for i := range 14 {
		h.Wait(time.Second)
		must(t, h.ask(lists.ServiceSubscribe, nobodyTwice(i), lists.Proven, "Subject: x"))
		asked = append(asked, h.wantSent(nobodyTwice(i) + confirmJoin)[0])
		must(t, h.answer(asked[i], nobodyTwice(i), "No."))
	}
	must(t, h.desk.Tick(t.Context(), h.Now()))
	if n := h.files("done"); n != 10 {
		t.Errorf("%d are remembered", n)
	}
	wantError(t, h.answer(asked[3], nobodyTwice(3), ""), enrol.ErrToken)
	must(t, h.answer(asked[4], nobodyTwice(4), ""))
	h.wantSent()
	must(t, h.answer(waits, "max@m.test", ""))
	h.wantSent("max@m.test" + welcome)
	h.wantMember(nobodyTwice(3), false)
	h.wantMember(nobodyTwice(4), false)
}

// What an earlier version has left, or somebody who died before he came to it, is put away.
func TestDoneAndNotPutAway(t *testing.T) {
	t.Parallel()
	faults := housetest.Kill.Where(func(op, path string) bool {
		return filepath.Base(filepath.Dir(path)) == "done" || filepath.Base(path) == "done"
	})
	faults.EachStep(t, 2, func(_ int, disk *faultdisk.Disk) {
		h := newHouse(t)
		must(t, h.ask(lists.ServiceUnsubscribe, "mia@m.test", lists.Unproven, "Subject: x"))
		asked := h.Take()[0]
		h.open(disk)
		_ = h.answer(asked, "mia@m.test", "")
		h.open(nil)
		must(t, h.desk.Tick(t.Context(), h.Now()))
		must(t, h.answer(asked, "mia@m.test", ""))
		h.wantSent("mia@m.test" + goodbye)
		if open, done := h.files("."), h.files("done"); open != 0 || done != 1 {
			t.Errorf("%d wait, and %d are remembered", open, done)
		}
	})
}

// Mails that nobody counts any more, since they are carried out in any case, leave no more files the more there are.
func TestMailsLeaveFewFiles(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "subscribe", "open")
	h.limits.Address = 1
	h.open(nil)
	for i := range 30 {
		must(t, h.ask(lists.ServiceRequest, "mia@m.test", lists.Proven, "Subject: x\n\ninfo\n"+[]string{"set nomail", "set mail"}[i%2]+"\n"))
	}
	if n := len(h.Take()); n != 1 {
		t.Errorf("%d letters", n)
	}
	must(t, h.ask(lists.ServiceHelp, "ann@m.test", lists.Proven, "Subject: x"))
	for range 30 {
		wantError(t, h.ask(lists.ServiceRequest, "ann@m.test", lists.Proven, "Subject: x\n\ninfo\nsubscribe\n"), enrol.ErrTooMany)
		wantError(t, h.ask(lists.ServiceRequest, "ann@m.test", lists.Proven, "Subject: x\n\ninfo\nunsubscribe\n"), enrol.ErrTooMany)
	}
	h.wantMember("ann@m.test", false)
	if open, done := h.files("."), h.files("done"); open != 0 || done != 2 {
		t.Errorf("%d wait, and %d are remembered", open, done)
	}
}
