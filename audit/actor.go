package audit

import "context"

// Way is by which way something was done.
type Way string

// The ways.
const (
	ByListctl    Way = "listctl"
	ByMail       Way = "mail"       // a command, or a confirmation
	ByWeb        Way = "web"        // the page where members leave
	ByModeration Way = "moderation" // a decision about a held post
	ByBounces    Way = "bounces"    // mail came back
	ByComplaint  Way = "complaint"  // a report of abuse
	ByDelivery   Way = "delivery"   // the next hop
)

// Actor is who changes something.
type Actor struct {
	// By is an address, an account or a client; "" when nobody did it, but time or mail that came back.
	By  string
	Way Way
	// Why is in words; "" is none.
	Why string
	// Own: the member does it himself, so that he leaves and is not removed.
	Own bool
}

type actorKey struct{}

// With returns a context in which what a Store changes is a's doing.
func With(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// ActorOf is who acts in a context; the zero Actor when that was not said.
func ActorOf(ctx context.Context) Actor {
	a, _ := ctx.Value(actorKey{}).(Actor)
	return a
}
