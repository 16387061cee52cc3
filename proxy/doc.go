// Package proxy is the SMTP server half: it answers for the list addresses while the
// sender is still connected, forwards all other mail to the next hop as it came, and hands posts
// to delivery. It owns the session, the transaction, the routing of recipients and the one table of
// replies. It never opens the store's file or a connection itself, and does not edit content.
package proxy
