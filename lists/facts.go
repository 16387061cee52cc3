package lists

// Proof is how well a From address is proven.
type Proof int

// The proofs. The zero value is Unproven.
const (
	// Unproven: nothing speaks for it, and nothing against it.
	Unproven Proof = iota
	// Proven: an aligned SPF or DKIM, or a submission by the author.
	Proven
	// Contradicted: the domain's DMARC policy says that such mail is not its own.
	Contradicted
)

// String returns a word for logs and notices.
func (p Proof) String() string {
	switch p {
	case Proven:
		return "proven"
	case Contradicted:
		return "contradicted"
	}
	return "unproven"
}

// PostFacts are what is known of a post when it is judged. Whoever gathers them looks
// at the mail; who judges does not.
type PostFacts struct {
	// NullSender: the reverse-path is "<>". ReversePath is the address otherwise, zero
	// when it is none that can be read.
	NullSender  bool
	ReversePath Address
	// Authors are the addresses of From; Proof is that of the only one.
	Authors []Address
	Proof   Proof
	// Member is who has the author's address, or has it as an alias; nil: nobody.
	Member *Member
	// InThread: the post answers a thread that the author, or a message of his, is part of.
	InThread bool
	// Automatic: a program wrote it (RFC 3834 section 2 and its kin).
	Automatic bool
	// Command: it is nothing but a command such as "unsubscribe".
	Command bool
	// Loop is why it is a mail loop; nil: it is none.
	Loop error

	// Size is the content's size in octets.
	Size int64
	// Named are the addresses of To and Cc that can be read; NamedCount counts all.
	Named      []Address
	NamedCount int
	// Fields returns the values of the header's fields of a name in any case, unfolded
	// and decoded; nil: not known, and no header rule matches.
	Fields func(name string) []string
	// Content are the parts that are no containers. HasHTML: one of them is HTML that a
	// reader sees, not an attachment.
	Content []PartFact
	// Unseen: there is more to the post than could be looked at.
	Unseen  bool
	HasHTML bool
	// RecentByAuthor and RecentByList are the posts of the last hour, without this one.
	RecentByAuthor, RecentByList int
}

// PartFact is what is known of one part of a post.
type PartFact struct {
	// Type is the media type without parameters: "text/plain".
	Type string
	// Filename is decoded; "" is none.
	Filename string
	// Disposition is "attachment", "inline" or "".
	Disposition string
	// Size is that of the part as it is encoded, in octets.
	Size int64
	// Sealed: the part is that of an encrypted post, and no attachment.
	Sealed bool
}

// EarlyFacts are what is known of a post at RCPT.
type EarlyFacts struct {
	// ReversePath is the zero Address when it is null or cannot be read.
	ReversePath Address
	// Size is what MAIL declared (RFC 1870); 0 is unknown.
	Size int64
}
