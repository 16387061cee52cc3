package bounce_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"superlistd/bounce"
)

var update = flag.Bool("update", false, "write what the reader makes of testdata/bounce beside the mails; read the diff")

// sampled is the JSON beside a mail.
type sampled struct {
	Kind       string     `json:"kind"`
	Cause      string     `json:"cause"`
	Format     string     `json:"format"`
	MessageID  string     `json:"message_id"`
	Recipients []sampledR `json:"recipients"`
}

type sampledR struct {
	Address    string `json:"address"`
	Final      string `json:"final,omitempty"`
	Kind       string `json:"kind"`
	Status     string `json:"status"`
	Diagnostic string `json:"diagnostic"`
}

func sample(r bounce.Report) sampled {
	s := sampled{r.Kind.String(), string(r.Cause), r.Format, r.MessageID, []sampledR{}}
	for _, one := range r.Recipients {
		s.Recipients = append(s.Recipients, sampledR{one.Address.String(), one.Final.String(), one.Kind.String(), one.Status, one.Diagnostic})
	}
	return s
}

// mails are the samples, each with what it must be read as in a file beside it.
func mails(t testing.TB) []string {
	t.Helper()
	names, err := filepath.Glob("../testdata/bounce/*.eml")
	if err != nil || len(names) < 100 {
		t.Fatalf("%d samples, %v", len(names), err)
	}
	return names
}

func TestSamples(t *testing.T) {
	t.Parallel()
	for _, name := range mails(t) {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".eml"), func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			r, err := bounce.Read(bytes.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			got := sample(r)
			beside := strings.TrimSuffix(name, ".eml") + ".json"
			if *update {
				text, err := json.MarshalIndent(got, "", "  ")
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(beside, append(text, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			text, err := os.ReadFile(beside)
			if err != nil {
				t.Fatal(err)
			}
			var want sampled
			if err := json.Unmarshal(text, &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
