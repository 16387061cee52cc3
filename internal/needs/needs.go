// Package needs is what tests need of the machine that they run on. Where it is missing they are skipped, but never
// with CI=true: there nothing may be left out, so they fail.
package needs

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Root ends the test unless it runs as root. why tells what only root can do.
func Root(t testing.TB, why string) {
	t.Helper()
	if os.Geteuid() != 0 {
		Missing(t, why)
	}
}

// Program returns where a program is: in the PATH, or where Debian has those of administrators, which is not in everybody's.
func Program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path, err = exec.LookPath(filepath.Join("/usr/sbin", name))
	}
	if err != nil {
		Missing(t, "there is no "+name+" here")
	}
	return path
}

// Missing ends the test, since what it needs is not there.
func Missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal("CI leaves nothing out: " + why)
	}
	t.Skip(why)
}
