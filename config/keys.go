package config

import (
	"math"
	"time"
)

// binding ties a key to the place that its value goes to.
type binding struct {
	name string
	set  setter
}

// bindings is the one table of keys: a key that is not here is unknown.
func bindings(c *Config) []binding {
	const forever = 366 * 24 * time.Hour
	return []binding{
		{"hostname", text(&c.Hostname, fullName)},
		{"domains", list(&c.Domains, domain)},
		{"listen", list(&c.Listen, door("listen"))},
		{"lmtp", list(&c.LMTP, door("lmtp"))},
		{"relay", text(&c.Relay, hop)},
		{"data", text(&c.Data, path)},
		{"delimiter", text(&c.Delimiter, delimiter)},
		{"clients", list(&c.Clients, network)},
		{"templates", text(&c.Templates, optional(path))},
		{"audit_months", number(&c.AuditMonths, 0, 1200)},

		{"identity.resolver", text(&c.Identity.Resolver, resolver)},
		{"identity.timeout", span(&c.Identity.Timeout, 100*time.Millisecond, time.Minute)},
		{"identity.cache", number(&c.Identity.Cache, 1, 1_000_000)},
		{"identity.signatures", number(&c.Identity.Signatures, 1, 50)},

		{"dkim.domain", text(&c.DKIM.Domain, optional(domain))},
		{"dkim.selector", list(&c.DKIM.Selectors, selector)},
		{"dkim.key", list(&c.DKIM.Keys, path)},

		{"limits.message_size", size(&c.Limits.MessageSize, 0, math.MaxInt64)},
		{"limits.recipients", number(&c.Limits.Recipients, 1, 1_000_000)},
		{"limits.sessions", number(&c.Limits.Sessions, 1, 100_000)},
		{"limits.client_sessions", number(&c.Limits.ClientSessions, 1, 100_000)},
		{"limits.errors", number(&c.Limits.Errors, 1, 10_000)},
		{"limits.line", size(&c.Limits.Line, 2048, 1<<20)},
		{"limits.memory", size(&c.Limits.Memory, 4096, 1<<30)},
		{"limits.answers_per_day", number(&c.Limits.AnswersPerDay, 1, 10_000)},

		{"timeouts.command", span(&c.Timeouts.Command, time.Second, forever)},
		{"timeouts.data", span(&c.Timeouts.Data, time.Second, forever)},
		{"timeouts.connect", span(&c.Timeouts.Connect, 100*time.Millisecond, time.Hour)},
		{"timeouts.relay", span(&c.Timeouts.Relay, 100*time.Millisecond, time.Hour)},
		{"timeouts.idle", span(&c.Timeouts.Idle, 0, time.Hour)},

		{"delivery.batch", number(&c.Delivery.Batch, 1, 100_000)},
		{"delivery.max_armed", number(&c.Delivery.MaxArmed, 1, 10_000)},
		{"delivery.relay_connections", number(&c.Delivery.RelayConnections, 2, 10_000)},
		{"delivery.relay_share", number(&c.Delivery.RelayShare, 1, 10_000)},
		{"delivery.budget", span(&c.Delivery.Budget, time.Second, time.Hour)},
		{"delivery.spool_high", size(&c.Delivery.SpoolHigh, 0, math.MaxInt64)},
		{"delivery.spool_low", size(&c.Delivery.SpoolLow, 0, math.MaxInt64)},
		{"delivery.spool_entries", number(&c.Delivery.SpoolEntries, 0, 1_000_000)},
		{"delivery.spool_free", size(&c.Delivery.SpoolFree, 0, math.MaxInt64/2)},
		{"delivery.spool_lifetime", span(&c.Delivery.SpoolLifetime, time.Second, forever)},
		{"delivery.spool_connections", number(&c.Delivery.SpoolConnections, 1, 10_000)},
		{"delivery.spool_per_list", number(&c.Delivery.SpoolPerList, 1, 10_000)},
		{"delivery.spawn_linger", span(&c.Delivery.SpawnLinger, 0, time.Hour)},

		{"helo.check", choice(&c.Helo.Check, CheckOff, CheckSyntax, CheckResolvable)},

		{"tls.cert", text(&c.TLS.Cert, optional(path))},
		{"tls.key", text(&c.TLS.Key, optional(path))},

		{"relay_tls.mode", choice(&c.RelayTLS.Mode, ModeOff, ModeOpportunistic, ModeRequired)},
		{"relay_tls.ca", text(&c.RelayTLS.CA, optional(path))},
		{"relay_tls.name", text(&c.RelayTLS.Name, optional(domain))},

		{"relay_auth.mechanism", text(&c.RelayAuth.Mechanism, optional(mechanism))},
		{"relay_auth.user", text(&c.RelayAuth.User, secret)},
		{"relay_auth.password", text(&c.RelayAuth.Password, secret)},
		{"relay_auth.password_file", text(&c.RelayAuth.PasswordFile, optional(path))},

		{"xclient.networks", list(&c.XClient.Networks, network)},

		{"web.listen", text(&c.Web.Listen, webListen)},
		{"web.url", text(&c.Web.URL, optional(webURL))},
		{"web.proxies", list(&c.Web.Proxies, network)},

		{"log.level", choice(&c.Log.Level, "debug", "info", "warn", "error")},
		{"log.format", choice(&c.Log.Format, FormatText, FormatJSON)},
		{"log.to", text(&c.Log.To, logTo)},
	}
}
