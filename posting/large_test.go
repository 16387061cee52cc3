package posting

import (
	"io"
	"runtime"
	"strings"
	"testing"

	"superlistd/lists"
	"superlistd/message"
)

// A post of 50 MB is judged, dressed and read with less than 16 MB of memory, all of it counted, freed or not. It runs alone:
// the count is that of the process.
func TestLargePostNeedsLittleMemory(t *testing.T) {
	h := open(t, nil)
	l := h.list("extensions=exe=remove", "footer=-- \\nThe team", "subject_prefix=[team]", "html=text")
	spool := message.NewSpool(t.TempDir(), 64<<10, 0)
	defer spool.Close()
	io.WriteString(spool, "From: ann@plain.test\r\nTo: team@lists.test\r\nMessage-ID: <large@plain.test>\r\nMIME-Version: 1.0\r\n"+
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsee there\r\n--b\r\n"+
		"Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\n")
	lines := strings.Repeat(strings.Repeat("QUJD", 19)+"\r\n", 1000)
	for spool.Size() < 50e6 {
		if _, err := io.WriteString(spool, lines); err != nil {
			t.Fatal(err)
		}
	}
	io.WriteString(spool, "--b\r\nContent-Type: application/octet-stream; name=run.exe\r\n\r\nMZ\r\n--b--\r\n")

	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	p, err := Read(spool, Envelope{ReversePath: "ann@plain.test", Session: "s", Proto: "ESMTP"})
	if err != nil {
		t.Fatal(err)
	}
	j := h.judge(p, l)
	c, err := h.desk.Dress(t.Context(), p, j)
	if err != nil || j.Action != lists.Accept || len(j.Remove) != 1 {
		t.Fatalf("%v, %+v", err, j.Verdict)
	}
	n, err := io.Copy(io.Discard, c.Content.Reader(c.BodyOffset))
	runtime.ReadMemStats(&after)
	if err != nil || n < 50e6 {
		t.Fatalf("%d octets, %v", n, err)
	}
	used := after.TotalAlloc - before.TotalAlloc
	t.Logf("%d octets for a post of %d", used, spool.Size())
	if used > 16<<20 {
		t.Errorf("%d octets of memory", used)
	}
}
