package held

import (
	"bytes"
	"encoding/json"
	"fmt"

	"superlistd/delivery/spool"
)

// appendLine appends a line feed, and a line with a checksum.
func appendLine(dst, text []byte) []byte { return spool.AppendLine(dst, text) }

// decode reads the front of a file into v, and returns where it ends. ErrDamaged.
func decode(f spool.File, magic string, v any) (at int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() {
		return 0, fmt.Errorf("%w: it is no file", ErrDamaged)
	}
	for size := int64(8 << 10); ; size = maxFront {
		front := make([]byte, min(size, info.Size()))
		if len(front) > 0 {
			if _, err := f.ReadAt(front, 0); err != nil {
				return 0, err
			}
		}
		text, ok := bytes.CutPrefix(front, []byte(magic+"\n"))
		if !ok {
			return 0, fmt.Errorf("%w: its first line is not %q", ErrDamaged, magic)
		}
		end := bytes.IndexByte(text, '\n')
		if end < 0 && int64(len(front)) < min(maxFront, info.Size()) {
			continue
		}
		line, ok := "", false
		if end >= 0 {
			line, ok = spool.ParseLine(string(text[:end]))
		}
		if !ok {
			return 0, fmt.Errorf("%w: its facts are cut off, or have the wrong checksum", ErrDamaged)
		}
		if err := json.Unmarshal([]byte(line), v); err != nil {
			return 0, fmt.Errorf("%w: its facts: %w", ErrDamaged, err)
		}
		return int64(len(magic) + 1 + end + 1), nil
	}
}
