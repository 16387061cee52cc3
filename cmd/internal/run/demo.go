package run

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"superlistd/config"
	"superlistd/lists"
	"superlistd/lists/boltstore"
	"superlistd/message"
	"superlistd/proxy"
)

const demoDomain = "lists.example.org"

// demo shows one post on its whole way: a client, superlistd, a next hop, and the copies that came out there.
// It needs nothing but this program, leaves nothing behind, and ends by itself; --keep leaves it up to play with.
func demo(args []string, stdout, stderr io.Writer) (err error) {
	var keep bool
	if err := flags(args, func(set *flag.FlagSet) { set.BoolVar(&keep, "keep", false, "stay up") }); err != nil {
		return err
	}
	signals := make(chan os.Signal, 1)
	if keep {
		signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
		defer signal.Stop(signals)
	}
	dir, err := os.MkdirTemp("", "superlistd-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	hop, err := startDemoHop(stdout)
	if err != nil {
		return err
	}
	defer hop.close()
	store, list, err := demoList(dir, stdout)
	if err != nil {
		return err
	}
	cfg := config.Default()
	cfg.Hostname, cfg.Domains, cfg.Data = "mx.example.org", []string{demoDomain}, dir
	cfg.Relay = config.Endpoint{Network: config.TCP, Address: hop.address()}
	cfg.Identity.Resolver = config.ResolverOff // nothing here is real, and the DNS may be far away
	a, err := assemble(cfg, store, time.Now, zerolog.New(io.Discard))
	if err != nil {
		return err
	}
	defer a.close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- a.server.Serve(l, proxy.SMTP) }()
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		a.server.Shutdown(ctx)
		if end := <-served; err == nil {
			err = end
		}
	}()
	if err := demoPost(l.Addr().String(), list, stdout); err != nil {
		return err
	}
	if err := hop.show(list, demoMembers()); err != nil {
		return err
	}
	if keep {
		return demoKeep(dir, l.Addr().String(), cfg, signals, stdout)
	}
	return nil
}

func demoMembers() []lists.Member {
	var members []lists.Member
	for _, m := range [][2]string{{"Ann", "ann@example.net"}, {"Bob", "bob@example.com"}, {"Chloé", "chloe@example.edu"}} {
		local, domain, _ := strings.Cut(m[1], "@")
		members = append(members, lists.Member{Name: m[0], Address: lists.Address{Local: local, Domain: domain}})
	}
	return members
}

// demoList makes a real store with a list in it.
func demoList(dir string, stdout io.Writer) (lists.Store, lists.List, error) {
	store, err := boltstore.Open(filepath.Join(dir, "lists.db"), boltstore.Options{})
	if err != nil {
		return nil, lists.List{}, err
	}
	ctx := context.Background()
	list := lists.List{Address: lists.Address{Local: "team", Domain: demoDomain}, Settings: lists.DefaultSettings()}
	list.Settings.Description = "The team"
	err = store.Create(ctx, list, func(func(lists.Address) bool) error { return nil })
	if err == nil {
		_, err = store.Change(ctx, list.Address, lists.Change{Add: demoMembers()})
	}
	if err != nil {
		store.Close()
		return nil, list, err
	}
	fmt.Fprintf(stdout, "A list, %s, with three members:\n", list.Address)
	for _, m := range demoMembers() {
		fmt.Fprintf(stdout, "  %s <%s>\n", m.Name, m.Address)
	}
	return store, list, nil
}

// demoPost speaks SMTP with superlistd as Postfix would, and prints the dialogue.
func demoPost(address string, list lists.List, stdout io.Writer) error {
	note := message.Note{
		From: "Ann <ann@example.net>", To: list.Address.String(), Subject: "Lunch on Friday",
		Text: "At noon, in the kitchen?\n", MessageID: "lunch@example.net", Date: time.Now(),
	}
	content, err := note.Bytes()
	if err != nil {
		return err
	}
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	d := demoDialogue{conn: conn, r: bufio.NewReader(conn), w: stdout}
	fmt.Fprintf(stdout, "\nA post, as Postfix hands it to superlistd:\n")
	d.expect("220")
	for _, step := range [][2]string{
		{"EHLO mx.example.org", "250"},
		{"XFORWARD NAME=mail.example.net ADDR=192.0.2.25 HELO=mail.example.net PROTO=ESMTP", "250"},
		{"MAIL FROM:<ann@example.net>", "250"},
		{"RCPT TO:<nobody@" + demoDomain + ">", "550"},
		{"RCPT TO:<" + list.Address.String() + ">", "250"},
		{"DATA", "354"},
	} {
		d.say(step[0])
		d.expect(step[1])
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(content), "\r\n"), "\r\n") {
		d.say(line)
	}
	d.say(".")
	d.expect("250")
	d.say("QUIT")
	d.expect("221")
	return d.err
}

// demoDialogue prints what both sides say.
type demoDialogue struct {
	conn net.Conn
	r    *bufio.Reader
	w    io.Writer
	err  error
}

func (d *demoDialogue) say(line string) {
	if d.err == nil {
		fmt.Fprintf(d.w, "  C: %s\n", line)
		_, d.err = io.WriteString(d.conn, line+"\r\n")
	}
}

func (d *demoDialogue) expect(code string) {
	for d.err == nil {
		line, err := d.r.ReadString('\n')
		if d.err = err; err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		fmt.Fprintf(d.w, "  S: %s\n", line)
		if !strings.HasPrefix(line, code) {
			d.err = fmt.Errorf("demo: %q was answered where %s was expected", line, code)
		}
		if len(line) < 4 || line[3] != '-' {
			return
		}
	}
}

// demoKeep leaves everything up, with a settings file so that listctl can be tried.
func demoKeep(dir, address string, cfg config.Config, signals <-chan os.Signal, stdout io.Writer) error {
	path := filepath.Join(dir, "superlistd.toml")
	settings := fmt.Sprintf("hostname = %q\ndomains = [%q]\nidentity.resolver = %q\nrelay = %q\ndata = %q\n",
		cfg.Hostname, demoDomain, cfg.Identity.Resolver, cfg.Relay.String(), dir)
	if err := os.WriteFile(path, []byte(settings), 0o600); err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, `
Still up until Ctrl-C. To try:
  listctl --config %[1]s members team@%[2]s
  listctl --config %[1]s add team@%[2]s you@example.org
  swaks --server %[3]s --port %[4]s --from ann@example.net --h-From ann@example.net --to team@%[2]s
  superlistd check --config %[1]s
Copies are printed here when they come out.
`, path, demoDomain, host, port)
	<-signals
	return nil
}
