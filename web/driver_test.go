package web

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"superlistd/internal/needs"
)

// patience is how long a browser may take for one thing.
const patience = 20 * time.Second

// object is what WebDriver calls so.
type object = map[string]any

// browser is a Chromium without a window, driven by W3C WebDriver. Pages may not run scripts in it; the driver's own still do.
type browser struct {
	t       *testing.T
	client  http.Client
	session string // URL
}

// newBrowser starts one, which goes with the test.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	driver, chromium := needs.Program(t, "chromedriver"), needs.Program(t, "chromium")
	home := t.TempDir() // goes after the driver
	cmd := exec.Command(driver, "--port=0")
	cmd.Env = append(os.Environ(), "HOME="+home, "TMPDIR="+home)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	port := ""
	for s := bufio.NewScanner(out); port == "" && s.Scan(); {
		if _, after, ok := strings.Cut(s.Text(), "started successfully on port "); ok {
			port = strings.TrimSuffix(after, ".")
		}
	}
	b := &browser{t: t, client: http.Client{Timeout: patience}, session: "http://127.0.0.1:" + port}
	var session struct {
		ID string `json:"sessionId"`
	}
	b.call(http.MethodPost, "/session", capabilities(chromium), &session)
	b.session += "/session/" + session.ID
	t.Cleanup(func() { b.call(http.MethodDelete, "", nil, nil) }) // Chromium has gone then
	return b
}

// capabilities ask for a Chromium that speaks with nobody but the driver and loopback, and that goes when the driver does. Its
// sandbox does not work for root, and seldom in a container; what it reads here is our own.
func capabilities(chromium string) any {
	return object{"capabilities": object{"alwaysMatch": object{
		"browserName":       "chrome",
		"goog:loggingPrefs": object{"browser": "ALL"},
		"goog:chromeOptions": object{
			"binary": chromium,
			"args": []string{"headless", "no-sandbox", "disable-dev-shm-usage", "disable-gpu", "remote-debugging-pipe", "no-proxy-server",
				"disable-background-networking", "host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"},
			"prefs": object{"profile.managed_default_content_settings.javascript": 2},
		},
	}}}
}

// call is one command; what it gives goes to value.
func (b *browser) call(method, path string, body, value any) {
	b.t.Helper()
	var octets []byte
	if body != nil {
		octets, _ = json.Marshal(body)
	}
	r, err := http.NewRequest(method, b.session+path, bytes.NewReader(octets))
	if err != nil {
		b.t.Fatal(err)
	}
	w, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer w.Body.Close()
	var answer struct{ Value json.RawMessage }
	if err := json.NewDecoder(w.Body).Decode(&answer); err != nil || w.StatusCode != http.StatusOK {
		b.t.Fatalf("%s %s: %s %s %v", method, path, w.Status, answer.Value, err)
	}
	if value != nil {
		if err := json.Unmarshal(answer.Value, value); err != nil {
			b.t.Fatalf("%s %s: %s: %v", method, path, answer.Value, err)
		}
	}
}

func (b *browser) open(url string) {
	b.t.Helper()
	b.call(http.MethodPost, "/url", object{"url": url}, nil)
}

func (b *browser) back() { b.call(http.MethodPost, "/back", object{}, nil) }

func (b *browser) reload() { b.call(http.MethodPost, "/refresh", object{}, nil) }

// find returns the first element of a CSS selector, as the driver knows it.
func (b *browser) find(selector string) (element map[string]string) {
	b.t.Helper()
	b.call(http.MethodPost, "/element", object{"using": "css selector", "value": selector}, &element)
	return element
}

// of is where commands to an element go.
func (b *browser) of(selector string) string {
	b.t.Helper()
	for _, id := range b.find(selector) {
		return "/element/" + id
	}
	b.t.Fatalf("no element %s", selector)
	return ""
}

// press clicks where an element is seen, if nothing covers it.
func (b *browser) press(selector string) {
	b.t.Helper()
	b.call(http.MethodPost, b.of(selector)+"/click", object{}, nil)
}

// write types into a field.
func (b *browser) write(selector, text string) {
	b.t.Helper()
	b.call(http.MethodPost, b.of(selector)+"/value", object{"text": text}, nil)
}

// Keys of WebDriver.
const (
	tabKey   = "\uE004"
	enterKey = "\uE007"
)

// keys are pressed wherever the focus is.
func (b *browser) keys(keys string) {
	b.t.Helper()
	var actions []object
	for _, key := range keys {
		actions = append(actions, object{"type": "keyDown", "value": string(key)}, object{"type": "keyUp", "value": string(key)})
	}
	b.call(http.MethodPost, "/actions", object{"actions": []object{{"type": "key", "id": "keyboard", "actions": actions}}}, nil)
}

// enter goes into a frame; leave comes back.
func (b *browser) enter(selector string) {
	b.t.Helper()
	b.call(http.MethodPost, "/frame", object{"id": b.find(selector)}, nil)
}

func (b *browser) leave() { b.call(http.MethodPost, "/frame", object{"id": nil}, nil) }

// run is the body of a function of ours in the page.
func (b *browser) run(script string, value any) {
	b.t.Helper()
	b.call(http.MethodPost, "/execute/sync", object{"script": script, "args": []any{}}, value)
}

// see waits until the page has want as its heading, and returns all its text.
func (b *browser) see(want string) string {
	b.t.Helper()
	var is struct{ Heading, Text string }
	b.wait(func() bool {
		b.run(`const h = document.querySelector("h1"); return {heading: h ? h.innerText : "", text: document.body ? document.body.innerText : ""}`, &is)
		return strings.ReplaceAll(is.Heading, "\u00a0", " ") == want
	}, func() string { return fmt.Sprintf("heading %q, want %q, in:\n%s", is.Heading, want, is.Text) })
	return is.Text
}

// wait asks done again and again.
func (b *browser) wait(done func() bool, otherwise func() string) {
	b.t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatal(otherwise())
		}
	}
}

// become makes the window that wide, with a light or a dark scheme, as a telephone or as a desk.
func (b *browser) become(width int, scheme string) {
	b.t.Helper()
	cdp := func(cmd string, params object) {
		b.t.Helper()
		b.call(http.MethodPost, "/goog/cdp/execute", object{"cmd": cmd, "params": params}, nil)
	}
	cdp("Emulation.setDeviceMetricsOverride", object{"width": width, "height": 700, "deviceScaleFactor": 1, "mobile": width < 600})
	cdp("Emulation.setEmulatedMedia", object{"features": []object{{"name": "prefers-color-scheme", "value": scheme}}})
}

// complaints are what the browser said of the pages since it was asked last.
func (b *browser) complaints() (all []string) {
	b.t.Helper()
	var log []struct{ Message string }
	b.call(http.MethodPost, "/se/log", object{"type": "browser"}, &log)
	for _, line := range log {
		all = append(all, line.Message)
	}
	return all
}

// shoot writes what is seen into a file; it stays with "go test -artifacts".
func (b *browser) shoot(name string) {
	b.t.Helper()
	var text string
	b.call(http.MethodGet, "/screenshot", nil, &text)
	octets, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.t.ArtifactDir(), name+".png"), octets, 0o600); err != nil {
		b.t.Fatal(err)
	}
}
