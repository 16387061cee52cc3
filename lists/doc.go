// Package lists is the domain: addresses, mailing lists and their settings, members,
// who may post, what an address of ours means, and the Store seam behind which they
// are kept. It opens no socket and no file, knows no SMTP reply and no engine.
package lists
