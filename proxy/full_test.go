package proxy_test

import (
	"strings"
	"testing"

	"superlistd/delivery/spool"
	"superlistd/proxy"
)

// While the spool is above its marks lists take no posts, at both doors; what is only relayed goes on.
func TestFullSpool(t *testing.T) {
	t.Parallel()
	for _, door := range []proxy.Door{proxy.SMTP, proxy.LMTP} {
		h := newFaultHouse(t, faultSetup{dataDir: t.TempDir(), marks: spool.Options{Free: 1 << 62}})
		told, err := h.send(faultPost{door: door, rcpts: []string{"out@far.test", "team@lists.test"}, content: faultContent(3)})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(told["team@lists.test"], "452 4.3.1 ") || !strings.HasPrefix(told["out@far.test"], "250 ") {
			t.Errorf("%v: told %q", door, told)
		}
		if q := h.peer.Queued(); len(q) != 1 || q["out@far.test"] != 1 {
			t.Errorf("%v: queued %v", door, q)
		}
		if !strings.Contains(h.log.String(), "octets are free on its disk") {
			t.Errorf("%v: the log does not say why:\n%s", door, h.log)
		}
	}
}
