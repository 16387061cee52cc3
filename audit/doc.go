// Package audit keeps the book of what was done to lists and members: what, when, by whom and by which way. It owns the
// files under DATA/audit, one for each list and month with one JSON object a line, and a lists.Store that writes down what
// each commit has changed. It decides nothing: that a line cannot be written is reported, and no change fails for it.
package audit
