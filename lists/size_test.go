package lists_test

import (
	"errors"
	"math"
	"testing"

	"superlistd/lists"
)

func TestParseSize(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   string
		want int64
		text string
	}{
		{"0", 0, "none"},
		{"none", 0, "none"},
		{"1", 1, "1B"},
		{"512kB", 512_000, "512kB"},
		{"512 KB", 512_000, "512kB"},
		{"1KiB", 1024, "1KiB"},
		{"10MB", 10_000_000, "10MB"},
		{"10mb", 10_000_000, "10MB"},
		{"16MiB", 16 << 20, "16MiB"},
		{"2GB", 2_000_000_000, "2GB"},
		{"1GiB", 1 << 30, "1GiB"},
		{"1001", 1001, "1001B"},
		{"9223372036854775807", math.MaxInt64, "9223372036854775807B"},
	} {
		if got, err := lists.ParseSize(tt.in); err != nil || got != tt.want {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", tt.in, got, err, tt.want)
		}
		if got := lists.FormatSize(tt.want); got != tt.text {
			t.Errorf("FormatSize(%d) = %q, want %q", tt.want, got, tt.text)
		}
	}
	for _, in := range []string{"", "MB", "-1", "+1", "1.5MB", "1TB", "1kMB", "1 0", "10MBit", "9223372036854775808", "9223372036854776kB", "1M", "0x10", "1_000", "None"} {
		if got, err := lists.ParseSize(in); !errors.Is(err, lists.ErrSetting) {
			t.Errorf("ParseSize(%q) = %d, %v; want ErrSetting", in, got, err)
		}
	}
}

// The law: a size is never negative, and what FormatSize writes, ParseSize reads.
func FuzzSize(f *testing.F) {
	for _, s := range []string{"none", "0", "1MiB", "500 kB", "9223372036854775807B", "18446744073709551615"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		n, err := lists.ParseSize(in)
		if err != nil {
			return
		}
		if again, err := lists.ParseSize(lists.FormatSize(n)); n < 0 || again != n || err != nil {
			t.Fatalf("%q is %d, written %q, read %d, %v", in, n, lists.FormatSize(n), again, err)
		}
	})
}
