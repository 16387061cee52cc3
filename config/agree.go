package config

import (
	"fmt"
	"slices"
)

// agree checks what no single key can: that the required ones are there, and that keys fit together.
// Keys that are faulty by themselves are left alone, so that one slip gives one fault.
func (r *reader) agree(hostname func() (string, error)) {
	c := &r.config
	if _, ok := r.given["hostname"]; !ok {
		name, err := ownName(hostname)
		if err != nil {
			r.fault(0, "hostname", err.Error())
		}
		c.Hostname = name
	}
	r.need("domains", len(c.Domains) == 0, `the domains of the lists, such as ["lists.example.org"]`)
	r.need("relay", c.Relay == Endpoint{}, `the after-filter smtpd, such as "127.0.0.1:10026"`)
	r.agreeDoors()
	r.agreeLimits()
	r.agreeDelivery()
	r.agreeSpool()
	r.agreeTLS()
	r.agreeAuth()
	r.agreeIdentity()
	r.agreeDKIM()
	r.agreeWeb()
}

// need reports a required key that is missing or empty.
func (r *reader) need(key string, empty bool, what string) {
	line, given := r.given[key]
	if r.faulty(key) || !empty {
		return
	}
	if given {
		r.fault(line, key, "is empty: it must give "+what)
		return
	}
	r.fault(0, key, "is missing: it must give "+what)
}

func (r *reader) faulty(keys ...string) bool {
	return slices.ContainsFunc(r.faults, func(f Fault) bool { return slices.Contains(keys, f.Key) })
}

// blame reports a fault between keys, at the last of them that the file gives.
func (r *reader) blame(message string, keys ...string) {
	if r.faulty(keys...) {
		return
	}
	key := slices.MaxFunc(keys, func(a, b string) int { return r.given[a] - r.given[b] })
	r.fault(r.given[key], key, message)
}

// agreeDelivery keeps posts and relayed mail from waiting for each other's connections without end: a post takes
// all its connections at once, so they must exist beside the share of relayed mail.
func (r *reader) agreeDelivery() {
	d := r.config.Delivery
	const armed, connections, share = "delivery.max_armed", "delivery.relay_connections", "delivery.relay_share"
	switch left := d.RelayConnections - d.RelayShare; {
	case left < 1:
		r.blame(fmt.Sprintf("relay_share (%d) must be less than relay_connections (%d)", d.RelayShare, d.RelayConnections), share, connections)
	case d.MaxArmed > left:
		r.blame(fmt.Sprintf("max_armed (%d) is more than relay_connections less relay_share (%d - %d = %d)", d.MaxArmed, d.RelayConnections, d.RelayShare, left), armed, connections, share)
	}
	if r.config.Timeouts.Connect > d.Budget {
		r.blame(fmt.Sprintf("timeouts.connect (%s) is longer than delivery.budget (%s)", showSpan(r.config.Timeouts.Connect), showSpan(d.Budget)), "timeouts.connect", "delivery.budget")
	}
}

// agreeSpool lets marks and connections of the spool follow what they depend on, unless the file gives them. The spool's
// connections are among those of posts: the share of relayed mail is not theirs.
func (r *reader) agreeSpool() {
	d := &r.config.Delivery
	if _, given := r.given["delivery.spool_low"]; d.SpoolHigh > 0 && !given {
		d.SpoolLow = min(d.SpoolLow, d.SpoolHigh/2)
	} else if d.SpoolHigh > 0 && d.SpoolLow > d.SpoolHigh {
		r.blame(fmt.Sprintf("spool_low (%d octets) is more than spool_high (%d)", d.SpoolLow, d.SpoolHigh), "delivery.spool_low", "delivery.spool_high")
	}
	const connections, perList = "delivery.spool_connections", "delivery.spool_per_list"
	const all, share = "delivery.relay_connections", "delivery.relay_share"
	if left := d.RelayConnections - d.RelayShare; d.SpoolConnections > left && left > 0 {
		if _, given := r.given[connections]; given {
			r.blame(fmt.Sprintf("spool_connections (%d) is more than relay_connections less relay_share (%d - %d = %d)", d.SpoolConnections, d.RelayConnections, d.RelayShare, left), connections, all, share)
			return
		}
		d.SpoolConnections = left
	}
	if d.SpoolPerList > d.SpoolConnections {
		if _, given := r.given[perList]; given {
			r.blame(fmt.Sprintf("spool_per_list (%d) is more than spool_connections (%d)", d.SpoolPerList, d.SpoolConnections), perList, connections)
			return
		}
		d.SpoolPerList = d.SpoolConnections
	}
}

// agreeLimits lets client_sessions follow a lowered sessions, unless the file gives it.
func (r *reader) agreeLimits() {
	l := &r.config.Limits
	if l.ClientSessions <= l.Sessions {
		return
	}
	if _, ok := r.given["limits.client_sessions"]; !ok {
		l.ClientSessions = l.Sessions
		return
	}
	r.blame(fmt.Sprintf("client_sessions (%d) is more than sessions (%d)", l.ClientSessions, l.Sessions), "limits.client_sessions", "limits.sessions")
}

func (r *reader) agreeTLS() {
	c := &r.config
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		r.blame("cert and key belong together: give both", "tls.cert", "tls.key")
	}
	if t := c.RelayTLS; t.Mode != ModeRequired {
		for key, value := range map[string]string{"relay_tls.ca": t.CA, "relay_tls.name": t.Name} {
			if value != "" {
				r.blame(`is only used with mode = "required"`, key)
			}
		}
	} else if t.Name == "" && c.Relay.Network == Unix {
		r.blame(`needs name too: the relay is a socket without a host name`, "relay_tls.mode")
	}
}

func (r *reader) agreeAuth() {
	a := r.config.RelayAuth
	const user, password, file = "relay_auth.user", "relay_auth.password", "relay_auth.password_file"
	switch {
	case a.Password != "" && a.PasswordFile != "":
		r.blame("password and password_file exclude each other", password, file)
	case a.User == "" && (a.Password != "" || a.PasswordFile != "" || a.Mechanism != ""):
		r.blame("is not used without user", password, file, "relay_auth.mechanism")
	case a.User != "" && a.Password == "" && a.PasswordFile == "":
		r.blame("needs password_file (or password) too", user)
	}
}

func (r *reader) agreeIdentity() {
	const timeout, budget = "identity.timeout", "delivery.budget"
	if t, b := r.config.Identity.Timeout, r.config.Delivery.Budget; t > b {
		r.blame(fmt.Sprintf("timeout (%s) is longer than delivery.budget (%s)", showSpan(t), showSpan(b)), timeout, budget)
	}
}

func (r *reader) agreeDKIM() {
	const domain, selector, key = "dkim.domain", "dkim.selector", "dkim.key"
	d := r.config.DKIM
	switch selectors, keys := len(d.Selectors), len(d.Keys); {
	case selectors != keys:
		r.blame(fmt.Sprintf("each key needs a selector of its own: selector has %d, key has %d", selectors, keys), selector, key)
	case keys == 0 && d.Domain != "":
		r.blame("is not used without selector and key", domain)
	}
}

// agreeWeb: a link leads somewhere, and not to a door for mail.
func (r *reader) agreeWeb() {
	const listen, url = "web.listen", "web.url"
	w := r.config.Web
	switch none := w.Listen == (Endpoint{}); {
	case none && w.URL != "":
		r.blame("needs listen too: nobody would answer there", url, listen)
	case none:
		return
	case w.URL == "":
		r.blame("needs url too: what links begin with, such as \"https://lists.example.org\"", listen, url)
	case w.Listen == r.config.Relay:
		r.blame(quote(w.Listen.String())+" is also the relay", listen, "relay")
	}
	for _, door := range r.places() {
		if door.at == w.Listen {
			r.blame(quote(w.Listen.String())+" is also in "+door.key, listen, door.key)
		}
	}
}
