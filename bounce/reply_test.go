package bounce_test

import (
	"testing"

	"superlistd/bounce"
)

func TestReply(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text  string
		kind  bounce.Kind
		cause bounce.Cause
	}{
		{"550 5.1.1 <eve@m.test>: Recipient address rejected: User unknown", bounce.Hard, bounce.Failed},
		{"550 no such user", bounce.Hard, bounce.Failed},
		{"552 5.2.2 mailbox full", bounce.Soft, bounce.Failed},
		{"554 5.7.1 message looks like spam", bounce.None, bounce.Refused},
		{"450 4.2.0 busy", bounce.Soft, bounce.Failed},
		{"450 4.2.0 greylisted", bounce.Soft, bounce.Failed},
		{"", bounce.Soft, bounce.Failed},
	} {
		if kind, cause := bounce.Reply(tt.text); kind != tt.kind || cause != tt.cause {
			t.Errorf("%q: %v, %s; want %v, %s", tt.text, kind, cause, tt.kind, tt.cause)
		}
	}
}
