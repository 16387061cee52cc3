package run

import (
	"os"
	"path/filepath"
	"testing"

	"superlistd/internal/needs"
)

// Root reads every key, and the account that runs superlistd does not: check must tell.
func TestOwnerReads(t *testing.T) {
	t.Parallel()
	needs.Root(t, "only root can make files of others")
	data, key := t.TempDir(), filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(key, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const account, group, other = 54321, 54322, 54323
	for _, tt := range []struct {
		uid, gid int
		mode     os.FileMode
		want     bool
	}{
		{0, 0, 0o600, false}, {0, 0, 0o640, false}, {0, group, 0o640, true}, {0, group, 0o600, false},
		{account, 0, 0o400, true}, {account, 0, 0o040, false}, {other, other, 0o604, true},
	} {
		for _, err := range []error{os.Chown(data, account, group), os.Chown(key, tt.uid, tt.gid), os.Chmod(key, tt.mode)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if got := ownerReads(data, key); got != tt.want {
			t.Errorf("%d:%d %v: %v", tt.uid, tt.gid, tt.mode, got)
		}
	}
}
