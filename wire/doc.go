// Package wire holds the words that both SMTP halves share: command lines,
// paths and parameters, xtext, client facts, reply lines and dot-stuffing. It
// opens no socket, knows no list and decides nothing: it reads what a stranger
// wrote and writes what a stranger may safely read.
package wire
