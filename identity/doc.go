// Package identity says how well the From address of a post is proven: SPF (RFC
// 7208) for the envelope, DKIM (RFC 6376, RFC 8463) for the content, and DMARC (RFC
// 9989), which ties both to the author's domain. It writes what it found as an
// Authentication-Results field (RFC 8601), tells what a domain's policy would make
// receivers do, and signs what leaves with DKIM keys of ours.
//
// It asks the DNS through a bounded cache and within one budget of time, and opens
// no other socket. It never decides who may post, and never edits a message: it
// gives a proof to lists and fields to message.
package identity
