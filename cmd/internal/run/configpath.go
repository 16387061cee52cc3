package run

import (
	"cmp"
	"os"
)

// configPath is the settings file of both programs: what the flag --config says, else
// $SUPERLISTD_CONFIG, else the usual place.
func configPath(flag string) string {
	return cmp.Or(flag, os.Getenv("SUPERLISTD_CONFIG"), "/etc/superlistd/superlistd.toml")
}
