package audit

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"superlistd/lists"
)

// What is what was done.
type What string

// What a Store writes.
const (
	Created  What = "created"  // a list; New are the settings that are not the default ones
	Deleted  What = "deleted"  // a list; Old is how many members it had
	Setting  What = "setting"  // of a list: Option
	Joined   What = "joined"   // New are the options that are not the default ones
	Left     What = "left"     // the member did it himself
	Removed  What = "removed"  // others did
	Changed  What = "changed"  // a member: Option
	Disabled What = "disabled" // posts to a member were stopped; New says why
	Enabled  What = "enabled"  // and go to him again
)

// What else is written.
const (
	Invited   What = "invited"   // somebody who may become a member
	Held      What = "held"      // a post; Member is its author
	Decided   What = "decided"   // about a held post: New
	Released  What = "released"  // a held post was sent
	Expired   What = "expired"   // nobody has decided about a held post
	Bounced   What = "bounced"   // mail to a member came back
	Probed    What = "probed"    // a member's address is tried
	Cleared   What = "cleared"   // it works
	Storm     What = "storm"     // a post came back from too many members
	Complaint What = "complaint" // a member's report of abuse
	Failed    What = "failed"    // the delivery of a post was given up
)

// Event is one line of the log. The fields that do not apply are empty.
type Event struct {
	At     time.Time `json:"at"` // UTC; zero: now
	List   string    `json:"list"`
	What   What      `json:"what"`
	Member string    `json:"member,omitempty"`
	// Option is a setting or an option of a member, which was Old and is New now, as "listctl set" and "listctl member" take them.
	Option string `json:"option,omitempty"`
	Old    string `json:"old,omitempty"`
	New    string `json:"new,omitempty"`
	By     string `json:"by,omitempty"`
	Way    Way    `json:"way,omitempty"`
	// ID is that of a held post, or of an entry of the spool, or the Message-ID of a post.
	ID  string `json:"id,omitempty"`
	Why string `json:"why,omitempty"`
}

// record is a line: one event, or the same for many members.
type record struct {
	Event
	members []byte // strings of JSON with commas between them; nil: Member it is
}

const (
	// maxLine is more than any line of ours has, in octets: what JSON escapes has six where there was one.
	maxLine = 512 << 10
	// maxValue is how much of one text is kept, in octets.
	maxValue = 2000
	// maxNames and maxMembers are how many octets and members one line names, about; maxAddress is what one of them has at most,
	// but for what JSON escapes.
	maxNames   = 32 << 10
	maxMembers = 1000
	maxAddress = 330
)

// line is the record as it stands in the file.
func (r record) line() ([]byte, error) {
	for _, s := range []*string{&r.Member, &r.Option, &r.Old, &r.New, &r.By, &r.ID, &r.Why} {
		*s = cut(*s)
	}
	r.At = r.At.UTC()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // people read it too
	err := e.Encode(r.Event)
	if err == nil && r.members != nil {
		b.Truncate(b.Len() - len("}\n"))
		b.WriteString(`,"members":[`)
		b.Write(r.members)
		b.WriteString("]}\n")
	}
	return b.Bytes(), err
}

func cut(s string) string {
	if len(s) <= maxValue {
		return s
	}
	return strings.ToValidUTF8(s[:maxValue], "") + "…"
}

// events are those of a line; none of one that is damaged.
func events(line []byte) []Event {
	var r struct {
		Event
		Members []string `json:"members"`
	}
	if json.Unmarshal(line, &r) != nil || r.What == "" || r.At.IsZero() {
		return nil
	}
	if len(r.Members) == 0 {
		return []Event{r.Event}
	}
	all := make([]Event, len(r.Members))
	for i, m := range r.Members {
		all[i] = r.Event
		all[i].Member = m
	}
	return all
}

// forEach makes records that say the same of many members, a bounded number in each.
func forEach(e Event, who []lists.Address) (all []record) {
	if len(who) == 1 {
		e.Member = who[0].String()
		return []record{{Event: e}}
	}
	for len(who) > 0 {
		names, n := make([]byte, 0, min(maxNames, len(who)*maxAddress)), 0
		for n < min(len(who), maxMembers) && len(names) < maxNames-maxAddress {
			if n > 0 {
				names = append(names, ',')
			}
			names = appendJSON(names, who[n])
			n++
		}
		all = append(all, record{e, names})
		who = who[n:]
	}
	return all
}

// appendJSON writes an address as a string of JSON. There may be a million of them.
func appendJSON(dst []byte, a lists.Address) []byte {
	begin := len(dst)
	dst = a.Append(append(dst, '"'))
	for _, c := range dst[begin+1:] {
		if c < ' ' || c == '"' || c == '\\' {
			if text, err := json.Marshal(a.String()); err == nil {
				return append(dst[:begin], text...)
			}
		}
	}
	return append(dst, '"')
}
