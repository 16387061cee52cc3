package lists

// Action is what becomes of a post, or of a part of it.
type Action string

// The actions. Remove is for parts only.
const (
	Accept  Action = "accept"
	Hold    Action = "hold"
	Refuse  Action = "refuse"
	Discard Action = "discard"
	Remove  Action = "remove"
)

// SubscribePolicy says what a request to join leads to.
type SubscribePolicy string

// The subscribe policies. Open and Approve ask for a confirmation as well when nothing proves who asked.
const (
	SubscribeConfirm        SubscribePolicy = "confirm"
	SubscribeConfirmApprove SubscribePolicy = "confirm+approve"
	SubscribeApprove        SubscribePolicy = "approve"
	SubscribeOpen           SubscribePolicy = "open"
	SubscribeClosed         SubscribePolicy = "closed"
)

// UnsubscribePolicy says when a request to leave has to be confirmed.
type UnsubscribePolicy string

// The unsubscribe policies: when nothing proves who asked, or never.
const (
	UnsubscribeConfirm UnsubscribePolicy = "confirm"
	UnsubscribeOpen    UnsubscribePolicy = "open"
)

// PostPolicy says who may post.
type PostPolicy string

// The post policies.
const (
	PostMembers    PostPolicy = "members"
	PostAnyone     PostPolicy = "anyone"
	PostOwners     PostPolicy = "owners"
	PostModerators PostPolicy = "moderators"
	PostNobody     PostPolicy = "nobody"
)

// IdentityPolicy says when a From address is believed.
type IdentityPolicy string

// The identity policies. By default a From is believed unless its domain's DMARC policy
// contradicts it.
const (
	IdentityClaimed            IdentityPolicy = "claimed"
	IdentityUnlessContradicted IdentityPolicy = "unless-contradicted"
	IdentityProven             IdentityPolicy = "proven"
)

// Moderation says whose posts wait for a moderator. The zero value is off.
type Moderation struct {
	// All posts wait.
	All bool
	// Newcomers is the number of posts of each member that wait first; 0: none.
	Newcomers int
}

// The values of Settings.HTML.
const (
	HTMLAccept = "accept"
	HTMLText   = "text"
	HTMLRefuse = "refuse"
)

// The values of Settings.From.
const (
	FromDMARC = "dmarc"
	FromKeep  = "keep"
	FromList  = "list"
	FromWrap  = "wrap"
)

// The values of Settings.ReplyTo that are no address.
const (
	ReplyToAuthor = "author"
	ReplyToList   = "list"
)

// Languages are those that a list or a member may have; the first is the default.
func Languages() []string { return []string{"en", "fr", "de"} }
