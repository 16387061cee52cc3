// Package lists is the domain: addresses, mailing lists and their settings, members,
// who may post, what an address of ours means, and the Store and History seams behind
// which they and their posts are kept. It opens no socket and no file, knows no SMTP
// reply and no engine.
package lists
