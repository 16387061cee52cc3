package postfixtest_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"superlistd/internal/postfixtest"
	"superlistd/internal/smtptest"
)

// binary is superlistd, with listctl beside it.
var binary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

// buildAndRun builds the programs once, where the account that runs them may go.
func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "postfixtest-bin")
	if err == nil {
		defer os.RemoveAll(dir)
		err = os.Chmod(dir, 0o755)
	}
	if err == nil {
		var out []byte
		if out, err = exec.Command("go", "build", "-o", dir, "superlistd/cmd/...").CombinedOutput(); err != nil {
			err = fmt.Errorf("%w\n%s", err, out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	binary = filepath.Join(dir, "superlistd")
	return m.Run()
}

// start is a set-up in whose far world nobody whose name begins with "dead" lives.
func start(t *testing.T, shape postfixtest.Shape, edit func(name, text string) string) *postfixtest.Postfix {
	t.Helper()
	return postfixtest.Start(t, postfixtest.Options{
		Shape: shape, Binary: binary, Edit: edit,
		Far: []smtptest.Option{smtptest.RcptReply(func(address string) string {
			if strings.HasPrefix(address, "dead") {
				return "550 5.1.1 nobody of that name"
			}
			return ""
		})},
	})
}

// mail is a message whose body holds mark.
func mail(from, to, mark string) string {
	return "From: " + from + "\r\nTo: " + to + "\r\nSubject: " + mark + "\r\n" +
		"Message-ID: <" + mark + "@example.net>\r\n\r\n" + mark + "\r\n"
}

// beforeQueue are the shapes in which superlistd answers while the sender is connected.
var beforeQueue = []postfixtest.Shape{postfixtest.Listener, postfixtest.Spawn}

// TestShapes runs what must hold in all of them, and what must hold before the queue, on one set-up for each
// shape, one test after the other: so "and nothing else came" can be said.
func TestShapes(t *testing.T) {
	t.Parallel()
	for _, shape := range []postfixtest.Shape{postfixtest.Listener, postfixtest.Spawn, postfixtest.LMTP} {
		t.Run(string(shape), func(t *testing.T) {
			t.Parallel()
			p := start(t, shape, nil)
			for _, tt := range []struct {
				name string
				only []postfixtest.Shape // none: all of them
				test func(*testing.T, *postfixtest.Postfix)
			}{
				{"check finds nothing wrong", nil, checkIsContent},
				{"a post reaches each member once", nil, postReachesMembers},
				{"a post from local sendmail", nil, postFromSendmail},
				{"three lists, one of them closed, from sendmail", nil, twoListsOneRefused},
				{"mail for the owners", nil, ownersAreReached},
				{"a list that is a member of a list", nil, listInList},
				{"two lists that are members of each other", nil, listsInEachOther},
				{"a copy that comes back", beforeQueue, returningPost},
				{"a bounce that Postfix writes", nil, bounceIsTaken},
				{"joining and leaving by mail", beforeQueue, comesAndGoes},
				{"the life of a member", beforeQueue, lifeOfAMember},
				{"a member who bounces", beforeQueue, bounceCounts},
				{"other mail is relayed with its client", beforeQueue, relayedWithClient},
				{"lists and others in one transaction", beforeQueue, mixedTransaction},
				{"an unknown list is refused at RCPT", nil, unknownList},
				{"a stranger's post is refused in the dialogue", beforeQueue, strangerRefused},
				{"a null reverse-path is refused in the dialogue", beforeQueue, nullSenderRefused},
				{"a stranger's post waits for the owners", []postfixtest.Shape{postfixtest.LMTP}, strangerHeld},
				{"no open relay", nil, noOpenRelay},
				{"smuggling gives one message", beforeQueue, smuggling},
				{"an abort in DATA leaves nothing", beforeQueue, abortLeavesNothing},
				{"content in chunks", nil, chunks},
				{"a large post", nil, largePost},
				{"swaks", nil, swaks},
				{"swaks at the door", []postfixtest.Shape{postfixtest.Listener, postfixtest.LMTP}, swaksAtDoor},
				{"swaks with spawn on a pipe", []postfixtest.Shape{postfixtest.Spawn}, swaksPipe},
				{"a crowd", beforeQueue, crowd},
				{"a stop waits for the transaction", []postfixtest.Shape{postfixtest.Listener}, stopDrains},
			} {
				if tt.only == nil || slices.Contains(tt.only, shape) {
					t.Run(tt.name, func(t *testing.T) { tt.test(t, p.In(t)) })
				}
			}
		})
	}
}
