package lists

import (
	"fmt"

	"golang.org/x/net/idna"
)

// toASCII returns the A-label form of a domain. The profile is that of a lookup (UTS
// 46: case, width and composition are mapped), but takes "_" as parseDomain does;
// idna.Lookup refuses it.
func toASCII(s string) (string, error) {
	profile := idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))
	a, err := profile.ToASCII(s)
	if err != nil {
		return "", fmt.Errorf("%w: domain: %w", ErrAddress, err)
	}
	return a, nil
}

// Display is the address as its owner writes it: when the local part is not ASCII, the domain is in U-labels too (RFC 5890
// section 2.3.2.1). It is for people; ParseAddress reads it back.
func (a Address) Display() string {
	if IsASCII(a.Local) {
		return a.String()
	}
	a.Domain = a.DomainDisplay()
	return a.String()
}

// DomainDisplay is the domain in U-labels, or as it is where that cannot be. It is for people.
func (a Address) DomainDisplay() string {
	if domain, err := idna.Display.ToUnicode(a.Domain); err == nil {
		return domain
	}
	return a.Domain
}
