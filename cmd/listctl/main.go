// Command listctl manages the lists of superlistd and their members.
package main

import (
	"os"

	"superlistd/cmd/internal/run"
)

func main() {
	os.Exit(run.Listctl(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
