// Package web is the page where somebody leaves a list without writing a mail: by one click (RFC 8058), or with an address that is
// asked by mail. It owns the links, the pages and the server with its bounds. It knows no mail, no cookies and no
// accounts: a link is the right to do the one thing that it is for, and nothing is done but on a POST.
package web
