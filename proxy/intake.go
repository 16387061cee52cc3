package proxy

import "io"

// intake is where content goes. It never fails towards its writer: after the first error, its
// own limit included, it swallows the rest, so that the input is read to its end of data and no
// line of it can be taken for a command.
type intake struct {
	to    io.Writer
	limit int64 // octets, 0 none
	got   int64
	err   error
}

func (in *intake) Write(p []byte) (int, error) {
	in.got += int64(len(p))
	if in.err == nil && in.limit > 0 && in.got > in.limit {
		in.err = errOversize
	}
	if in.err == nil {
		_, in.err = in.to.Write(p)
	}
	return len(p), nil
}

// nowhere is the intake of content that was refused before it came.
func nowhere(err error) *intake { return &intake{to: io.Discard, err: err} }
