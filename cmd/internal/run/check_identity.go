package run

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"superlistd/config"
	"superlistd/identity"
	"superlistd/templates"
)

// checkIdentity looks whether the DNS answers, and whether it has the keys that sign.
func (r *report) checkIdentity(ctx context.Context, cfg config.Config) {
	resolver := newResolver(cfg.Identity)
	if resolver == nil {
		r.say("note", "identity", "resolver is off: From is proven by a door with trust, and for mail of this host, by nothing else")
	} else if err := answers(ctx, resolver, cfg); err != nil {
		r.say("WRONG", "identity", "the DNS does not answer (resolver = %q): each post waits up to %s for it, and stays unproven: %v",
			cfg.Identity.Resolver, cfg.Identity.Timeout, err)
		resolver = nil
	} else {
		r.say("ok", "identity", "the DNS answers (resolver = %q)", cfg.Identity.Resolver)
	}
	keys, warnings, err := loadKeys(cfg.DKIM)
	if err != nil {
		r.sayEach("dkim", err)
		return
	}
	for _, warning := range warnings {
		r.say("note", "dkim", "%s", warning)
	}
	for _, path := range cfg.DKIM.Keys {
		if !ownerReads(cfg.Data, path) {
			r.say("WRONG", "dkim", "%s: the owner of %s cannot read it, so superlistd will not start", path, cfg.Data)
		}
	}
	for i, key := range keys {
		for _, domain := range signingDomains(cfg) {
			r.checkKey(ctx, resolver, key, cfg.DKIM.Keys[i], domain)
		}
	}
	for _, domain := range cfg.Domains {
		if d := cfg.DKIM.Domain; d != "" && domain != d && !strings.HasSuffix(domain, "."+d) {
			r.say("note", "dkim", "%s is not %s nor below it: its signatures do not count for a From at %s (DMARC)", domain, d, domain)
		}
	}
}

// ownerReads tells whether the account that owns a folder can read a file, as far as mode and groups of the file tell. Root, who runs the
// check, reads everything; superlistd does not run as root.
func ownerReads(folder, path string) bool {
	var owner, file unix.Stat_t
	if os.Geteuid() != 0 || unix.Stat(folder, &owner) != nil || unix.Stat(path, &file) != nil || owner.Uid == 0 {
		return true // whoever asks is who will read, or it was told already
	}
	switch {
	case file.Uid == owner.Uid:
		return file.Mode&0o400 != 0
	case file.Gid == owner.Gid || inGroup(owner.Uid, file.Gid):
		return file.Mode&0o040 != 0
	}
	return file.Mode&0o004 != 0
}

// inGroup asks the system's accounts.
func inGroup(uid, gid uint32) bool {
	u, err := user.LookupId(strconv.Itoa(int(uid)))
	if err != nil {
		return false
	}
	groups, err := u.GroupIds()
	return err == nil && slices.Contains(groups, strconv.Itoa(int(gid)))
}

// checkTemplates looks at the texts of the site.
func (r *report) checkTemplates(cfg config.Config) {
	if cfg.Templates == "" {
		return
	}
	if _, err := templates.New(cfg.Templates); err != nil {
		r.sayEach("templates", err)
		return
	}
	r.say("ok", "templates", "%s", cfg.Templates)
}

// sayEach reports every one of joined errors on a line of its own.
func (r *report) sayEach(what string, err error) {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		r.say("WRONG", what, "%s", line)
	}
}

// answers asks for something that need not be there, with the patience that there is for posts.
func answers(ctx context.Context, resolver *net.Resolver, cfg config.Config) error {
	ctx, cancel := context.WithTimeout(ctx, cfg.Identity.Timeout)
	defer cancel()
	_, err := lookUp(ctx, resolver, "_dmarc."+cfg.Domains[0])
	return err
}

// lookUp returns the TXT records of a name; none is no error.
func lookUp(ctx context.Context, resolver *net.Resolver, name string) ([]string, error) {
	records, err := resolver.LookupTXT(ctx, name+".") // no search list
	var none *net.DNSError
	if errors.As(err, &none) && none.IsNotFound {
		return nil, nil
	}
	return records, err
}

// checkKey compares a key with its record; without a resolver, it only tells of the key.
func (r *report) checkKey(ctx context.Context, resolver *net.Resolver, key identity.Key, path, domain string) {
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	name := recordName(key, domain)
	if resolver == nil {
		r.say("ok", "dkim", "%s signs as %s; the DNS was not asked", path, name)
		return
	}
	records, err := lookUp(ctx, resolver, name)
	if err != nil {
		r.say("note", "dkim", "%s: %v", name, err)
		return
	}
	want, err := key.Record()
	if err == nil {
		err = publishes(records, want)
	}
	if err != nil {
		r.say("WRONG", "dkim", "%s: %v (listctl dkim show prints what should be there)", name, err)
		return
	}
	if slices.Contains(strings.Split(keyTags(records[0])["t"], ":"), "y") {
		r.say("note", "dkim", "%s says t=y (testing): verifiers take no notice of the signatures", name)
		return
	}
	r.say("ok", "dkim", "%s is in the DNS, for %s", name, path)
}

// publishes compares the TXT records under the name of a key with the one that should be there (RFC 6376 section 3.6).
func publishes(records []string, want string) error {
	switch {
	case len(records) == 0:
		return errors.New("there is no TXT record")
	case len(records) > 1:
		return fmt.Errorf("there are %d TXT records, of which verifiers may take any", len(records))
	}
	is, should := keyTags(records[0]), keyTags(want)
	allows := func(tag string, words ...string) bool {
		value, given := is[tag]
		return !given || slices.ContainsFunc(strings.Split(value, ":"), func(s string) bool { return slices.Contains(words, s) })
	}
	switch p, given := is["p"]; {
	case !allows("v", "DKIM1") || !given:
		return errors.New("the TXT record is no DKIM key")
	case p == "":
		return errors.New("the record revokes the key: its p= is empty")
	case p != should["p"] || !allows("k", should["k"]) || is["k"] == "" && should["k"] != "rsa":
		return errors.New("the record has another key")
	case !allows("h", "sha256"):
		return fmt.Errorf("the record does not allow SHA-256: h=%s", is["h"])
	case !allows("s", "*", "email"):
		return fmt.Errorf("the record is not for mail: s=%s", is["s"])
	}
	return nil
}

// keyTags reads a tag=value list (RFC 6376 section 3.2). Blanks mean nothing in any value of a key record that is looked at.
func keyTags(record string) map[string]string {
	tags := make(map[string]string)
	for tag := range strings.SplitSeq(record, ";") {
		name, value, ok := strings.Cut(tag, "=")
		if ok {
			tags[strings.TrimSpace(name)] = strings.Join(strings.Fields(value), "")
		}
	}
	return tags
}
