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
