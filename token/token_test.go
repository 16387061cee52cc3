package token_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"superlistd/token"
)

func open(t testing.TB, dir string) *token.Keys {
	t.Helper()
	k, err := token.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestOtherTextsMakeOtherTokens(t *testing.T) {
	t.Parallel()
	k := open(t, t.TempDir())
	seen := map[string][]string{}
	for _, words := range [][]string{
		{"held"}, {"held", ""}, {"held", "", ""}, {"held", "a"}, {"held", "a", ""}, {"held", "", "a"}, {"held", "ab"}, {"held", "a", "b"},
		{"held", "b", "a"}, {"heldab"}, {"helda", "b"}, {"", "held"}, {""}, {"Held"}, {"held", "\x01a"}, {"held", strings.Repeat("a", 300)},
	} {
		made := k.Make(words[0], words[1:]...)
		if other, twice := seen[made]; twice {
			t.Errorf("%q and %q make the same token", words, other)
		}
		seen[made] = words
		if len(made) != token.Length || strings.Trim(made, "abcdefghijklmnopqrstuvwxyz234567") != "" {
			t.Errorf("%q: %q is no token", words, made)
		}
		if !k.Check(made, words[0], words[1:]...) || !k.Check(strings.ToUpper(made), words[0], words[1:]...) {
			t.Errorf("%q: its own token is refused", words)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	k := open(t, t.TempDir())
	made := k.Make("held", "a")
	for _, tt := range []struct{ name, token string }{
		{"empty", ""},
		{"cut", made[:len(made)-1]},
		{"longer", made + "a"},
		{"another secret", open(t, t.TempDir()).Make("held", "a")},
		{"another purpose", k.Make("join", "a")},
		{"first character", swap(made, 0)},
		{"last character", swap(made, len(made)-1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if k.Check(tt.token, "held", "a") {
				t.Errorf("%q is taken for %q", tt.token, made)
			}
		})
	}
}

func swap(s string, i int) string {
	c := byte('a')
	if s[i] == c {
		c = 'b'
	}
	return s[:i] + string(c) + s[i+1:]
}

func TestDerive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	k := open(t, dir)
	secret, err := os.ReadFile(filepath.Join(dir, "secret"))
	if err != nil {
		t.Fatal(err)
	}
	a, b := k.Derive("a"), k.Derive("b")
	if len(a) != 32 || bytes.Equal(a, b) || bytes.Equal(a, secret) || !bytes.Equal(a, open(t, dir).Derive("a")) {
		t.Errorf("a %x, b %x", a, b)
	}
}

func TestSecretIsMadeOnceAndKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var wg sync.WaitGroup
	tokens := make([]string, 16)
	for i := range tokens {
		wg.Go(func() {
			if k, err := token.Open(dir); err == nil {
				tokens[i] = k.Make("held", "a")
			}
		})
	}
	wg.Wait()
	for _, made := range append(tokens, open(t, dir).Make("held", "a")) {
		if made == "" || made != tokens[0] {
			t.Fatalf("tokens of one folder differ: %q", tokens)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("left over: %v, %v", left, err)
	}
	if info, err := left[0].Info(); err != nil || info.Mode() != 0o600 || info.Size() != 32 {
		t.Errorf("secret: %v, %v", info, err)
	}
}

func TestSecretThatIsNone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, want string
		spoil      func(path string) error
	}{
		{"empty", "not a file of 32 octets", func(p string) error { return os.WriteFile(p, nil, 0o600) }},
		{"short", "not a file of 32 octets", func(p string) error { return os.WriteFile(p, make([]byte, 31), 0o600) }},
		{"long", "not a file of 32 octets", func(p string) error { return os.WriteFile(p, make([]byte, 33), 0o600) }},
		{"folder", "not a file of 32 octets", func(p string) error { return os.Mkdir(p, 0o700) }},
		{"link", "secret", func(p string) error { return os.Symlink("/dev/null", p) }},
		{"open to all", "everybody may read", func(p string) error {
			if err := os.WriteFile(p, make([]byte, 32), 0o600); err != nil {
				return err
			}
			return os.Chmod(p, 0o644)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "secret")
			if err := tt.spoil(path); err != nil {
				t.Fatal(err)
			}
			before, _ := os.ReadFile(path)
			_, err := token.Open(filepath.Dir(path))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
				t.Error("it was replaced")
			}
		})
	}
	if _, err := token.Open(filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("a folder that is not there is no error")
	}
}

// A token is good for what it was made for, in any case, and for nothing else.
func FuzzTokens(f *testing.F) {
	f.Add("held", "team@lists.test", "abc", "held", "team@lists.test", "abc")
	f.Add("a", "b", "c", "ab", "", "c")
	f.Add("", "", "", "", "\x00", "")
	k := open(f, f.TempDir())
	f.Fuzz(func(t *testing.T, p1, a1, b1, p2, a2, b2 string) {
		made := k.Make(p1, a1, b1)
		same := p1 == p2 && a1 == a2 && b1 == b2
		if k.Check(made, p2, a2, b2) != same || k.Check(strings.ToUpper(made), p2, a2, b2) != same {
			t.Errorf("token of %q, %q, %q checked for %q, %q, %q", p1, a1, b1, p2, a2, b2)
		}
		if k.Check(a1, p1, a1, b1) || k.Check(made, p1, a1) || k.Check(made, p1, a1+b1) {
			t.Errorf("%q is a token for other parts", made)
		}
	})
}
