package bouncing

import (
	"context"
	"errors"
	"slices"
	"sync"

	"superlistd/lists"
	"superlistd/lists/boltstore"
)

// queue makes one commit of the changes that come while another commit is on its way to the disk: a host that is down sends all
// its bounces at once. Who comes alone waits for nobody.
type queue struct {
	book    Book
	turn    chan struct{} // one token: whoever has it commits
	mu      sync.Mutex
	waiting []*edit
}

// edit is a change that waits. err is for who finds done to be closed.
type edit struct {
	boltstore.Edit
	done chan struct{}
	err  error
}

// maxEdits bounds a commit, and with it how long the book is locked.
const maxEdits = 500

func newQueue(book Book) *queue { return &queue{book: book, turn: make(chan struct{}, 1)} }

// update is Book.Update. When it returns before the change was made, since ctx ended, the change may be made or not.
func (q *queue) update(ctx context.Context, list lists.Address, change func(*boltstore.Table) error) error {
	e := &edit{Edit: boltstore.Edit{List: list, Change: change}, done: make(chan struct{})}
	q.mu.Lock()
	q.waiting = append(q.waiting, e)
	q.mu.Unlock()
	for {
		select {
		case <-e.done:
			return e.err
		case q.turn <- struct{}{}:
			// What is committed is not only ours, so our own end must not be that of the others.
			q.commit(context.WithoutCancel(ctx))
			<-q.turn
		case <-ctx.Done():
			q.leave(e)
			return ctx.Err()
		}
	}
}

// leave takes a change back that nobody has begun with.
func (q *queue) leave(e *edit) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = slices.DeleteFunc(q.waiting, func(other *edit) bool { return other == e })
}

// commit makes the changes that wait, in their order.
func (q *queue) commit(ctx context.Context) {
	q.mu.Lock()
	n := min(len(q.waiting), maxEdits)
	some := slices.Clone(q.waiting[:n])
	q.waiting = slices.Delete(q.waiting, 0, n)
	q.mu.Unlock()
	if n == 0 {
		return
	}
	all := make([]boltstore.Edit, n)
	for i, e := range some {
		all[i] = e.Edit
	}
	err := q.book.UpdateAll(ctx, all)
	for _, e := range some {
		if e.err = err; err != nil && n > 1 && !errors.Is(err, lists.ErrStore) { // one's fault is not that of the others
			e.err = q.book.Update(ctx, e.List, e.Change)
		}
		close(e.done)
	}
}
