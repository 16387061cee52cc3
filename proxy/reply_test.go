package proxy

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"superlistd/delivery"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/smtpclient"
	"superlistd/wire"
)

// RFC 3463 section 2: the class of the enhanced code is that of the reply.
func TestReplyTableAgrees(t *testing.T) {
	t.Parallel()
	seen := map[error]bool{}
	for _, r := range append(replies(), reply{errors.New("unforeseen"), unforeseen}) {
		if seen[r.is] {
			t.Errorf("%v is there twice", r.is)
		}
		seen[r.is] = true
		checkReply(t, wireReply(r.as))
		if got := replyTo(fmt.Errorf("wrapped: %w", r.is)); got.String() != wireReply(r.as).String() {
			t.Errorf("%v: an earlier line answers %q", r.is, got)
		}
	}
}

func checkReply(t *testing.T, r wire.Reply) {
	t.Helper()
	enhanced := r.Enhanced()
	if enhanced == "" || int(enhanced[0]-'0') != r.Code/100 || r.Code < 200 || r.Code > 599 {
		t.Errorf("%q: code and class do not agree", r)
	}
	if line := string(r.Append(nil)); len(line) > 512 || len(r.Lines) != 1 || strings.ContainsAny(r.Lines[0], "%\r\n") {
		t.Errorf("%q is not one line", r)
	}
}

// Causes come wrapped by the layers below; the next hop's own words are passed on.
func TestReplyTo(t *testing.T) {
	t.Parallel()
	said := func(code int, text string) error {
		return &smtpclient.Error{Command: "RCPT", Reply: wire.Reply{Code: code, Lines: []string{text}}}
	}
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"unforeseen, and not told", errors.New("open /var/lib/superlistd/lists.db: permission denied"), "451 4.3.0 Local trouble, try again later"},
		{"store", fmt.Errorf("resolve: %w: %w", lists.ErrStore, os.ErrPermission), "451 4.3.0 Local trouble, try again later"},
		{"disk full", fmt.Errorf("spool: %w", io.ErrShortWrite), "451 4.3.0 Local trouble, try again later"},
		{"refusal of the next hop", fmt.Errorf("arm: %w", said(550, "5.7.1 spam")), "550 5.7.1 spam"},
		{"421 of the next hop", said(421, "4.3.2 bye"), "451 4.4.2 Next hop hung up, try again later"},
		{"521 of the next hop", said(521, "5.3.2 no mail here"), "451 4.4.2 Next hop hung up, try again later"},
		{"3xx is no answer", said(354, "go on"), "451 4.3.0 Local trouble, try again later"},
		{"half a commit is nobody's refusal", fmt.Errorf("%w: %w", delivery.ErrPartial, said(550, "5.7.1 spam")), "451 4.3.0 Local trouble, try again later"},
		{"banner of the next hop is not for a sender", fmt.Errorf("%w: %w", smtpclient.ErrUnreachable, said(554, "5.7.1 go")), "451 4.4.1 Next hop not reachable, try again later"},
		{"message", fmt.Errorf("read: %w", message.ErrHeader), "550 5.6.0 Message header unreadable"},
	} {
		if got := replyTo(tt.err).String(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// spoken are the replies that are written where they are said: those of the protocol itself.
func spoken(t *testing.T) []wire.Reply {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var out []wire.Reply
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && len(call.Args) == 3 {
				if r, ok := literal(call); ok {
					out = append(out, r)
				}
			}
			return true
		})
	}
	slices.SortFunc(out, func(a, b wire.Reply) int { return strings.Compare(a.String(), b.String()) })
	return slices.CompactFunc(out, func(a, b wire.Reply) bool { return a.String() == b.String() })
}

// literal reads a call text(code, enhanced, line) or s.replyText(…); what is computed at the end of line is "…".
func literal(call *ast.CallExpr) (wire.Reply, bool) {
	name := ""
	switch f := call.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
	}
	code, isCode := call.Args[0].(*ast.BasicLit)
	enhanced, isEnhanced := call.Args[1].(*ast.BasicLit)
	if name != "text" && name != "replyText" || !isCode || !isEnhanced {
		return wire.Reply{}, false
	}
	line := ""
	ast.Inspect(call.Args[2], func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			part, _ := strconv.Unquote(n.Value) // the parser has seen it
			line += part
		case *ast.Ident:
			if !strings.HasSuffix(line, "…") {
				line += "…"
			}
		}
		return true
	})
	number, _ := strconv.Atoi(code.Value)
	class, _ := strconv.Unquote(enhanced.Value)
	return text(number, class, line), true
}

func TestSpokenRepliesAgree(t *testing.T) {
	t.Parallel()
	all := spoken(t)
	if len(all) < 30 {
		t.Errorf("only %d replies found", len(all))
	}
	for _, r := range all {
		checkReply(t, r)
	}
}

// TestRepliesPage holds docs/replies.md to the table; -update writes it.
func TestRepliesPage(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(`# Replies

What superlistd says, and when. This page is written by ` + "`go test ./proxy -run TestRepliesPage -update`" + ` from the table in
` + "`proxy/reply.go`" + `; a test fails when the two differ. Codes are those of RFC 5321 and RFC 3463.

Replies of the next hop (Postfix's after-filter) to MAIL, RCPT, DATA and the end of data are handed back as they are, all
their lines; but its 421 and 521 become 451 4.4.2, because on those Postfix would hang up on its own client.

Where a list refuses a post by its settings, the reply has the code below, and a text that names the list and whom to ask:
"Only members may post to team@lists.example.org; contact team-owner@lists.example.org".

## By cause

| when | reply |
| --- | --- |
`)
	last := ""
	for _, r := range replies() {
		row := fmt.Sprintf("| %s | %s |\n", r.is, wireReply(r.as))
		if row != last { // two rooms say the same
			b.WriteString(row)
		}
		last = row
	}
	fmt.Fprintf(&b, "| anything else; the cause is in the log | %s |\n", wireReply(unforeseen))
	b.WriteString("\n## By the protocol\n\n| reply |\n| --- |\n")
	for _, r := range spoken(t) {
		fmt.Fprintf(&b, "| %s |\n", strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(r.String()))
	}
	const page = "../docs/replies.md"
	if *update {
		if err := os.WriteFile(page, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil || string(got) != b.String() {
		t.Errorf("%s is not what the table says (%v): run with -update", page, err)
	}
}
