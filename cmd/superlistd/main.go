// Command superlistd is the mailing list server inside Postfix's SMTP dialogue.
package main

import (
	"os"

	"superlistd/cmd/internal/run"
)

func main() {
	os.Exit(run.Superlistd(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
