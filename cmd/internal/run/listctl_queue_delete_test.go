package run

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"superlistd/internal/needs"
)

// On a terminal, "delete all" asks, and only yes is a yes.
func TestQueueDeleteAllAsks(t *testing.T) {
	t.Parallel()
	const question = "This deletes everything in the queue (5): whoever has no copy gets none. Delete? [y/N] "
	for _, tt := range []struct {
		answer, stderr, left string
	}{
		{"y\n", question + idOf("b") + ": it is being worked on at this moment: try again when it waits\n", "b"},
		{" Yes \n", question + idOf("b") + ": it is being worked on at this moment: try again when it waits\n", "b"},
		{"\n", question + "nothing was deleted: --yes means it\n", "a1 a2 b d"},
		{"no\n", question + "nothing was deleted: --yes means it\n", "a1 a2 b d"},
		{"\x04", question + "nothing was deleted: --yes means it\n", "a1 a2 b d"},
	} {
		t.Run(fmt.Sprintf("%q", tt.answer), func(t *testing.T) {
			t.Parallel()
			file := settingsFile(t)
			fillQueue(t, filepath.Dir(file))
			var out, faults bytes.Buffer
			status := Listctl([]string{"--config", file, "queue", "delete", "all"}, terminal(t, tt.answer), &out, &faults)
			if status != exitRefused || faults.String() != tt.stderr {
				t.Errorf("exit status %d, stderr %q, want %q", status, faults.String(), tt.stderr)
			}
			if got := entriesIn(t, filepath.Dir(file), "spool"); got != tt.left {
				t.Errorf("left are %s, want %s", got, tt.left)
			}
		})
	}
}

func TestQueueDeleteAllOfNothing(t *testing.T) {
	t.Parallel()
	if status, stdout, stderr := listctlOn(settingsFile(t), "queue delete all"); status != exitDone || stdout+stderr != "" {
		t.Errorf("exit status %d, %s%s", status, stdout, stderr)
	}
}

// terminal is one on which somebody has typed. 0x04 is the key that ends the input.
func terminal(t *testing.T, typed string) *os.File {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		needs.Missing(t, err.Error())
	}
	t.Cleanup(func() { keyboard.Close() })
	number, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	screen, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { screen.Close() })
	if _, err := keyboard.WriteString(typed); err != nil {
		t.Fatal(err)
	}
	return screen
}
