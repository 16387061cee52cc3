package held

import (
	"errors"
	"io"
	"io/fs"
	"time"
)

// KeepNotes is how long a decision is known after the post is gone: as long as a sender may come again with the same post, and
// as the retry guard knows what was sent (RFC 5321 section 4.5.4.1: four to five days).
const KeepNotes = 5 * 24 * time.Hour

// Decide notes what is to become of a post, once: of any number of answers the first wins, and the others get a
// *DecidedError, which is ErrDecided. On nil no power cut takes it back. After any other error it may have been noted or not,
// and whoever asks again is told. ErrGone, ErrDamaged, ErrFacts.
func (s *Store) Decide(id string, d Decision) (Facts, error) {
	d.clip()
	if err := d.check(); err != nil {
		return Facts{}, wrap(id, err)
	}
	f, err := s.Get(id)
	switch {
	case err != nil:
		return Facts{}, err
	case f.Decided != nil:
		return f, wrap(id, &DecidedError{*f.Decided})
	}
	d.At = s.now().UTC().Truncate(time.Second)
	front, err := encode(noteMagic, note{f.short(), d})
	if err != nil {
		return f, wrap(id, err)
	}
	existed, err := s.appear(id+decidedFile, id, int64(len(front)), func(w io.Writer) error {
		_, err := w.Write(front)
		return err
	})
	if err == nil && existed {
		return s.lost(f)
	}
	if err != nil {
		return f, wrap(id, err)
	}
	f.Decided = &d
	return f, nil
}

// lost tells who was faster.
func (s *Store) lost(f Facts) (Facts, error) {
	n, decided, err := s.decision(f.ID)
	switch {
	case err != nil:
		return f, wrap(f.ID, err)
	case !decided: // and the note of it is gone as well
		return f, wrap(f.ID, ErrGone)
	}
	f.Decided = &n.Decision
	return f, wrap(f.ID, &DecidedError{n.Decision})
}

// MarkNoticed remembers that the moderators were told. Marks are not synced: after a power cut somebody may be told twice.
func (s *Store) MarkNoticed(id string) error { return s.mark(id, noticedFile) }

// MarkTold remembers that the author was told that the post is held.
func (s *Store) MarkTold(id string) error { return s.mark(id, toldFile) }

// MarkCounted remembers that the post was counted.
func (s *Store) MarkCounted(id string) error { return s.mark(id, countedFile) }

func (s *Store) mark(id, suffix string) error {
	there, err := s.exists(id)
	if err == nil && !there {
		err = ErrGone
	}
	if err != nil {
		return wrap(id, err)
	}
	file, err := s.disk.Create(s.path(id + suffix))
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return wrap(id, err)
	}
	return wrap(id, file.Close())
}
