package templates

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"superlistd/lists"
)

// parseWords reads lines "word: sentence"; empty lines and those that begin with "#" do not count.
func parseWords(where, text string) (map[string]string, error) {
	words := map[string]string{}
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, sentence, ok := strings.Cut(line, ":")
		key, sentence = strings.TrimSpace(key), oneLine(sentence, maxResults)
		switch _, twice := words[key]; {
		case !ok || sentence == "":
			return nil, fmt.Errorf(`%s:%d: a line is "word: sentence"`, where, n)
		case !slices.Contains(keys(), key):
			return nil, fmt.Errorf("%s:%d: no such word: %s (there are: %s)", where, n, oneLine(key, maxRunes), strings.Join(keys(), ", "))
		case twice:
			return nil, fmt.Errorf("%s:%d: %s is there twice", where, n, key)
		}
		words[key] = sentence
	}
	return words, nil
}

// keys are the words that every language has a sentence for.
func keys() []string {
	var all []string
	for _, r := range reasons() {
		all = append(all, r.word)
	}
	for _, p := range []lists.Proof{lists.Unproven, lists.Proven, lists.Contradicted} {
		all = append(all, "identity-"+p.String())
	}
	for _, p := range []lists.SubscribePolicy{
		lists.SubscribeConfirm, lists.SubscribeConfirmApprove, lists.SubscribeApprove, lists.SubscribeOpen, lists.SubscribeClosed,
	} {
		all = append(all, "subscribe-"+string(p))
	}
	for _, what := range []string{"add", "remove", "mail", "digest", "plain", "nomail", "join", "leave", "suspend", "resume", "who", "held"} {
		all = append(all, "order-"+what)
	}
	for _, answer := range []string{"done", "next", "absent", "invited", "present", "waiting", "declined", "banned", "limited", "refused", "own"} {
		all = append(all, "done-"+answer)
	}
	for _, why := range []string{"commands", "orders", "unread"} {
		all = append(all, "undone-"+why)
	}
	for _, wrong := range []string{"swapped", "past", "no-day", "one-day"} {
		all = append(all, "wrong-"+wrong)
	}
	for _, way := range []string{"bounces", "complaint", "mail"} {
		all = append(all, "removed-"+way)
	}
	for _, what := range []string{"joined", "left", "removed", "complaint", "held", "expired", "bounced", "disabled", "storm", "failed"} {
		all = append(all, "summary-"+what)
	}
	return append(all, other, "no-subject", "no-id")
}

// over returns words with others in the place of some.
func over(words, others map[string]string) map[string]string {
	if len(others) == 0 {
		return words
	}
	all := maps.Clone(words)
	maps.Copy(all, others)
	return all
}
