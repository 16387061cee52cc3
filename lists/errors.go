package lists

import "errors"

// Errors of this package and of every Store. They come wrapped with the thing
// and the verb; tell them apart with errors.Is. The door translates them into
// replies (RFC 5321 section 4.2), so none of them knows a code.
var (
	// ErrAddress: the text is not a mailbox, or not one that may be used here.
	ErrAddress = errors.New("not a valid address")
	// ErrNoList: no list, and no service of a list, has this address.
	ErrNoList = errors.New("no such list")
	// ErrListExists: a list of this name is there already.
	ErrListExists = errors.New("list exists")
	// ErrHidesService: the name would hide a service address of another list,
	// or another list hides one of its own.
	ErrHidesService = errors.New("name collides with a service address")
	// ErrForeignDomain: the address is not in one of our list domains.
	ErrForeignDomain = errors.New("not one of our domains")
	// ErrNotMember: only members may post, and the author is none.
	ErrNotMember = errors.New("only members may post")
	// ErrClosed: nobody may post.
	ErrClosed = errors.New("list is closed for posts")
	// ErrTooBig: the post is over the list's size limit.
	ErrTooBig = errors.New("over the list's size limit")
	// ErrNoAuthor: the post has no author, or more than one.
	ErrNoAuthor = errors.New("post needs exactly one author")
	// ErrAutomatic: the post has the null reverse-path, so a program wrote it.
	ErrAutomatic = errors.New("automatic mail is not a post")
	// ErrTooManyNamed: To and Cc name more addresses than the list allows.
	ErrTooManyNamed = errors.New("too many addresses in To and Cc")
	// ErrUnknownSetting: no setting has this name; the text lists those that exist.
	ErrUnknownSetting = errors.New("no such setting")
	// ErrSetting: the value does not fit the setting.
	ErrSetting = errors.New("not a valid value")
	// ErrStore: the store cannot be read or written: missing folder, damaged or
	// foreign file, locked too long. The cause is wrapped beside it.
	ErrStore = errors.New("store is not usable")
	// ErrSchema: the store was written by a newer version of this program.
	ErrSchema = errors.New("store was written by a newer version")
)
