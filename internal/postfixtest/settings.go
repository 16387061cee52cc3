package postfixtest

import (
	"embed"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// base is what an administrator has before the examples are added.
//
//go:embed base/main.cf base/master.cf
var base embed.FS

// What the examples are written for.
const (
	hostname = "mx.example.org"

	// Domain is the domain of the lists.
	Domain = "lists.example.org"
)

// settings makes the files of Postfix and superlistd from the examples. Only ports, paths and accounts are
// replaced.
func (p *Postfix) settings() {
	p.Front, p.After, p.Filter, p.Door = p.freePort(), p.freePort(), p.freePort(), p.freePort()
	own := strings.NewReplacer(
		"127.0.0.1:10025", p.Filter, "127.0.0.1:10026", p.After, "127.0.0.1:10024", p.Door,
		"user=superlistd ", "user="+account+" ", "/usr/local/bin/superlistd", p.opts.Binary,
		"/etc/superlistd/superlistd.toml", p.Config, "/var/lib/superlistd", filepath.Join(p.Dir, "lists"),
		"@DIR@", p.Dir, "@HOSTNAME@", hostname, "@OWN@", Own, "@FAR@", port(p.Far.Addr()),
	)
	shape := string(p.opts.Shape)
	p.write("main.cf", own.Replace(p.base("main.cf")+p.example("main.cf."+shape)))
	entries, existing := p.example("master.cf."+shape), p.base("master.cf")
	if smtpEntry.MatchString(entries) { // "The first entry replaces the line that you have"
		existing = regexp.MustCompile(smtpEntry.String()+".*\n").ReplaceAllString(existing, "")
	}
	p.write("master.cf", smtpEntry.ReplaceAllString(own.Replace(existing+entries), p.Front+" inet "))
	p.write("superlistd.toml", own.Replace(p.withoutDoors(p.example("superlistd.toml"))))
}

var smtpEntry = regexp.MustCompile(`(?m)^smtp +inet +`)

// withoutDoors takes the keys out that master.cf calls not needed, lets the log go to a file, and asks no DNS: there is
// none here, and each post would wait for it.
func (p *Postfix) withoutDoors(text string) string {
	text = strings.Replace(text, `#to = "stderr"`, `to = "`+filepath.Join(p.Dir, "lists/log")+`"`, 1)
	text = strings.Replace(text, `#resolver = "system"`, `resolver = "off"`, 1)
	switch p.opts.Shape {
	case Spawn:
		return regexp.MustCompile(`(?m)^(listen|lmtp) = .*\n`).ReplaceAllString(text, "")
	case LMTP:
		return regexp.MustCompile(`(?m)^listen = .*\n`).ReplaceAllString(text, "")
	}
	return text
}

func (p *Postfix) base(name string) string {
	text, err := base.ReadFile("base/" + name)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

// example reads a file of examples/, which is where go.mod is.
func (p *Postfix) example(name string) string {
	root, err := os.Getwd()
	for err == nil && root != "/" {
		if _, none := os.Stat(filepath.Join(root, "go.mod")); none == nil {
			break
		}
		root = filepath.Dir(root)
	}
	text, err := os.ReadFile(filepath.Join(root, "examples", name))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

func (p *Postfix) write(name, text string) {
	if p.opts.Edit != nil {
		text = p.opts.Edit(name, text)
	}
	if err := os.WriteFile(filepath.Join(p.Dir, name), []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// freePort finds an address of 127.0.0.1 on which nobody listens. It stays clear of the ports that the
// kernel gives to outgoing connections, of which one could take it before Postfix does.
func (p *Postfix) freePort() string {
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(10100+rand.IntN(20000)))
		if err == nil {
			address := l.Addr().String()
			l.Close()
			return address
		}
	}
	p.t.Fatal("no free port")
	return ""
}

func port(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}
