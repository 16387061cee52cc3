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
	// ErrNoMember: nobody of this address is a member of the list.
	ErrNoMember = errors.New("not a member")
	// ErrAliasTaken: the alias is the address or an alias of another member.
	ErrAliasTaken = errors.New("alias belongs to another member")
	// ErrUnknownSetting: no setting or option has this name; the text lists those that exist.
	ErrUnknownSetting = errors.New("no such setting")
	// ErrSetting: the value does not fit the setting.
	ErrSetting = errors.New("not a valid value")
	// ErrStore: the store cannot be read or written: missing folder, damaged or
	// foreign file, locked too long. The cause is wrapped beside it.
	ErrStore = errors.New("store is not usable")
	// ErrSchema: the store was written by a newer version of this program.
	ErrSchema = errors.New("store was written by a newer version")
)

// Reasons of a Verdict. They come wrapped with what is particular to the post.
var (
	// ErrClosed: nobody may post.
	ErrClosed = errors.New("list is closed for posts")
	// ErrAutomatic: a program wrote the post: null reverse-path, or RFC 3834.
	ErrAutomatic = errors.New("automatic mail is not a post")
	// ErrBanned: the author, or the reverse-path, is banned.
	ErrBanned = errors.New("banned")
	// ErrNoAuthor: the post has no author, or more than one.
	ErrNoAuthor = errors.New("post needs exactly one author")
	// ErrEmergency: every post is held for now.
	ErrEmergency = errors.New("every post is held for now")
	// ErrTooBig: the post is over the list's size limit.
	ErrTooBig = errors.New("over the list's size limit")
	// ErrTooOften: the author, or the list, has had its posts of this hour.
	ErrTooOften = errors.New("too many posts in an hour")
	// ErrTooManyNamed: To and Cc name more addresses than the list allows.
	ErrTooManyNamed = errors.New("too many addresses in To and Cc")
	// ErrNotNamed: neither To nor Cc names the list.
	ErrNotNamed = errors.New("list is not named in To or Cc")
	// ErrHeaderRule: a header rule of the list matches.
	ErrHeaderRule = errors.New("header rule")
	// ErrCommand: the post is a command that went to the wrong address.
	ErrCommand = errors.New("command is not a post")
	// ErrContent: the post has a part that the list does not take.
	ErrContent = errors.New("content is not taken")
	// ErrForged: the policy of the From's domain says that it does not come from there.
	ErrForged = errors.New("author is contradicted by his domain")
	// ErrUnproven: nothing proves the From, and the list or what the author wants asks for it.
	ErrUnproven = errors.New("author is not proven")
	// ErrNotMember: only members may post, and the author is none.
	ErrNotMember = errors.New("only members may post")
	// ErrNotPoster: only owners, or moderators, may post, and the author is none.
	ErrNotPoster = errors.New("author may not post")
	// ErrModerated: posts of the author, of newcomers, or all posts, wait for a moderator.
	ErrModerated = errors.New("moderated")
)
