package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"superlistd/lists"
)

// RunHistory runs the contract of lists.History. open returns a new, empty history each
// time, and closes it at the end of the test that it is given.
func RunHistory(t *testing.T, open func(t *testing.T) lists.History) {
	for _, part := range []struct {
		name string
		test func(*testing.T, history)
	}{
		{"an empty history", testNothingNoted},
		{"posts are counted", testRates},
		{"the same post in another attempt", testRetry},
		{"an hour goes by", testRatesAge},
		{"a clock that was wrong", testWrongClock},
		{"threads", testThreads},
		{"one who is answered is there again", testAnswered},
		{"sixty days go by", testThreadsAge},
		{"forget", testForget},
		{"a post that is none", testBadPost},
		{"the context ends every method of a history", testHistoryContext},
		{"notes of many at once", testNotes},
		{"random posts", testRandomHistory},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.test(t, history{t: t, h: open(t), list: mustParse(t, "team@example.org")})
		})
	}
}

// history is one with a list whose posts are looked at.
type history struct {
	t    *testing.T
	h    lists.History
	list lists.Address
}

// at is some minutes after noon.
func at(minutes int) time.Time { return day(1).Add(time.Duration(minutes) * time.Minute) }

// posted is a post with its own key.
func posted(t testing.TB, author, id string, when time.Time, references ...string) lists.Posted {
	return lists.Posted{Key: "key of " + id, Author: mustParse(t, author), MessageID: id, References: references, At: when}
}

func (h history) note(p lists.Posted) {
	h.t.Helper()
	if err := h.h.Note(h.t.Context(), h.list, p); err != nil {
		h.t.Fatal(err)
	}
}

func (h history) recent(author, key string, since time.Time) [2]int {
	h.t.Helper()
	byAuthor, byList, err := h.h.Recent(h.t.Context(), h.list, mustParse(h.t, author), key, since)
	if err != nil {
		h.t.Fatal(err)
	}
	return [2]int{byAuthor, byList}
}

func (h history) inThread(author string, since time.Time, ids ...string) bool {
	h.t.Helper()
	is, err := h.h.InThread(h.t.Context(), h.list, mustParse(h.t, author), ids, since)
	if err != nil {
		h.t.Fatal(err)
	}
	return is
}

// wantInThread expects those of people in the thread of a message who are named.
func (h history) wantInThread(what, id string, since time.Time, people map[string]bool) {
	h.t.Helper()
	for who, want := range people {
		if got := h.inThread(who, since, id); got != want {
			h.t.Errorf("%s: %s in the thread of %s: %v, want %v", what, who, id, got, want)
		}
	}
}

func testNothingNoted(t *testing.T, h history) {
	equal(t, "posts", h.recent("ann@x", "k", at(0)), [2]int{})
	equal(t, "in a thread", h.inThread("ann@x", at(0), "a@x"), false)
	if err := h.h.Forget(t.Context(), at(100)); err != nil {
		t.Error(err)
	}
}

func testRates(t *testing.T, h history) {
	h.note(posted(t, "ann@x", "a1", at(0)))
	h.note(posted(t, "ANN@x", "a2", at(1)))
	h.note(posted(t, "bob@x", "b1", at(2)))
	other := h
	other.list = mustParse(t, "other@example.org")
	other.note(posted(t, "ann@x", "a1", at(2)))
	equal(t, "of ann", h.recent("Ann@x", "", at(0)), [2]int{2, 3})
	equal(t, "of bob", h.recent("bob@x", "", at(0)), [2]int{1, 3})
	equal(t, "of a stranger", h.recent("zoe@x", "", at(0)), [2]int{0, 3})
	equal(t, "since then, and at that moment", h.recent("ann@x", "", at(1)), [2]int{1, 2})
	equal(t, "since later", h.recent("ann@x", "", at(1).Add(1)), [2]int{0, 1})
	equal(t, "another list", other.recent("ann@x", "", at(0)), [2]int{1, 1})
}

func testRetry(t *testing.T, h history) {
	h.note(posted(t, "ann@x", "a1", at(0)))
	h.note(posted(t, "ann@x", "a1", at(5)))
	h.note(posted(t, "bob@x", "b1", at(6)))
	equal(t, "counted once", h.recent("ann@x", "", at(0)), [2]int{1, 2})
	equal(t, "as of the first attempt", h.recent("ann@x", "", at(3)), [2]int{0, 1})
	equal(t, "without itself", h.recent("ann@x", "key of a1", at(0)), [2]int{0, 1})
	equal(t, "another's key", h.recent("ann@x", "key of b1", at(0)), [2]int{1, 1})
	for range 2 { // which cannot be told from each other
		p := posted(t, "ann@x", "", at(7))
		p.Key = ""
		h.note(p)
	}
	equal(t, "posts without a key", h.recent("ann@x", "", at(7)), [2]int{2, 2})
}

func testRatesAge(t *testing.T, h history) {
	h.note(posted(t, "ann@x", "a1", at(0)))
	h.note(posted(t, "ann@x", "a2", at(60)))
	equal(t, "the hour's end counts", h.recent("ann@x", "", at(0)), [2]int{2, 2})
	h.note(posted(t, "ann@x", "a3", at(61)))
	equal(t, "the first is forgotten", h.recent("ann@x", "", at(1)), [2]int{2, 2})
	h.note(posted(t, "ann@x", "a1", at(62)))
	equal(t, "and is another one now", h.recent("ann@x", "", at(2)), [2]int{3, 3})
}

// A post that was noted for next year is none of this hour, nor does it stay for a year.
func testWrongClock(t *testing.T, h history) {
	h.note(posted(t, "ann@x", "a1", at(0).AddDate(1, 0, 0)))
	equal(t, "before the next post", h.recent("ann@x", "", at(0)), [2]int{0, 0})
	h.note(posted(t, "ann@x", "a2", at(0)))
	h.note(posted(t, "ann@x", "a3", at(30)))
	equal(t, "afterwards", h.recent("ann@x", "", at(0)), [2]int{2, 2})
	equal(t, "in a year", h.recent("ann@x", "", at(0).AddDate(1, 0, 0)), [2]int{0, 0})
	h.note(posted(t, "bob@x", "b1", at(31), "a3"))
	h.wantInThread("threads go on", "b1", at(0), map[string]bool{"ann@x": true, "bob@x": true})
}

func testThreads(t *testing.T, h history) {
	h.note(posted(t, "xan@y", "<x1@y>", at(0)))
	h.note(posted(t, "ann@x", "<a1@x>", at(1), "<x1@y>"))
	h.note(posted(t, "bob@x", "b1@x", at(2)))
	h.note(posted(t, "cat@x", "<c1@x>", at(3), "<lost@x>", "b1@x"))
	h.note(posted(t, "dan@x", "<d1@x>", at(4), "<lost@x>"))
	both, none := map[string]bool{"xan@y": true, "XAN@y": true, "ann@x": true, "bob@x": false}, map[string]bool{"xan@y": false, "ann@x": false}
	h.wantInThread("who began it, and who answered", "<x1@y>", at(0), both)
	h.wantInThread("by the answer", "a1@x", at(0), both)
	h.wantInThread("with blanks", " <a1@x>\r\n", at(0), both)
	h.wantInThread("another thread", "<b1@x>", at(0), none)
	h.wantInThread("no thread", "<nothing@x>", at(0), none)
	h.wantInThread("case of an id counts", "<A1@x>", at(0), none)
	h.wantInThread("no id", "", at(0), none)
	h.wantInThread("a parent that is not known, and the one before it", "c1@x", at(0), map[string]bool{"bob@x": true, "cat@x": true})
	h.wantInThread("by a parent that never came", "<lost@x>", at(0), map[string]bool{"bob@x": true, "dan@x": true, "ann@x": false})
	equal(t, "one of several", h.inThread("ann@x", at(0), "b1@x", "", "a1@x"), true)
	equal(t, "none of several", h.inThread("zoe@x", at(0), "b1@x", "a1@x"), false)
	equal(t, "no ids", h.inThread("ann@x", at(0)), false)
	many := make([]string, lists.MaxReferences)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	equal(t, "the last that counts", h.inThread("ann@x", at(0), append(many[1:], "a1@x")...), true)
	equal(t, "the first that does not", h.inThread("ann@x", at(0), append(many, "a1@x")...), false)
	equal(t, "since later", h.inThread("xan@y", at(2), "x1@y"), false)

	// One that cannot be answered is in the thread that it answers.
	h.note(lists.Posted{Key: "eve", Author: mustParse(t, "eve@x"), References: []string{"b1@x"}, At: at(5)})
	h.note(lists.Posted{Key: "fay", Author: mustParse(t, "fay@x"), At: at(5)})
	h.wantInThread("without an id", "b1@x", at(0), map[string]bool{"eve@x": true, "fay@x": false})

	other := h
	other.list = mustParse(t, "other@example.org")
	other.wantInThread("another list", "a1@x", at(0), none)
}

func testAnswered(t *testing.T, h history) {
	h.note(posted(t, "xan@y", "x1@y", at(0)))
	h.note(posted(t, "bob@x", "b1@x", at(10), "x1@y"))
	h.wantInThread("answered later", "b1@x", at(5), map[string]bool{"xan@y": true, "bob@x": true})

	// A mail that never came to the list: its writer is in the thread when he is named.
	p := posted(t, "ann@x", "a1@x", at(20), "private@z")
	h.note(p)
	h.wantInThread("who wrote it is not known", "a1@x", at(0), map[string]bool{"zoe@z": false})
	p = posted(t, "ann@x", "a2@x", at(21), "private@z")
	p.Answered = []lists.Address{mustParse(t, "zoe@z"), mustParse(t, "yan@z")}
	h.note(p)
	h.wantInThread("named", "a1@x", at(0), map[string]bool{"zoe@z": true, "yan@z": true, "xan@y": false})

	// It comes after its answer: whose it is is known from then on.
	h.note(posted(t, "liv@z", "private@z", at(30)))
	h.note(posted(t, "bob@x", "b2@x", at(40), "private@z"))
	h.wantInThread("late", "b2@x", at(35), map[string]bool{"liv@z": true, "zoe@z": false})
	// Whoever takes another's id does not take his place.
	h.note(posted(t, "eve@z", "x1@y", at(50)))
	h.note(posted(t, "bob@x", "b3@x", at(60), "x1@y"))
	h.wantInThread("the same id", "b3@x", at(55), map[string]bool{"xan@y": true, "eve@z": false})
}

func testThreadsAge(t *testing.T, h history) {
	since := func(n int) time.Time { return after(n).Add(-lists.ThreadMemory) }
	h.note(posted(t, "xan@y", "x1", after(0)))
	h.note(posted(t, "ann@x", "a1", after(30), "x1"))
	h.wantInThread("by the answer", "a1", since(61), map[string]bool{"xan@y": true, "ann@x": true})
	for n := 40; n <= 90; n += 5 {
		h.note(posted(t, "bob@x", fmt.Sprint("b", n), after(n)))
	}
	h.wantInThread("ninety days later", "a1", since(90), map[string]bool{"xan@y": true, "ann@x": true})
	h.wantInThread("more", "a1", since(91), map[string]bool{"xan@y": false, "ann@x": false})
	h.note(posted(t, "cat@x", "c1", after(91), "a1"))
	h.wantInThread("another thread by now", "c1", since(91), map[string]bool{"cat@x": true, "ann@x": false})
}

// after is a day, counted from the first.
func after(days int) time.Time { return day(1).AddDate(0, 0, days) }

func testForget(t *testing.T, h history) {
	h.note(posted(t, "ann@x", "a1", at(0)))
	h.note(posted(t, "bob@x", "b1", at(10), "a1"))
	h.note(posted(t, "cat@x", "c1", at(20)))
	forget := func(before time.Time) {
		t.Helper()
		if err := h.h.Forget(t.Context(), before); err != nil {
			t.Fatal(err)
		}
	}
	forget(at(0))
	equal(t, "nothing is older", h.recent("ann@x", "", at(0)), [2]int{1, 3})
	forget(at(15))
	equal(t, "posts", h.recent("cat@x", "", at(0)), [2]int{1, 1})
	h.wantInThread("forgotten", "b1", at(0), map[string]bool{"ann@x": false, "bob@x": false})
	h.wantInThread("not forgotten", "c1", at(0), map[string]bool{"cat@x": true})
	h.note(posted(t, "dan@x", "d1", at(25), "c1"))
	forget(at(21))
	h.wantInThread("written again by an answer", "c1", at(0), map[string]bool{"cat@x": true, "dan@x": true})
	forget(at(26))
	h.wantInThread("all", "c1", at(0), map[string]bool{"cat@x": false, "dan@x": false})
	equal(t, "all posts", h.recent("ann@x", "", at(0)), [2]int{0, 0})
	h.note(posted(t, "ann@x", "a1", at(30)))
	h.wantInThread("and anew", "a1", at(0), map[string]bool{"ann@x": true, "bob@x": false})
	equal(t, "posts anew", h.recent("ann@x", "", at(0)), [2]int{1, 1})
}

func testBadPost(t *testing.T, h history) {
	good := posted(t, "ann@x", "a1", at(0))
	bad := good
	bad.Author = lists.Address{}
	wantErr(t, "no author", h.h.Note(t.Context(), h.list, bad), lists.ErrAddress)
	bad = good
	bad.Answered = []lists.Address{{Local: "a\n", Domain: "x"}}
	wantErr(t, "answers nobody", h.h.Note(t.Context(), h.list, bad), lists.ErrAddress)
	bad = good
	bad.At = time.Time{}
	if err := h.h.Note(t.Context(), h.list, bad); err == nil {
		t.Error("a post without a time was noted")
	}
	equal(t, "noted", h.recent("ann@x", "", at(0)), [2]int{0, 0})
}

func testHistoryContext(t *testing.T, h history) {
	h.note(posted(t, "ann@x", "a1", at(0)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantErr(t, "Note", h.h.Note(ctx, h.list, posted(t, "ann@x", "a2", at(0))), context.Canceled)
	_, _, err := h.h.Recent(ctx, h.list, h.list, "", at(0))
	wantErr(t, "Recent", err, context.Canceled)
	_, err = h.h.InThread(ctx, h.list, h.list, []string{"a1"}, at(0))
	wantErr(t, "InThread", err, context.Canceled)
	wantErr(t, "Forget", h.h.Forget(ctx, at(10)), context.Canceled)
	equal(t, "as it was", h.recent("ann@x", "", at(0)), [2]int{1, 1})
}

// No post is lost when many are noted at once, and each of its attempts counts once.
func testNotes(t *testing.T, h history) {
	const writers, each = 6, 8
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				p := posted(t, fmt.Sprintf("w%d@x", w/2), fmt.Sprintf("%d-%d", w/2, i), at(i), "root")
				if err := h.h.Note(t.Context(), h.list, p); err != nil {
					t.Error(err)
				}
				if _, err := h.h.InThread(t.Context(), h.list, p.Author, []string{"root"}, at(0)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	equal(t, "posts", h.recent("w0@x", "", at(0)), [2]int{each, each * writers / 2})
	h.wantInThread("one thread", "2-7", at(0), map[string]bool{"w0@x": true, "w1@x": true, "w2@x": true, "w3@x": false})
}
