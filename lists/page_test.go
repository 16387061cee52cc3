package lists_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"superlistd/lists"
)

var update = flag.Bool("update", false, "write docs/settings.md")

const pageTop = `# Settings of a list

This page is written by ` + "`go test ./lists -run TestSettingsPage -update`" + ` from the tables in ` + "`lists/table.go` and `lists/member.go`" + `; a test
fails when they differ. A setting is changed by ` + "`listctl set LIST KEY=VALUE…`" + ` and holds for the next message. A value
` + "`@FILE`" + ` is read from a file (for ` + "`bans` and `allow`, where a value may begin with `@`, write a path with a slash: `@./FILE`" + `).
Lists of things are separated by commas or line ends, and ` + "`none`" + ` empties them.

`

const pageMembers = `
Who gets no posts, by ` + "`delivery`, `suspend` or `disabled`" + `, stays a member: he may post, is counted, and his settings are kept. A post that goes to several lists comes to
him by another of them. What is decided is how things are when the post is dealt out to the members; who gets mail again later is not sent what he has missed.
Another ` + "`delivery`" + ` holds from the next digest of the list on (if no post waits for one, soon): till then he has the posts as before, so that he neither misses one nor has it twice. To and
from ` + "`nomail`" + ` it is at once, and who leaves and joins again begins anew: in the digest that is gathered then may be posts that he has had already.
The days of ` + "`suspend`" + ` are whole days of UTC, the last one too. ` + "`disabled=none`" + ` lets a member who was disabled have posts again.
`

const pageEnd = `
## How a post is judged

The first decision counts:

1. ` + "`post` = nobody" + `: refused
2. null reverse-path, or automatic mail (RFC 3834): refused
3. ` + "`bans`" + `, by From, by the address of the member whose alias it is, and by reverse-path: refused
4. no From address, or several: refused
5. ` + "`emergency`" + `: held, whoever wrote it
6. a mail loop: refused
7. ` + "`max_size`, `posts_per_hour`, `list_posts_per_hour`, `max_recipients`, `explicit_destination`" + `: refused
8. ` + "`header_rules`" + `: what the first that matches says; ` + "`accept`" + ` ends here
9. ` + "`catch_commands`" + `, ` + "`html`" + ` = refuse: refused
10. ` + "`extensions`, `mime_types`, `attachments`" + `: refused, held, or the part is removed
11. who wrote it may not post: what ` + "`nonmember`" + ` says
12. ` + "`moderation`" + `, or the member is ` + "`moderated`" + `: held

What is certain at RCPT is refused there: 1, 3 by the reverse-path, and the size that MAIL declares. The reply names the reason and
LIST-owner. What is held waits for the moderators: [moderation.md](moderation.md).

**Who wrote it** is who From names, as an address or an alias of a member; Sender, Reply-To and the reverse-path make nobody a member. Whether From is
believed is what ` + "`identity`" + ` says. It is *proven* by an SPF or DKIM pass of the same domain, or by a door behind which the sender's login was checked; mail that began on this host is, too. It is *contradicted* where the domain's DMARC policy is
quarantine or reject and nothing of that passes. Everything else, a DNS that is slow too, is neither. By default a From is believed unless it is contradicted.

**Who may post** is what ` + "`post`" + ` says. Owners may post to a list of members; who is in ` + "`allow`, or has `post_ok`" + `, to any list that is not closed. With ` + "`reply_ok`" + ` anybody may who answers a thread that he,
or a mail to him, is part of. Owners, moderators, and who is in ` + "`allow` or has `post_ok`" + ` are not held by ` + "`moderation`" + `, when it is proven that they wrote the post.

**A list that is a member of a list** gets its posts whatever these settings say, and its members get the copy of their own list.

## Expressions

An expression is written between slashes, in the syntax of [RE2](https://github.com/google/re2/wiki/Syntax); a slash in it is ` + "`\\/`" + `. It ignores case
(` + "`(?-i)`" + ` minds it) and is looked for anywhere: ` + "`^` and `$`" + ` anchor it. It may have 250 octets, and no repetitions that make it
large; a list may have 100 of them in ` + "`bans`" + ` and 100 in ` + "`allow`" + `. One that is bad is refused when it is set. It is matched with the address in lower case, local part
without quotes, domain in A-labels (xn--…). Beside expressions there are addresses, ` + "`@example.org`" + ` for a domain, and ` + "`@.example.org`" + ` for a domain with all
that is below it.
`

// TestSettingsPage holds docs/settings.md to the tables; -update writes it.
func TestSettingsPage(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	row := func(name, help, typ, standard, example string) {
		if standard == "" {
			standard = "empty"
		} else {
			standard = "`" + standard + "`"
		}
		if strings.Contains(help+typ+standard+example, "|") {
			t.Errorf("%s would need escapes", name)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | `%s` |\n", name, help, strings.NewReplacer(`\`, `\\`, "*", `\*`).Replace(typ), standard, example)
	}
	b.WriteString(pageTop + "| setting | meaning | value | default | example |\n| --- | --- | --- | --- | --- |\n")
	for _, s := range lists.SettingTable() {
		row(s.Name, s.Help, s.Type, s.Default, s.Example)
	}
	b.WriteString("\n## Options of a member\n\n`listctl member LIST ADDRESS [KEY=VALUE…]` shows and changes them.\n\n" +
		"| option | meaning | value | default | example |\n| --- | --- | --- | --- | --- |\n")
	for _, o := range lists.MemberOptionTable() {
		row(o.Name, o.Help, o.Type, o.Default, o.Example)
	}
	b.WriteString(pageMembers + pageEnd)
	const page = "../docs/settings.md"
	if *update {
		if err := os.WriteFile(page, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil || string(got) != b.String() {
		t.Errorf("%s is not what the tables say (%v): run with -update", page, err)
	}
}
