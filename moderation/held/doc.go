// Package held keeps posts that wait for a moderator: on disk, before their senders are told 250, until somebody has decided
// and what was decided is done. It knows files and what survives what; it knows no moderators, and sends nothing.
//
//	data/held/<id>          a held post
//	data/held/<id>.decided  what was decided, and by whom; it stays for KeepNotes after the post is gone
//	data/held/<id>.noticed  the moderators were told
//	data/held/<id>.told     the author was told
//	data/held/<id>.counted  the post was counted as one of its author's
//	data/held/.<id>…        something that is being written
//
// A post is a line that names the format, a line of facts with a checksum, and the content as it came. Nothing in a file is ever
// changed: what comes later is another file, whose name appears when it is whole. A name that must appear once, that of a
// post and that of a decision, is given by a rename that replaces nothing, so of any number of processes one wins. Both are
// synced, and their folder too, before anybody is told that they are there. Whoever carries a decision out holds flock(2) on the
// post.
package held
