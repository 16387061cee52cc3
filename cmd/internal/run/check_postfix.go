package run

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"superlistd/config"
)

// postfixTool is where a tool of Postfix's is: in the PATH, or where the PATH of an account without rights does not lead.
func postfixTool(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	return filepath.Join("/usr/sbin", name)
}

// checkPostfix asks Postfix's own tools whether it accepts mail for the list domains, whether what starts inside Postfix is
// routed to the second door (without that, bounces and local posts would pass us by), and whether somebody answers
// wherever it hands mail to us. dir is the config_directory that the caller has named, "" for the usual one.
func (r *report) checkPostfix(ctx context.Context, cfg config.Config, path, dir string) (by spawned) {
	how := "WRONG"
	if dir == "" {
		how, dir = "note", cmp.Or(os.Getenv("MAIL_CONFIG"), "/etc/postfix") // Postfix may live elsewhere
	}
	_, err := os.Stat(filepath.Join(dir, "main.cf"))
	if err == nil {
		_, err = exec.LookPath(postfixTool("postconf"))
	}
	if err != nil {
		r.say(how, "postfix", "not looked at (--postfix DIR): %v", err)
		return spawned{}
	}
	m, err := readMaster(ctx, dir)
	if err != nil {
		r.say("note", "postfix", "%v", err)
	} else {
		by.smtp = r.checkFilters(m, cfg, path)
	}
	routed := 0
	for _, domain := range cfg.Domains {
		route, err := ask(ctx, dir, "transport_maps", domain)
		switch {
		case err != nil:
			r.say("note", "postfix", "%v", err)
			return by
		case route == "":
			r.say("WRONG", "postfix", "transport_maps in %s has no entry for %s: bounces and local mail for its lists go astray", dir, domain)
		case m == nil:
			r.say("ok", "postfix", "%s is routed to %s", domain, route)
		case r.checkRoute(m, domain, route, cfg, path):
			routed++
		}
		r.checkClass(ctx, dir, domain)
	}
	by.lmtp = routed == len(cfg.Domains)
	return by
}

// checkClass looks for the domain where it belongs, and in the other places that make Postfix accept it.
func (r *report) checkClass(ctx context.Context, dir, domain string) {
	var in []string
	for _, class := range []string{"relay_domains", "mydestination", "virtual_alias_domains", "virtual_mailbox_domains"} {
		switch found, err := ask(ctx, dir, class, domain); {
		case err != nil:
			r.say("note", "postfix", "%v", err)
			return
		case found != "":
			in = append(in, class)
		}
	}
	switch {
	case len(in) == 0:
		r.say("WRONG", "postfix", "relay_domains in %s does not name %s: mail from other hosts for its lists is refused", dir, domain)
	case in[0] != "relay_domains":
		r.say("note", "postfix", "%s is in %s, not in relay_domains: Postfix must not look for its lists' addresses itself", domain, in[0])
	case len(in) > 1: // the other classes come first in trivial-rewrite(8)
		r.say("WRONG", "postfix", "%s is in relay_domains and in %s, where Postfix looks for its addresses first", domain, strings.Join(in[1:], " and "))
	default:
		r.say("ok", "postfix", "%s is in relay_domains", domain)
	}
}

// ask looks a domain up as Postfix does, in a parameter that holds tables or names. It returns what is found
// there, or "".
func ask(ctx context.Context, dir, parameter, domain string) (string, error) {
	value, err := exec.CommandContext(ctx, postfixTool("postconf"), "-c", dir, "-h", "-x", parameter).Output()
	if err != nil {
		return "", fmt.Errorf("%s could not be read from %s: %w", parameter, dir, err)
	}
	for _, item := range splitMaps(string(value)) {
		if strings.HasPrefix(item, "/") || strings.HasPrefix(item, "!") {
			return "", fmt.Errorf("%s in %s holds %s, which is not looked into", parameter, dir, item)
		}
		if !strings.Contains(item, ":") {
			if strings.EqualFold(item, domain) {
				return item, nil
			}
			continue
		}
		out, err := exec.CommandContext(ctx, postfixTool("postmap"), "-c", dir, "-q", domain, item).Output()
		if err == nil && len(out) > 0 {
			return strings.TrimSpace(string(out)), nil
		}
	}
	return "", nil
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
