package run

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

func TestLogText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, want string
		plain      bool
		log        func(zerolog.Logger)
	}{
		{"by key, the error first", "INF refused error=no a=1 b=x z=true\n", false,
			func(l zerolog.Logger) {
				l.Info().Str("b", "x").Int("a", 1).Err(errors.New("no")).Bool("z", true).Msg("refused")
			}},
		{"blanks are quoted", `WRN m reply="250 2.0.0 Ok" to=<a=b@c>` + "\n", false,
			func(l zerolog.Logger) { l.Warn().Str("to", "<a=b@c>").Str("reply", "250 2.0.0 Ok").Msg("m") }},
		{"nothing makes a second line or a second key", `ERR m v="a\nINF forged k=\"v\""` + "\n", false,
			func(l zerolog.Logger) { l.Error().Str("v", "a\nINF forged k=\"v\"").Msg("m") }},
		{"no control character passes", `DBG m v="\u0085\x1b[31mü"` + "\n", false,
			func(l zerolog.Logger) { l.Debug().Str("v", "\u0085\x1b[31mü").Msg("m") }},
		{"an empty value is seen", `INF m v=""` + "\n", false, func(l zerolog.Logger) { l.Info().Str("v", "").Msg("m") }},
		{"nested values stay JSON", `INF m v={"a":"}","b":[1,2]} w=1.5` + "\n", false,
			func(l zerolog.Logger) {
				l.Info().Dict("v", zerolog.Dict().Str("a", "}").Ints("b", []int{1, 2})).Float64("w", 1.5).Msg("m")
			}},
		{"syslog has time and level of its own", "m v=1\n", true, func(l zerolog.Logger) { l.Info().Int("v", 1).Msg("m") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var b strings.Builder
			tt.log(zerolog.New(textWriter{&b, tt.plain}))
			if b.String() != tt.want {
				t.Errorf("%q, want %q", b.String(), tt.want)
			}
		})
	}
}

func FuzzLogText(f *testing.F) {
	f.Add("key", "value", "message")
	f.Add("k", "a b=\"c\"\r\n\x00\xff\u2028", "m")
	f.Fuzz(func(t *testing.T, key, value, message string) {
		var b strings.Builder
		l := zerolog.New(textWriter{w: &b})
		l.Info().Str("v", value).Str("w", "x").Msg("m")
		out := b.String()
		if strings.Count(out, "\n") != 1 || !strings.HasSuffix(out, " w=x\n") || !strings.HasPrefix(out, "INF m v=") {
			t.Fatalf("%q gives %q", value, out)
		}
		// Whatever is written, and by whom, nothing panics and nothing is lost.
		if n, err := (textWriter{w: io.Discard}).Write([]byte(key + value + message)); err != nil || n != len(key+value+message) {
			t.Fatal(n, err)
		}
	})
}

func BenchmarkLogText(b *testing.B) {
	l := zerolog.New(textWriter{w: io.Discard}).With().Timestamp().Str("sid", "x").Logger()
	for b.Loop() {
		l.Info().Str("client", "unknown[127.0.0.1]").Str("from", "<ann@example.org>").Int("size", 1000).Str("reply", "250 2.0.0 Ok: queued as X").Msg("relayed")
	}
}
