package digest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"superlistd/lists"
)

// Posts whose text, header and names of files are all as long as they may be, so that no guess at what is left of them holds: each mail is
// small enough all the same, since one that never is would keep the posts of all others from going out.
func TestMaxSizeOfHostilePosts(t *testing.T) {
	t.Parallel()
	const most = 200_000
	h := open(t, "digest_size=none", "digest_count=none")
	h.opts.MaxSize = func(context.Context) int64 { return most }
	h.again(nil)
	h.join(lists.DeliveryDigest, "dora")
	h.join(lists.DeliveryPlain, "paul")
	long := strings.Repeat("=?utf-8?q?=C3=A4=C3=B6=C3=BC=C3=A4=C3=B6=C3=BC=C3=A4=C3=B6=C3=BC?=\n ", 300)
	var files strings.Builder
	for n := range 300 {
		fmt.Fprintf(&files, "\n--b\nContent-Type: application/pdf\nContent-Disposition: attachment; filename*=utf-8''%s%d.pdf\n\nx", strings.Repeat("%C3%A4", 100), n)
	}
	for n := range 4 {
		h.gather(text(n, fmt.Sprint("Good ", n))+strings.Repeat(strings.Repeat("good ", 10)+"\n", 1500), 0)
		h.gather("From: ann@example.org\nSubject: "+long+"x\nTo: "+long+"x\nCc: "+long+"x\nKeywords: "+long+"x\nMIME-Version: 1.0\n"+
			"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\n"+
			strings.Repeat(strings.Repeat("ö", 30)+"\n", 10_000)+files.String()+"\n--b--\n", 0)
	}
	if n, err := h.desk.Send(t.Context(), list); n != 8 || err != nil {
		t.Fatal(n, err)
	}
	for _, name := range []string{"dora", "paul"} {
		for n, mail := range h.got(name) {
			if len(mail.raw) > most {
				t.Errorf("%s: part %d has %d octets", name, n, len(mail.raw))
			}
		}
	}
}
