package spool

import "time"

// Now is the time by the clock that the spool goes by: what is due is said in its time.
func (s *Spool) Now() time.Time { return s.now() }
