package run

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"superlistd/config"
	"superlistd/lists"
	"superlistd/lists/boltstore"
	"superlistd/smtpclient"
)

// checkStoreCommand is what check calls itself as, to look at a file of lists or of history: a damaged one can end
// the process that maps it.
const checkStoreCommand = "check-store"

// checkTime bounds what check does over the network.
const checkTime = 20 * time.Second

// report prints findings: "ok", "note" for what may be meant so, "WRONG" for what must be mended.
type report struct {
	w     io.Writer
	wrong int
}

func (r *report) say(state, what, format string, args ...any) {
	if state == "WRONG" {
		r.wrong++
	}
	fmt.Fprintf(r.w, "%-6s %-9s %s\n", state, what, fmt.Sprintf(format, args...))
}

// verdict reports err, or that all is well.
func (r *report) verdict(what string, err error, format string, args ...any) bool {
	if err != nil {
		r.say("WRONG", what, "%v", err)
		return false
	}
	r.say("ok", what, format, args...)
	return true
}

// check looks at all that serve and spawn need, and changes nothing.
func check(args []string, stdout, _ io.Writer) error {
	var path, postfix string
	err := flags(args, func(set *flag.FlagSet) {
		configFlag(&path)(set)
		set.StringVar(&postfix, "postfix", "", "Postfix's config_directory")
	})
	if err != nil {
		return err
	}
	path = configPath(path)
	cfg, err := config.Load(path)
	if err != nil {
		return err // each fault on a line of its own, with file and line
	}
	r := &report{w: stdout}
	r.say("ok", "settings", "%s", path)
	r.checkFiles(cfg)
	r.checkTemplates(cfg)
	ctx, cancel := context.WithTimeout(context.Background(), checkTime)
	defer cancel()
	r.checkDoors(cfg, r.checkPostfix(ctx, cfg, path, postfix))
	r.checkIdentity(ctx, cfg)
	r.checkRelay(ctx, cfg)
	if r.wrong > 0 {
		return errTold
	}
	return nil
}

func (r *report) checkFiles(cfg config.Config) {
	if _, err := serverTLS(cfg); err != nil {
		r.verdict("tls", err, "")
	} else if cfg.TLS.Cert != "" {
		r.say("ok", "tls", "%s", cfg.TLS.Cert)
	}
	info, err := os.Stat(cfg.Data)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no folder", cfg.Data)
	}
	if !r.verdict("data", err, "%s", cfg.Data) {
		return
	}
	r.checkSpool(cfg)
	r.checkHistory(cfg)
	text, err := checkInChild("--store", storePath(cfg))
	if _, missing := os.Stat(storePath(cfg)); err == nil && missing != nil {
		r.say("note", "store", "no list yet (listctl create LIST makes %s)", storePath(cfg))
		return
	}
	r.verdict("store", err, "%s", text)
}

// checkHistory looks at the history of posts, which is not there until a list wants it.
func (r *report) checkHistory(cfg config.Config) {
	if _, err := os.Stat(statePath(cfg)); errors.Is(err, os.ErrNotExist) {
		return
	}
	text, err := checkInChild("--history", statePath(cfg))
	if err != nil {
		err = fmt.Errorf("%w (mail goes on without it; it may be deleted, and reply_ok and the limits per hour begin anew)", err)
	}
	r.verdict("history", err, "%s", text)
}

// checkInChild looks at a file in a process of its own.
func checkInChild(kind, path string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	cmd := exec.Cmd{Path: self, Args: []string{os.Args[0], checkStoreCommand, kind, path}}
	out, err := cmd.CombinedOutput()
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if err != nil && line == "" {
		line = err.Error()
	}
	if err != nil {
		return "", errors.New(line)
	}
	return line, nil
}

// checkStore is the child of checkInChild.
func checkStore(args []string, stdout, _ io.Writer) error {
	var path, history string
	err := flags(args, func(set *flag.FlagSet) {
		set.StringVar(&path, "store", "", "file of lists")
		set.StringVar(&history, "history", "", "file of the history of posts")
	})
	if err != nil {
		return err
	}
	if history != "" {
		if err := boltstore.CheckHistory(history); err != nil {
			return err
		}
		_, err = fmt.Fprintln(stdout, history)
		return err
	}
	if err := boltstore.Check(path); err != nil {
		return err
	}
	store, err := boltstore.Open(path, boltstore.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer store.Close()
	count, members := 0, 0
	for after := (lists.Address{}); ; {
		page, err := store.Lists(context.Background(), after, 1000)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		for _, l := range page {
			count, members = count+1, members+l.Members
		}
		after = page[len(page)-1].Address
	}
	_, err = fmt.Fprintf(stdout, "%s, %d lists, %d members\n", path, count, members)
	return err
}

func (r *report) checkRelay(ctx context.Context, cfg config.Config) {
	options, err := hopOptions(cfg)
	if err != nil {
		r.verdict("relay", err, "")
		return
	}
	conn, err := smtpclient.Dial(ctx, options)
	if err != nil {
		r.verdict("relay", err, "")
		return
	}
	defer conn.Quit()
	caps := conn.Capabilities()
	r.say("ok", "relay", "%s", cfg.Relay)
	if missing := missingXForward(caps); len(missing) > 0 {
		r.say("WRONG", "xforward", "the relay does not take %s from us, so its log will not know the clients (smtpd_authorized_xforward_hosts)",
			strings.Join(missing, " "))
	} else {
		r.say("ok", "xforward", "allowed")
	}
	if caps.XVERP {
		r.say("ok", "xverp", "allowed")
	} else {
		r.say("note", "xverp", "not allowed: bounces do not name the member, but for lists with verp=always or every N, whose posts then go to each in a transaction of its own (smtpd_authorized_verp_clients)")
	}
	if caps.HasSize && caps.Size > 0 && cfg.Limits.MessageSize > caps.Size {
		r.say("note", "size", "limits.message_size is %d, the relay takes %d octets: the smaller one holds (message_size_limit in main.cf, if larger posts are wanted)", cfg.Limits.MessageSize, caps.Size)
	}
	for _, c := range []struct {
		has  bool
		name string
	}{{caps.Pipelining, "PIPELINING"}, {caps.EightBitMIME, "8BITMIME"}, {caps.SMTPUTF8, "SMTPUTF8"}, {caps.DSN, "DSN"}} {
		if !c.has {
			r.say("note", "relay", "%s is not offered", c.name)
		}
	}
}

func missingXForward(caps smtpclient.Capabilities) (missing []string) {
	for _, a := range []string{"NAME", "ADDR", "HELO"} {
		if !slices.Contains(caps.XForward, a) {
			missing = append(missing, a)
		}
	}
	return missing
}
