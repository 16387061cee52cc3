// Package enrol is the desk where people join and leave lists by mail, and change how they get it: it reads what they ask for,
// has it confirmed where nothing proves who asked, asks the owners where they decide, and writes to everybody concerned. It does
// not find out who wrote a mail, knows no SMTP, and opens no socket.
//
// A request that waits for a confirmation or a decision is a file, and its keyed address is good for that file alone, once. All that
// is done about a request may be done again: a sender whose mail failed here comes again with it, and every letter
// has a key that is made from the request, so that the next hop gets it once. What the commands of one mail lead to is told in one
// letter, but for what is asked.
package enrol
