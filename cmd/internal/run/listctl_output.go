package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"superlistd/lists"
)

// manyChanges is where one line for each change becomes one line of numbers.
const manyChanges = 1000

// The JSON forms are a promise to scripts: keys are never renamed or left out.
type (
	jsonListing struct {
		List        string            `json:"list"`
		Created     string            `json:"created"`
		Members     int               `json:"members"`
		UTF8Members int               `json:"utf8_members"`
		Settings    map[string]string `json:"settings"`
	}
	jsonMember struct {
		Address string            `json:"address"`
		Name    string            `json:"name"`
		Since   string            `json:"since"`
		Options map[string]string `json:"options"`
	}
	jsonOutcome struct {
		List    string   `json:"list"`
		Added   []string `json:"added"`
		Present []string `json:"present"`
		Renamed []string `json:"renamed"`
		Removed []string `json:"removed"`
		Absent  []string `json:"absent"`
	}
)

func jsonList(l lists.List) jsonListing {
	settings := make(map[string]string)
	for _, s := range lists.SettingTable() {
		settings[s.Name] = s.Get(l.Settings)
	}
	return jsonListing{l.Address.String(), l.Created.UTC().Format(time.RFC3339), l.Members, l.UTF8Members, settings}
}

func (c *listctl) printJSON(v any) error {
	e := json.NewEncoder(c.stdout)
	e.SetEscapeHTML(false) // addresses hold & and people read them
	return e.Encode(v)
}

func (c *listctl) printf(format string, args ...any) error {
	_, err := fmt.Fprintf(c.stdout, format, args...)
	return err
}

// printList shows a list, with its settings as "set" takes them and a word on each. digests is how many
// members get digests now, and without how many get no posts.
func (c *listctl) printList(l lists.List, digests, without int) error {
	var some []string
	if l.UTF8Members > 0 {
		some = append(some, fmt.Sprintf("%d with an address that needs SMTPUTF8", l.UTF8Members))
	}
	if digests > 0 {
		some = append(some, fmt.Sprintf("%d with digests", digests))
	}
	if without > 0 {
		some = append(some, fmt.Sprintf("%d without posts now", without))
	}
	members := count(l.Members, "member")
	if len(some) > 0 {
		members += " (" + strings.Join(some, ", ") + ")"
	}
	if err := c.printf("%s: %s, created %s\n", l.Address, members, l.Created.UTC().Format("2006-01-02 15:04 UTC")); err != nil {
		return err
	}
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	for _, s := range lists.SettingTable() {
		printValue(w, s.Name, s.Get(l.Settings), s.Help+": "+s.Type)
	}
	return w.Flush()
}

// printValue writes "KEY = VALUE  # comment". A long value has its comment beside it, so that the column of the others
// stays where it is.
func printValue(w io.Writer, key, value, comment string) {
	const long = 40
	between := "\t"
	if len(value) > long {
		between = "  "
	}
	fmt.Fprintf(w, "%s = %s%s# %s\n", key, value, between, comment)
}

func memberJSON(m lists.Member) jsonMember {
	options := make(map[string]string)
	for _, o := range lists.MemberOptionTable() {
		options[o.Name] = o.Get(m)
	}
	return jsonMember{m.Address.String(), m.Name, m.Since.UTC().Format(time.RFC3339), options}
}

// printMember shows a member, with his options as "member" takes them and a word on each.
func (c *listctl) printMember(l lists.List, m lists.Member) error {
	state := ""
	if from := waitsFor(l, m); from != "" {
		state = "; delivery = " + m.Delivery.String() + from
	}
	if why := keptFrom(m, time.Now()); why != "" {
		state += "; gets no posts: " + why
	}
	if err := c.printf("%s: member of %s since %s%s\n", formatMember(m), l.Address, m.Since.UTC().Format("2006-01-02 15:04 UTC"), state); err != nil {
		return err
	}
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	for _, o := range lists.MemberOptionTable() {
		printValue(w, o.Name, o.Get(m), o.Help+": "+o.Type)
	}
	return w.Flush()
}

// printOutcome tells what became of each address, or of how many. Of those who stay, sync says nothing.
func (c *listctl) printOutcome(list lists.Address, planned lists.Change, o lists.Outcome) error {
	if c.json {
		return c.printJSON(jsonOutcome{list.String(), texts(o.Added), texts(o.Present), texts(o.Renamed), texts(o.Removed), texts(o.Absent)})
	}
	renamed := make(map[lists.Address]bool, len(o.Renamed))
	for _, a := range o.Renamed {
		renamed[a] = true
	}
	var stayed []lists.Address
	for _, a := range o.Present {
		if !planned.Replace && !renamed[a] {
			stayed = append(stayed, a)
		}
	}
	lines := len(o.Added) + len(stayed) + len(o.Renamed) + len(o.Removed) + len(o.Absent)
	if lines > manyChanges || lines == 0 && planned.Replace {
		return c.printSummary(list, planned, o)
	}
	return errors.Join(
		c.printEach("%s added to %s\n", o.Added, list),
		c.printEach("%s is already a member of %s\n", stayed, list),
		c.printEach("%s is already a member of %s; the name was changed\n", o.Renamed, list),
		c.printEach("%s removed from %s\n", o.Removed, list),
		c.printEach("%s is not a member of %s\n", o.Absent, list),
	)
}

func (c *listctl) printEach(format string, addresses []lists.Address, list lists.Address) error {
	for _, a := range addresses {
		if err := c.printf(format, a, list); err != nil {
			return err
		}
	}
	return nil
}

func (c *listctl) printSummary(list lists.Address, planned lists.Change, o lists.Outcome) error {
	var parts []string
	part := func(always bool, addresses []lists.Address, what string) {
		if n := len(addresses); always || n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	part(planned.Replace || len(planned.Remove) == 0, o.Added, "added")
	part(planned.Replace || len(planned.Remove) > 0, o.Removed, "removed")
	part(planned.Replace, o.Present, "already members")
	part(false, o.Renamed, "with a new name")
	part(false, o.Absent, "not members")
	return c.printf("%s: %s\n", list, strings.Join(parts, ", "))
}

func texts(addresses []lists.Address) []string {
	out := make([]string, len(addresses))
	for i, a := range addresses {
		out[i] = a.String()
	}
	return out
}

// count writes "1 member" or "3 members".
func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// progress is one line on a terminal that is written over; on anything else it is silent.
type progress struct {
	w     io.Writer // nil: silent
	next  time.Time
	shown bool
}

func newProgress(w io.Writer) *progress {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &progress{w: w}
	}
	return &progress{}
}

// show is a lists.Change.Progress.
func (p *progress) show(done, total int) {
	if p.w == nil || total <= manyChanges || time.Now().Before(p.next) {
		return
	}
	p.next, p.shown = time.Now().Add(100*time.Millisecond), true
	fmt.Fprintf(p.w, "\r%d of %d", done, total)
}

// clear takes the line away again.
func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
