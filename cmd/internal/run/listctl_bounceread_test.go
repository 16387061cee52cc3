package run

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

// bounceMail is a sample of the bounce reader.
func bounceMail(name string) string {
	return filepath.Join("..", "..", "..", "testdata", "bounce", name+".eml")
}

func TestBounceRead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, mail, want string }{
		{"hard", "real-postfix-unknown", `"kind":"hard","recipients":[{"address":"unknown@example.org","status":"5.1.1","diagnostic":"550 5.1.1 <unknown@example.org>: Recipient address rejected: User unknown in virtual mailbox table"}]}`},
		{"an address and where it went", "real-postfix-alias", `"kind":"hard","recipients":[{"address":"staff@example.org","status":"5.1.1","diagnostic":"550 5.1.1 <unknown.fwd@work.example>: Recipient address rejected: User unknown in virtual mailbox table"},{"address":"unknown.fwd@work.example",`},
		{"who only waits is not among those who failed", "dsn-three-recipients", `{"address":"bob@example.org","status":"5.2.2","diagnostic":"552 5.2.2 mailbox full"}]}`},
		{"refused for its content", "real-exim-spam", `"kind":"none","recipients":[{"address":"spam@example.org","status":"5.7.1",`},
		{"a domain in its own letters", "dsn-domain-of-letters", `[{"address":"ann@grünkohl.example",`},
		{"a domain in those of the DNS", "dsn-domain-of-a-labels", `[{"address":"ann@xn--grnkohl-o2a.example",`},
		{"a local part that should be in quotes", "dsn-local-of-dots", `[{"address":"ann..lee.@mobile.example",`},
		{"a local part in quotes", "dsn-quoted-local", `[{"address":"\"`},
		{"no bounce", "not-vacation", `"kind":"none","recipients":[]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			file := bounceMail(tt.mail)
			if status := Listctl([]string{"bounce-read", file}, strings.NewReader(""), &stdout, &stderr); status != exitDone {
				t.Fatalf("exit status %d, %s", status, &stderr)
			}
			name, err := json.Marshal(file)
			if err != nil {
				t.Fatal(err)
			}
			got := stdout.String()
			if !strings.HasPrefix(got, `{"file":`+string(name)+`,"kind":`) || !strings.Contains(got, tt.want) || strings.Count(got, "\n") != 1 {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestBounceReadFaults(t *testing.T) {
	t.Parallel()
	mail, err := os.ReadFile(bounceMail("qmail"))
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	missing := filepath.Join(t.TempDir(), "missing.eml")
	if status := Listctl([]string{"bounce-read", missing, "-"}, bytes.NewReader(mail), &stdout, &stderr); status != exitRefused {
		t.Errorf("exit status %d, want %d", status, exitRefused)
	}
	if !strings.Contains(stderr.String(), missing) || !strings.HasPrefix(stdout.String(), `{"file":"-","kind":"hard"`) {
		t.Errorf("stdout %s, stderr %s", &stdout, &stderr)
	}
	if status := Listctl([]string{"bounce-read"}, strings.NewReader(""), &stdout, &stderr); status != exitUsage {
		t.Errorf("exit status %d without a file, want %d", status, exitUsage)
	}
	stderr.Reset()
	if status := Listctl([]string{"bounce-read", "-"}, iotest.ErrReader(errors.New("torn")), &stdout, &stderr); status != exitRefused || !strings.Contains(stderr.String(), "-: read bounce: torn") {
		t.Errorf("exit status %d, stderr %s", status, &stderr)
	}
}
