// Package templates holds all that is written to people by mail: one text a file, in every language, with the files
// that a site or a list has in their place. It never sends anything, asks no store, and does not know MIME: it makes a
// subject and a body, in UTF-8, of facts that strangers may have written.
package templates
