// Package soak is for tests: the real programs, superlistd and listctl, as processes on one data folder, which are
// killed, stopped, started beside each other and left without room on the disk while posts come in. A next hop
// that outlives them writes down who got what, and one law is checked in the end: whoever was to have a post that was
// told 250 has it, and has it twice only when the end of a process, or of a connection, left it unknown whether
// the first copy was taken.
//
// A clock that jumps cannot be shown to a real process without changing that of the host: the tests of package delivery
// do that.
package soak
