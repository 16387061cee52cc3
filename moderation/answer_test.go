package moderation_test

import (
	"fmt"
	"strings"
	"testing"

	"superlistd/lists"
	"superlistd/message"
)

func TestAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	const sorry = "mia@m.test: team@lists.test: answer not understood: Lunch"
	for _, tt := range []struct {
		name, fields, body string
		want               []string
	}{
		{"not understood", "", "What is this?\n", []string{sorry}},
		{"nothing but a quote", "", "> approve\n", []string{sorry}},
		{"out of office", "Auto-Submitted: auto-replied\n", "approve\n", nil},
		{"out of office of old", "Precedence: bulk\n", "approve\n", nil},
		{"a list's", "List-Id: <x.example.org>\n", "approve\n", nil},
		{"auto reply of Outlook", "X-Autoreply: yes\n", "approve\n", nil},
		{"a program that wants no answer", "X-Auto-Response-Suppress: DR, OOF\n", "approve\n", nil},
		{"all", "X-Auto-Response-Suppress: all\n", "What?\n", nil},
		{"no replies to programs", "X-Auto-Response-Suppress: DR, AutoReply\n", "What?\n", nil},
		{"a person who wants no receipt", "X-Auto-Response-Suppress: DR, RN, NRN\n", "What?\n", []string{sorry}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.hold("ann@m.test", "Lunch", "unproven")
			notice := h.WantSent(noticeOf + "Lunch")[0]
			must(t, h.answer(notice.Value("Reply-To"), "mia@m.test", tt.fields+reply(notice, "mia@m.test", tt.body)))
			for _, l := range h.WantSent(tt.want...) {
				if l.Value("Reply-To") != notice.Value("Reply-To") || !strings.Contains(l.Text, "> Re: team@lists.test") {
					t.Errorf("it does not help:\n%s", l.Text)
				}
			}
			h.wantLeft("Lunch")
		})
	}
}

// Who has decided himself, and changes his mind, is not told that it was somebody else.
func TestDecidedByHimself(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.hold("ann@m.test", "Lunch", "unproven")
	notice := h.WantSent(noticeOf + "Lunch")[0]
	for _, tt := range []struct{ from, body, want string }{
		{"mia@m.test", "discard\n", "Thank you"},
		{"Mia@M.test", "approve\n", "You have already decided this, so"},
		{"max@m.test", "approve\n", "Somebody else was faster, so"},
		{"mia@m.test", "discard\n", "Thank you"}, // his mail, twice
	} {
		must(t, h.answer(notice.Value("Reply-To"), tt.from, reply(notice, tt.from, tt.body)))
		for _, l := range h.Take() {
			if !strings.Contains(l.Text, tt.want) {
				t.Errorf("%s, %s: %s", tt.from, tt.body, l.Text)
			}
		}
	}
}

// From of an answer cannot be read: it counts, and nobody is told.
func TestAnswerOfNobody(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.hold("ann@m.test", "Lunch", "unproven")
	_, extension, _ := strings.Cut(strings.TrimSuffix(h.WantSent(noticeOf + "Lunch")[0].Value("Reply-To"), "@lists.test"), "+")
	must(t, h.office.Answer(t.Context(), h.Settings(), extension, message.ParseHeader([]byte("Subject: x\n\n")), strings.NewReader("approve\n"), lists.Address{}))
	h.WantSent("members: Lunch")
	h.wantLeft()
}

// A rejection goes all the way: the moderator's words, in his charset, reach the author.
// A moderator who rejects is told when the author will not read his words.
func TestRejectionThatNobodyReads(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.hold("ann@m.test", "Lunch", "unproven")
	notice := h.Take()[0]
	must(t, h.answer(notice.Value("Reply-To"), "mia@m.test", reply(notice, "mia@m.test", "reject Too long.\n")))
	sent := h.Take()
	if len(sent) != 1 || sent[0].To != "mia@m.test" || !strings.Contains(sent[0].Text, "Its author is not told") || strings.Contains(sent[0].Text, "Too long.") {
		t.Errorf("%d sent: %+v", len(sent), sent)
	}
}

func TestRejectionByMail(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "language", "fr")
	h.hold("bea@m.test", "Lunch", "proven")
	notice := h.Take()[1]
	raw := strings.Replace(reply(notice, "mia@m.test", "refuser Trop long, désolée.\n\nLe 21 nov., Team a écrit :\n> accepter\n"), "é", "\xe9", -1)
	must(t, h.answer(notice.Value("Reply-To"), "mia@m.test", strings.Replace(raw, "charset=utf-8", "charset=iso-8859-1", 1)))
	sent := h.Take()
	if len(sent) != 2 || sent[0].To != "bea@m.test" || !strings.Contains(sent[0].Text, "> Trop long, d=C3=A9sol=C3=A9e.") || strings.Contains(sent[0].Text, "crit") {
		t.Errorf("%d sent, the first:\n%s", len(sent), sent[0].Text)
	}
	h.wantLeft()
}

// A program that does not say that it is one, and answers all our mail with the same words, is not answered for ever.
func TestAnswersOfPrograms(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.hold("ann@m.test", "Lunch", "unproven")
	asked := h.WantSent(noticeOf + "Lunch")[0]
	n := 0
	for ; n < 10; n++ {
		raw := strings.Replace(reply(asked, "mia@m.test", "I am on holiday.\n"), "<answer.", fmt.Sprintf("<answer.%d.", n), 1)
		must(t, h.answer(asked.Value("Reply-To"), "mia@m.test", raw))
		next := h.Take()
		if len(next) == 0 {
			break
		}
		asked = next[0]
	}
	if n > 3 {
		t.Errorf("%d answers to a program", n)
	}
}
