// Package digest keeps the posts for members who want many of them in one mail, until an issue is due, and makes and sends it: as MIME
// (RFC 2046 section 5.1.5) and as one text (RFC 1153). It does not know who wants what: a store deals the members out
// by the number of the issue, however late it is asked.
//
//	data/digests/<list>/             the list's address, escaped, and when it was made: another list of that name has another folder
//	data/digests/<list>/lock         who moves the issues on has flock(2) on it
//	data/digests/<list>/<n>/<id>     a post of issue n: facts, header, body
//	data/digests/<list>/<n>.label    what issue n is called
//	data/digests/<list>/<n>.<k>.batch  the k-th mailing of issue n: which posts are in it
//	data/digests/<list>/<n>.<k>.sent   the same, when the next hop or the spool has it; kept for a while
//
// A post is safe before Gather returns. An issue is closed in three steps, each of which finds what was done of it before a crash: its label
// is written, then the store counts on, then what lies in its folder is listed, compiled and handed over, under
// keys by which nothing is taken twice. What arrives for an issue that is sent already goes out as a further mailing of it.
package digest
