package lists_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"superlistd/lists"
)

func TestCheckName(t *testing.T) {
	t.Parallel()
	d, _ := directory(t, "a@lists.example.org", "b-owner@lists.example.org", "c-leave@lists.example.org",
		"d-bounces@lists.example.org", "long-name@lists.example.org", "e-owner@xn--bcher-kva.example")
	for _, tt := range []struct {
		name, in string
		want     error
	}{
		{"free name", "new@lists.example.org", nil},
		{"capitals", "New@lists.example.org", nil},
		{"dots and underscores", "a.b_c@lists.example.org", nil},
		{"postmaster", "postmaster@lists.example.org", nil},
		{"longer than another", "a-b@lists.example.org", nil},
		{"shorter than another", "long@lists.example.org", nil},
		{"service word without a list", "owner@lists.example.org", nil},
		{"service of no list", "x-owner@lists.example.org", nil},
		{"neighbour in another domain", "e@lists.example.org", nil},
		{"foreign domain", "new@example.org", lists.ErrForeignDomain},
		{"exists", "A@lists.example.org", lists.ErrListExists},
		{"hides the owner of a list", "a-owner@lists.example.org", lists.ErrHidesService},
		{"hides an alias in any case", "A-JOIN@lists.example.org", lists.ErrHidesService},
		{"hides bounces", "a-bounces@lists.example.org", lists.ErrHidesService},
		{"its owner is a list", "b@lists.example.org", lists.ErrHidesService},
		{"its alias is a list", "c@lists.example.org", lists.ErrHidesService},
		{"its bounces are a list", "d@lists.example.org", lists.ErrHidesService},
		{"delimiter", "a+b@lists.example.org", lists.ErrAddress},
		{"quotes", `"a b"@lists.example.org`, lists.ErrAddress},
		{"stray dot", ".a@lists.example.org", lists.ErrAddress},
		{"hyphen first", "-a@lists.example.org", lists.ErrAddress},
		{"not ASCII", "ä@lists.example.org", lists.ErrAddress},
		{"services would be too long", strings.Repeat("a", 300) + "@lists.example.org", lists.ErrAddress},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := d.CheckName(t.Context(), mustParse(t, tt.in)); !errors.Is(err, tt.want) {
				t.Errorf("CheckName(%s) = %v, want %v", tt.in, err, tt.want)
			}
		})
	}
}

func TestCheckNameStoreError(t *testing.T) {
	t.Parallel()
	d, store := directory(t)
	store.broken.Store(true)
	if err := d.CheckName(t.Context(), mustParse(t, "a@lists.example.org")); !errors.Is(err, lists.ErrStore) {
		t.Errorf("got %v, want ErrStore", err)
	}
}

// Of names that hide each other's services, exactly one can be created, however many try.
func TestDirectoryCreate(t *testing.T) {
	t.Parallel()
	d, _ := directory(t)
	var created, refused atomic.Int32
	var wg sync.WaitGroup
	for _, name := range []string{"a", "a-owner", "a", "a-owner", "A", "A-OWNER"} {
		wg.Go(func() {
			switch err := d.Create(t.Context(), lists.List{Address: mustParse(t, name+"@lists.example.org")}); {
			case err == nil:
				created.Add(1)
			case errors.Is(err, lists.ErrHidesService), errors.Is(err, lists.ErrListExists):
				refused.Add(1)
			default:
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	wg.Wait()
	if created.Load() != 1 || refused.Load() != 5 {
		t.Errorf("%d created, %d refused", created.Load(), refused.Load())
	}
	for name, want := range map[string]error{"b+c@lists.example.org": lists.ErrAddress, "b@example.org": lists.ErrForeignDomain} {
		if err := d.Create(t.Context(), lists.List{Address: mustParse(t, name)}); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", name, err, want)
		}
	}
}
