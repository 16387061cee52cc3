// Package letters writes the mail of ours that goes to people, and reads what they answer. A letter has one of the texts of package
// templates, the null reverse-path unless its sender wants it back, and the marks of mail that a program wrote; it is signed, and handed to the next hop under a key
// by which the retry guard knows it again. The package decides nothing: who gets a letter, about what, and what an answer
// means is the business of the rooms above it.
package letters
