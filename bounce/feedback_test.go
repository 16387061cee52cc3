package bounce_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"superlistd/bounce"
	"superlistd/lists"
)

// arf is a complaint with the fields of its report, and with a header as that of the copy.
func arf(report, copied string) string {
	return strings.ReplaceAll("From: fbl@isp.test\nTo: team-owner@lists.test\nSubject: complaint\nMIME-Version: 1.0\n"+
		"Content-Type: multipart/report; report-type=feedback-report; boundary=m\n\n"+
		"--m\nContent-Type: text/plain\n\nSomebody complains.\n--m\nContent-Type: message/feedback-report\n\n"+report+
		"\n--m\nContent-Type: message/rfc822\n\n"+copied+"\n\nthe post\n--m--\n", "\n", "\r\n")
}

func TestFeedback(t *testing.T) {
	t.Parallel()
	keyed := lists.Address{Local: "team-bounces+bkey+ann=m.test", Domain: "lists.test"}
	for _, tt := range []struct {
		name, report, copied string
		want                 bounce.Feedback
	}{
		{"nothing is told", "", "Subject: a", bounce.Feedback{}},
		{"type", "Feedback-Type: ABUSE (really)\nVersion: 1", "Subject: a", bounce.Feedback{Type: "abuse"}},
		{"the first type counts", "Feedback-Type: not-spam\nFeedback-Type: abuse", "", bounce.Feedback{Type: "not-spam"}},
		{"envelope in the report", "Feedback-Type: abuse\nOriginal-Mail-From: <team-bounces+bkey+ann=m.test@lists.test>", "Subject: a", bounce.Feedback{
			Type: "abuse", Paths: []lists.Address{keyed},
		}},
		{"Return-Path", "Feedback-Type: abuse", "Return-Path: <team-bounces+bkey+ann=m.test@lists.test>", bounce.Feedback{
			Type: "abuse", Paths: []lists.Address{keyed},
		}},
		{
			"List-Unsubscribe, folded", "Feedback-Type: abuse",
			"List-Unsubscribe: <mailto:team-bounces%2Bbkey%2Bann=m.test@lists.test?subject=x>,\n <HTTPS://lists.test/u/abc\n def>, <ftp://x>, <http://y",
			bounce.Feedback{Type: "abuse", Paths: []lists.Address{keyed}, Links: []string{"HTTPS://lists.test/u/abcdef"}},
		},
		{"no addresses", "Original-Mail-From: <>\nOriginal-Rcpt-To: ann@m.test", "Return-Path: nobody\nList-Unsubscribe: <mailto:%zz>, <>, >", bounce.Feedback{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := read(t, arf(tt.report, tt.copied))
			if r.Cause != bounce.Complaint || r.Kind != bounce.None || len(r.Recipients) > 0 {
				t.Errorf("report %+v", r)
			}
			if diff := cmp.Diff(tt.want, r.Feedback); diff != "" {
				t.Errorf("feedback (-want +got):\n%s", diff)
			}
		})
	}
	many := read(t, arf(strings.Repeat("Original-Mail-From: a@b\n", 50_000), "List-Unsubscribe: "+strings.Repeat("<https://a>,", 4000)))
	if len(many.Feedback.Paths) > 10 || len(many.Feedback.Links) > 10 {
		t.Errorf("%d paths, %d links", len(many.Feedback.Paths), len(many.Feedback.Links))
	}
	if other := read(t, dsn(1000, "ann@example.org")); len(other.Feedback.Paths)+len(other.Feedback.Links) > 0 || other.Feedback.Type != "" {
		t.Errorf("feedback of a bounce: %+v", other.Feedback)
	}
}
