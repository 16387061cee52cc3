package run

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"superlistd/config"
)

// checkPostfix asks Postfix's own tools whether mail for the list domains that starts inside Postfix is routed
// to the second door. Without it bounces and local posts would pass us by.
func (r *report) checkPostfix(ctx context.Context, cfg config.Config, dir string) {
	postconf, err := exec.LookPath("postconf")
	if err != nil {
		return // Postfix may live elsewhere
	}
	if _, err := os.Stat(filepath.Join(dir, "main.cf")); err != nil {
		return
	}
	maps, err := exec.CommandContext(ctx, postconf, "-c", dir, "-h", "-x", "transport_maps").Output()
	if err != nil {
		r.say("note", "postfix", "transport_maps could not be read from %s: %v", dir, err)
		return
	}
	for _, domain := range cfg.Domains {
		found := ""
		for _, m := range splitMaps(string(maps)) {
			out, err := exec.CommandContext(ctx, "postmap", "-c", dir, "-q", domain, m).Output()
			if err == nil && len(out) > 0 {
				found = strings.TrimSpace(string(out))
				break
			}
		}
		if found == "" {
			r.say("WRONG", "postfix", "transport_maps in %s has no entry for %s: bounces and local mail for its lists go astray", dir, domain)
			continue
		}
		r.say("ok", "postfix", "%s is routed to %s", domain, found)
	}
}

// splitMaps splits a list of tables at commas and blanks that stand outside of braces (postconf(5)).
func splitMaps(s string) []string {
	depth := 0
	return strings.FieldsFunc(s, func(c rune) bool {
		switch c {
		case '{':
			depth++
		case '}':
			depth--
		case ' ', '\t', '\n', ',':
			return depth == 0
		}
		return false
	})
}
