package bouncing

import "superlistd/lists"

// maxLocal is how long a local part may be (RFC 5321 section 4.5.3.1.1). Postfix writes longer ones, and there are servers that refuse
// mail from them.
const maxLocal = 64

// PersonalPath is the reverse-path of the copy that goes to one member: what Postfix makes of path with XVERP, the delimiter and "=".
// Where that is too long it is path, and what comes back has to be read.
func PersonalPath(path lists.Address, delimiter string, member lists.Address) lists.Address {
	own := lists.Address{Local: path.Local + delimiter + member.Local + "=" + member.Domain, Domain: path.Domain}
	if len(own.Local) > maxLocal || own.Check() != nil {
		return path
	}
	return own
}
