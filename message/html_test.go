package message

import (
	"bytes"
	"strings"
	"testing"
)

// htmlAsText reads HTML in UTF-8.
func htmlAsText(tb testing.TB, in string, flow bool) string {
	tb.Helper()
	return string(readAll(tb, newHTMLReader(bare(strings.NewReader(in)), flow)))
}

func TestHTMLText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"no tags", "Tea\n at  four?", "Tea at four?\n"},
		{"tags within a word", "<b>T</b>ea", "Tea\n"},
		{"paragraphs", "<p>one</p><p>two<p>three", "one\n\ntwo\n\nthree\n"},
		{"lines", "one<br>two<BR/>three</br>four", "one\ntwo\nthree\nfour\n"},
		{"many lines are two", "a<br><br><br><br><br><br>b", "a\n\n\nb\n"},
		{"blocks within blocks", "<div><div><div>a</div></div></div><div>b</div>", "a\nb\n"},
		{"entities", "&lt;&amp;&#65;&#x42;&eacute;&nbsp;&hellip;&unknown;&", "<&ABé …&unknown;&\n"},
		{"entity without its end", "a&ltb &copy 2026 &#65 &#x;", "a<b © 2026 A \ufffd\n"},
		{"entity of a control", "a&#10;&#13;b&#0;&#8238;c", "a b\ufffdc\n"},
		{"a word longer than a token", strings.Repeat("x", 10000), strings.Repeat("x", 10000) + "\n"},
		{"letters at the edge of a token", strings.Repeat("é ", 5000), strings.TrimSpace(strings.Repeat("é ", 5000)) + "\n"},
		{"less-than that is none", "a < b <3 <- </3> c", "a < b <3 <- c\n"},
		{"comment", "a<!-- <p>x</p> -- > -->b<!--->c<!-->d", "abcd\n"},
		{"comment without end", "a<!-- b", "a\n"},
		{"declarations", "<!DOCTYPE html><?xml version='1.0'?><![if mso]>a<![endif]>", "a\n"},
		{"script and style", "a<script>if (1</2) '</p>'</script><STYLE>p{}</style >b<script src=x></script>c", "abc\n"},
		{"script without end", "a<script>b", "a\n"},
		{"title", "<title>x</title>y", "y\n"},
		{"attributes of any kind", `<p a b=c d='>' e=">" f = g h=/i/ =j>x</p>`, "x\n"},
		{"tag without end", "a<p b", "a\n"},
		{"quote without end", `a<p b=">c</p>`, "a\n"},
		{"link", `see <a href="https://example.org/x?a=1&amp;b=2">this</a>.`, "see this <https://example.org/x?a=1&b=2>.\n"},
		{"link that is its text", `<a href="https://example.org/">example.org</a> <a href=mailto:ann@example.net>Ann@example.net</a>`, "example.org Ann@example.net\n"},
		{"link of a picture", `<a href=http://a.example.org/><img alt="Logo"></a>`, "[Logo] <http://a.example.org/>\n"},
		{"link without text", `<a href=http://a.example.org/></a>`, "<http://a.example.org/>\n"},
		{"links that lead nowhere", `<a href="javascript:x">a</a> <a href="#b">b</a> <a href="cid:c">c</a> <a href="data:text/html,x">d</a>`, "a b c d\n"},
		{"link with a line end in it", "<a href=\"https://example.org/\n--b\">a</a>", "a\n"},
		{"link that is too long", `<a href="https://` + strings.Repeat("x", 5000) + `">a</a>b`, "ab\n"},
		{"list", "<ul><li>a</li><li>b<ul><li>c</ul></ul>d", "* a\n* b\n  * c\n\nd\n"},
		{"numbers", "<ol start=9><li>a<li>b</ol><ol><li>c</ol>", "9. a\n10. b\n\n1. c\n"},
		{"item without a list", "<li>a</ul></ol>b", "* a\n\nb\n"},
		{"quotes", "a<blockquote>b<blockquote>c</blockquote>d</blockquote>e", "a\n\n> b\n>\n>> c\n>\n> d\n\ne\n"},
		{"end of a quote that was none", "a</blockquote>b", "a\n\nb\n"},
		{"table", "<table><tr><td>a<td>b</tr><tr><th>c</th><th>d</th></tr></table>e", "a b\nc d\n\ne\n"},
		{"pre", "<pre>\n a  b \n\n  c\t</pre>d", " a  b\n\n  c\n\nd\n"},
		{"what nobody sees", "a\u200b\u00adb\u202e c\ufeff", "ab c\n"},
		{"joiners stay", "a\u200db", "a\u200db\n"},
		{"rule", "a<hr>b", "a\n" + strings.Repeat("-", 40) + "\nb\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := htmlAsText(t, tt.in, false); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestHTMLTextFlows(t *testing.T) {
	t.Parallel()
	words := strings.TrimSpace(strings.Repeat("words ", 30))
	got := htmlAsText(t, "<p>"+words+"<blockquote>"+words+"</blockquote><p>From me<br>&gt;x<pre>  y  \n</pre>", true)
	line := strings.TrimSpace(strings.Repeat("words ", 12))
	last := strings.TrimSpace(strings.Repeat("words ", 6))
	want := line + " \n" + line + " \n" + last + "\n\n> " + line + " \n> " + line + " \n> " + last + "\n\n From me\n >x\n\n   y\n"
	if got != want {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
}

// FuzzHTML: the text is UTF-8 without controls, no tag is taken for text, and the places for texts are within the document.
func FuzzHTML(f *testing.F) {
	for _, in := range []string{
		"<p>a<br>b", "<a href='https://example.org/'>x</a>", "<pre>\n x </pre><ol start=3><li>y", "<!-- --><script></script>&amp;&lt",
		"<html><head></head><body>a</body></html>", "=3Chtml=3E<body>=\r\n--b</body>", "<blockquote><blockquote>a",
	} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, flow := range []bool{false, true} {
			got := htmlAsText(t, string(in), flow)
			if strings.ContainsFunc(strings.ReplaceAll(got, "\n", ""), func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }) {
				t.Fatalf("control in %q", got)
			}
			if got != "" && !strings.HasSuffix(got, "\n") || strings.HasPrefix(got, "\n") || len(got) > 64+40*len(in) {
				t.Fatalf("%q became %q", in, got)
			}
		}
		for _, head := range []string{"", "Content-Transfer-Encoding: quoted-printable\r\n"} {
			raw := append([]byte("Content-Type: text/html\r\n"+head+"\r\n"), in...)
			b := inspect(t, raw)
			top, bottom, err := b.htmlPlaces(0)
			if err != nil || top < 0 || bottom < top || bottom > int64(len(in)) {
				t.Fatalf("places %d, %d of %d, %v", top, bottom, len(in), err)
			}
			if bottom < int64(len(in)) && bottom > top && in[bottom] != '<' && !bytes.EqualFold(in[bottom:bottom+3], []byte("=3c")) {
				t.Fatalf("%q: %d is no tag", in, bottom)
			}
		}
	})
}
