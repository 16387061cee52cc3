package housetest

import (
	"errors"
	"fmt"
	"syscall"
	"testing"

	"superlistd/internal/faultdisk"
)

// EachStep has run break the first step, then the second, and so on, until a run does not come to its fault, or the test has
// failed. run says which step was broken; empty: none. Fewer than least steps are a failure: where nothing is done nothing breaks.
func EachStep(t testing.TB, least int, run func(n int) (broken string)) {
	t.Helper()
	step := ""
	each(t, least, func(n int) {
		step = "" // in case this run ends the test
		step = run(n)
	}, func() string { return step })
}

// each asks broken after each run, also after one that has ended the test.
func each(t testing.TB, least int, run func(n int), broken func() string) {
	t.Helper()
	for n, tripped := 1, true; tripped && !t.Failed(); n++ {
		once(t, n, run, broken)
		if tripped = broken() != ""; !tripped && n <= least {
			t.Errorf("only %d steps, want %d", n-1, least)
		}
	}
}

func once(t testing.TB, n int, run func(n int), broken func() string) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Logf("run %d, broken: %q", n, broken())
		}
	}()
	run(n)
}

// DiskFault is a way for a disk to fail. Those of this package are copied, and narrowed by Where.
type DiskFault struct {
	Name  string
	Fault faultdisk.Fault // EachStep sets its At
	Power bool            // the machine loses its power there
	Keep  bool            // and the file system happened to have written the names
}

// The usual ways.
var (
	EIOOnce           = DiskFault{Name: "EIO once", Fault: faultdisk.Fault{Err: syscall.EIO}}
	EIOForEver        = DiskFault{Name: "EIO for ever", Fault: faultdisk.Fault{Err: syscall.EIO, Forever: true}}
	ENOSPCOnce        = DiskFault{Name: "ENOSPC once", Fault: faultdisk.Fault{Err: syscall.ENOSPC}}
	ENOSPCForEver     = DiskFault{Name: "ENOSPC for ever", Fault: faultdisk.Fault{Err: syscall.ENOSPC, Forever: true}}
	Kill              = DiskFault{Name: "kill", Fault: faultdisk.Fault{Crash: true}}
	PowerCut          = DiskFault{Name: "power cut", Fault: faultdisk.Fault{Crash: true}, Power: true}
	PowerCutKeepNames = DiskFault{Name: "power cut that keeps names", Fault: faultdisk.Fault{Crash: true}, Power: true, Keep: true}
)

// Where is the same fault, of some steps only.
func (f DiskFault) Where(match func(op, path string) bool) DiskFault {
	f.Fault.Match = match
	return f
}

// Changes leaves out the steps before which a kill is the same as before the next one, and that a full disk does not know.
func Changes(op, _ string) bool {
	switch op {
	case "open", "readat", "fstat", "stat", "readdir", "lock", "free":
		return false
	}
	return true
}

// Ends are the ways for a process to end, at each step that changes something.
var Ends = []DiskFault{Kill.Where(Changes), PowerCut.Where(Changes), PowerCutKeepNames.Where(Changes)}

// EachStep runs a story on a disk whose n-th step fails, for every n.
func (f DiskFault) EachStep(t testing.TB, least int, run func(n int, disk *faultdisk.Disk)) {
	t.Helper()
	var disk *faultdisk.Disk
	each(t, least, func(n int) {
		f.Fault.At = n
		disk = faultdisk.New(f.Fault)
		run(n, disk)
	}, func() string { return disk.Step() })
}

// End is the end of the process, or of the power, where that is the fault: what comes next is a restart.
func (f DiskFault) End(t testing.TB, disk *faultdisk.Disk) {
	t.Helper()
	if f.Power {
		Must(t, disk.PowerCut(f.Keep))
	}
}

// ErrFault is what broken calls give.
var ErrFault = errors.New("a fault")

// CallFault is a way for calls to the outside to fail.
type CallFault struct {
	Name    string
	Err     error // nil: ErrFault
	ForEver bool  // all later calls fail too
	Kill    bool  // the process ends there: so does its disk
}

// CallFaults are the usual ways.
var CallFaults = []CallFault{{Name: "once"}, {Name: "from then on", ForEver: true}, {Name: "kill", Kill: true}}

// EachStep runs a story in which the n-th call fails, for every n.
func (f CallFault) EachStep(t testing.TB, least int, run func(c *Calls)) {
	t.Helper()
	if f.Err == nil {
		f.Err = ErrFault
	}
	var c *Calls
	each(t, least, func(n int) {
		c = &Calls{Disk: faultdisk.New(faultdisk.Fault{}), fault: f, at: n}
		run(c)
	}, func() string { return c.broken })
}

// Calls are those to the outside in one run.
type Calls struct {
	Disk *faultdisk.Disk // for the process that makes the calls: good until it is killed

	fault  CallFault
	at     int
	made   int
	broken string
}

// Broken is the name of the first call that failed; empty: none.
func (c *Calls) Broken() string { return c.broken }

// Step counts a call, and tells whether it is to fail: it is a House's Fail.
func (c *Calls) Step(name string) error {
	c.made++
	if c.made < c.at || c.made > c.at && !c.fault.ForEver && !c.fault.Kill {
		return nil
	}
	if c.broken == "" {
		c.broken = name
		if c.fault.Kill {
			c.Disk.Crash()
		}
	}
	return fmt.Errorf("%w in %s", c.fault.Err, name)
}
