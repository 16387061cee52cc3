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

This page is written by ` + "`go test -run TestSettingsPage -update ./lists`" + ` from the tables in ` + "`lists/table.go` and `lists/member.go`" + `; a test
fails when they differ. A setting is changed by ` + "`listctl set LIST KEY=VALUE…`" + ` and holds for the next message. A value
` + "`@FILE`" + ` is read from a file (for ` + "`bans` and `allow`, where a value may begin with `@`, write a path with a slash: `@./FILE`" + `).
Lists of things are separated by commas or line ends, and ` + "`none`" + ` empties them.

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
8. ` + "`header_rules`" + `: what the first rule says that matches; accept ends the judgement here
9. ` + "`catch_commands`, `html`" + `: refused
10. ` + "`mime_types`, `extensions`, `attachments`" + `: refused, else held; parts that are to be removed are removed from a post that is accepted or held
11. who wrote it

What is certain at RCPT is refused there: 1, 3 by the reverse-path, and 7 by the size that MAIL declares.

**Who wrote it** is who From names; Sender, Reply-To and the reverse-path make nobody a member. A From is believed unless its
domain's DMARC policy contradicts it (` + "`identity` = unless-contradicted" + `), only when SPF or DKIM prove it (proven), or always
(claimed). A post whose From is not believed is nobody's, even where anyone may post.

**Who may post** is what ` + "`post`" + ` says. Owners and moderators may post to a list of members; owners to a list of moderators; who is in
` + "`allow`, or has `post_ok`" + `, to any list that is not closed; and with ` + "`reply_ok`" + ` everybody may answer a thread of his on a list of
members. What becomes of the posts of all others is ` + "`nonmember`" + `.

**Whose posts wait.** Those of a member who is ` + "`moderated`" + `, always. Where only owners or moderators may post, those whose From
nothing proves: their addresses are the first that somebody would forge. With ` + "`moderation` = all" + ` all posts, with newcomers(N) the first N of
each member, and those of everybody who is no member. From ` + "`moderation`" + ` (not from ` + "`moderated`" + `) owners, moderators, ` + "`post_ok` and `allow`" + ` are
exempt, but only when From is proven, or with ` + "`identity` = claimed" + `, which takes every From for proven. So a moderator's own post goes out at once when
it is proven to be his, and waits for him when it is not.

## Expressions

An expression is written between slashes, in the syntax of [RE2](https://github.com/google/re2/wiki/Syntax); a slash in it is ` + "`\\/`" + `. It ignores case
(` + "`(?-i)`" + ` minds it) and is looked for anywhere: ` + "`^` and `$`" + ` anchor it. It may have 250 octets, and no repetitions that make it
large; a list may have 100 of them in ` + "`bans`" + `, 100 in ` + "`allow`" + ` and 100 header rules. One that is bad is refused when it is set.

- In ` + "`bans` and `allow`" + ` it is matched with the address in lower case, local part without quotes, domain in A-labels (xn--…). Beside
  expressions there are addresses, ` + "`@example.org`" + ` for a domain, and ` + "`@.example.org`" + ` for a domain with all that is below it.
- In ` + "`header_rules`" + ` it is matched with each value of the field, unfolded and decoded; with no more than the first 4096 octets of all
  of them together. The case of the field's name does not matter.

## Types and file names

` + "`mime_types` and `extensions`" + ` say what becomes of a part; when both do, the stricter counts (refuse, hold, remove, accept); when
none does, ` + "`attachments`" + ` decides if the part is an attachment. Text without a file name, inline pictures and signatures are none. Within one
setting the first rule that matches wins.
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
	b.WriteString(pageEnd)
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
