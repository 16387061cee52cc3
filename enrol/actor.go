package enrol

import "superlistd/audit"

// actor is who does what a request asks for: an owner who has decided, or whoever asked for it.
func (r request) actor() audit.Actor {
	if r.decided != nil {
		return audit.Actor{By: r.decided.By.String(), Way: audit.ByMail}
	}
	return audit.Actor{By: r.Who.String(), Way: audit.ByMail, Own: r.Action == leaving}
}
