// Package spool keeps what was promised with 250 and is not delivered yet: one file for each entry, which is one route
// of one post. It knows files, locks and what survives what; it knows neither SMTP nor the members of a list.
//
//	data/spool/<id>    an entry; its time of modification is when it is due
//	data/spool/.<id>…  an entry that is being written
//	data/spool/slots   locks that bound the connections of all processes together
//	data/spool/full    is there while the spool is above its marks
//	data/failed/<id>   an entry at its end; under another name when an earlier one has its
//
// An entry is a line that names the format, a plan, the header and the body of the copies, and behind them a
// journal that is only appended to. Whoever works on an entry holds flock(2) on its file, so that any number of processes
// can share a spool, and one that dies lets go. All of an entry is on the disk before Publish returns; the
// journal is written at once, which survives a kill, and synced once a second and when the entry is let go: the notes of a
// second are what a power cut may cost.
package spool
