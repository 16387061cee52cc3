package run

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"superlistd/delivery/spool"
	"superlistd/wire"
)

// jsonEntry is an entry of the queue; as with the other JSON forms, keys are never renamed or left out.
type jsonEntry struct {
	ID          string   `json:"id"`
	List        string   `json:"list"`
	State       string   `json:"state"`
	Accepted    string   `json:"accepted"`
	Due         string   `json:"due"`
	Failed      string   `json:"failed"`
	Members     int      `json:"members"`
	Delivered   int      `json:"delivered"`
	Refused     int      `json:"refused"`
	Attempts    int      `json:"attempts"`
	Size        int64    `json:"size"`
	ReversePath string   `json:"reverse_path"`
	MessageID   string   `json:"message_id"`
	Owners      []string `json:"owners"`
	Told        bool     `json:"told"`
	Notice      bool     `json:"notice"`
	Error       string   `json:"error"`
	Fault       string   `json:"fault"`
}

func jsonOfEntry(e spool.Info) jsonEntry {
	j := jsonEntry{
		ID: e.ID, List: e.Plan.List.String(), State: stateOf(e), Accepted: jsonTime(e.Plan.Accepted),
		Members: membersOf(e), Delivered: e.State.Accepted, Refused: e.State.Refused, Attempts: e.State.Attempts,
		Size: e.Size, ReversePath: e.Plan.ReversePath.String(), MessageID: e.Plan.MessageID,
		Owners: append([]string{}, e.Plan.Owners...), Told: e.State.Told, Notice: e.Plan.Notice, Error: e.State.Error, Fault: e.Fault,
	}
	switch j.State {
	case stateWaiting:
		j.Due = jsonTime(e.Due)
	case stateFailed:
		j.Failed = jsonTime(e.Due)
	}
	return j
}

func jsonTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// The states of an entry.
const (
	stateWaiting = "waiting"
	stateWorking = "working"
	stateFailed  = "failed"
	stateDamaged = "damaged"
)

func stateOf(e spool.Info) string {
	switch {
	case e.Fault != "":
		return stateDamaged
	case e.Held:
		return stateWorking
	case e.Failed:
		return stateFailed
	}
	return stateWaiting
}

// membersOf is how many copies the entry was for, as far as it was known at 250.
func membersOf(e spool.Info) int { return max(e.Plan.Audience.Members, len(e.Plan.Audience.Fixed)) }

// printQueue prints a table, or one array.
func (c *listctl) printQueue(entries []spool.Info, now time.Time) error {
	if c.json {
		return c.printArray(entries)
	}
	if len(entries) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tLIST\tAGE\tSERVED\tSIZE\tSTATE\tLAST ERROR")
	short := shortest(entries)
	for _, e := range entries {
		row := []string{e.ID[:short], "-", "-", "-", showSize(e.Size), stateOf(e), e.Fault}
		if e.Fault == "" {
			row[1], row[2] = e.Plan.List.String(), showAge(now.Sub(e.Plan.Accepted))
			row[3] = fmt.Sprintf("%d/%d", e.State.Accepted+e.State.Refused, membersOf(e))
			row[5], row[6] = stateAt(e, now), e.State.Error
		}
		const most = 100 // "queue show" has the whole
		if r := []rune(row[6]); len(r) > most {
			row[6] = string(r[:most]) + "…"
		}
		fmt.Fprintln(w, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	return w.Flush()
}

func (c *listctl) printArray(entries []spool.Info) error {
	all := make([]jsonEntry, len(entries))
	for i, e := range entries {
		all[i] = jsonOfEntry(e)
	}
	return c.printJSON(all)
}

// stateAt is the state with when it changes, or changed.
func stateAt(e spool.Info, now time.Time) string {
	state := stateOf(e)
	switch left := e.Due.Sub(now); {
	case state == stateWaiting && left > 0 && left < spool.LongestWait:
		return state + ", next in " + showAge(left)
	case state == stateWaiting:
		return state + ", due"
	case state == stateFailed:
		return state + " " + showAge(-left) + " ago"
	}
	return state
}

// printEntry shows one entry with all that is known; id is enough of its name for the next command.
func (c *listctl) printEntry(e spool.Info, id string, now time.Time) error {
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, value)
		}
	}
	line("id", e.ID)
	if e.Fault != "" {
		line("state", stateAt(e, now))
		line("fault", e.Fault)
		line("size", showSize(e.Size))
		return errors.Join(w.Flush(), c.printHints(e, id))
	}
	line("list", e.Plan.List.String())
	if e.Plan.Notice {
		line("notice", "tells the owners that another entry failed")
	}
	line("reverse-path", "<"+e.Plan.ReversePath.String()+">")
	line("message-id", e.Plan.MessageID)
	line("kept for", e.Plan.Gather)
	line("client", clientOf(e))
	line("accepted", fmt.Sprintf("%s, %s ago", showTime(e.Plan.Accepted), showAge(now.Sub(e.Plan.Accepted))))
	line("state", stateAt(e, now))
	if stateOf(e) == stateWaiting {
		line("due", showTime(e.Due))
	}
	line("progress", progressOf(e))
	if len(e.Plan.Had) > 0 {
		line("before", "some members got it before it came to the queue, and are not counted as served")
	}
	line("attempts", fmt.Sprint(e.State.Attempts))
	line("size", showSize(e.Size))
	line("owners", strings.Join(e.Plan.Owners, ", "))
	if e.State.Told {
		line("told", "the owners know that it failed")
	}
	line("last error", e.State.Error)
	return errors.Join(w.Flush(), c.printHints(e, id))
}

// printHints says what can be done with an entry, in lines that can be copied.
func (c *listctl) printHints(e spool.Info, id string) error {
	const retry, remove = "listctl queue retry %s     due now, with a whole spool_lifetime before it\n", "listctl queue delete %s    gone: whoever has no copy gets none\n"
	switch stateOf(e) {
	case stateWorking:
		return nil // neither is possible
	case stateDamaged:
		return c.printf("\n"+remove, id)
	}
	return c.printf("\n"+retry+remove, id, id)
}

// clientOf names who brought the post, as far as it was known.
func clientOf(e spool.Info) string {
	known := func(s string) string {
		if s == wire.Unavailable {
			return ""
		}
		return s
	}
	name, address := known(e.Plan.Client.Name), known(e.Plan.Client.Addr)
	if address != "" {
		address = "[" + address + "]"
	}
	return name + address
}

// progressOf says who has the post and who does not.
func progressOf(e spool.Info) string {
	text := fmt.Sprintf("%d of %s served", e.State.Accepted+e.State.Refused, count(membersOf(e), "member"))
	if e.State.Refused > 0 {
		text += fmt.Sprintf(", %d of them refused by the next hop", e.State.Refused)
	}
	return text
}

// shortest is how many digits tell all ids apart, 8 at least.
func shortest(entries []spool.Info) int {
	for n := 8; n < 32; n++ {
		seen := make(map[string]string, len(entries))
		clash := false
		for _, e := range entries {
			other, there := seen[e.ID[:n]]
			clash = clash || there && other != e.ID
			seen[e.ID[:n]] = e.ID
		}
		if !clash {
			return n
		}
	}
	return 32
}

func showTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// showAge writes a length of time in its largest unit: "45s", "12m", "3h", "5d".
func showAge(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}

// showSize writes octets with one digit behind the point where that tells something.
func showSize(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	f, i := float64(n), 0
	for f >= 999.5 && i < len(units)-1 {
		f, i = f/1000, i+1
	}
	if i == 0 || f >= 9.95 {
		return fmt.Sprintf("%.0f%s", f, units[i])
	}
	return fmt.Sprintf("%.1f%s", f, units[i])
}
