// Package moderation is the office where held posts wait for a person: it keeps them, asks the moderators by mail, reads their
// answers, and carries out what they decided. It judges no post and dresses none, and opens no socket: what it sends goes
// through the functions it was given.
//
// A decision is noted first (package held), and then carried out: whatever stops that, Tick goes on with it. Every mail has a key
// for the retry guard that is made from what it is about, so that what is done again is not sent again.
package moderation
