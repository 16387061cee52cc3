package bouncing

import (
	"crypto/subtle"
	"strconv"
	"strings"
	"time"

	"superlistd/lists"
)

// Extensions of LIST-bounces. A post has "b" and its key, with Postfix's VERP "b" KEY "+user=domain"; a letter that tries a
// member's address has "p", its name, and the key of that.
const (
	postLetter  = 'b'
	probeLetter = 'p'
	// keyLength is of what keeps strangers out, in characters of 5 bits: who guesses must ask us each time.
	keyLength  = 10
	nameLength = 8

	purposePost  = "bounces of posts"
	purposeProbe = "bounce of a probe"
	purposeName  = "name of a probe"
)

const (
	day  = 24 * time.Hour
	week = 7 * day
	// weeks is how long a key is good: what takes longer than 60 days to come back is no bounce.
	weeks = 60/7 + 1
)

// weekOf numbers the weeks since 1970.
func weekOf(t time.Time) int64 { return t.Unix() / int64(week/time.Second) }

// Path is the reverse-path of posts: LIST-bounces with the key of this week. XVERP with the delimiters "+=" (delimiter and
// "=") adds the member.
func (d *Desk) Path(l lists.List, now time.Time) lists.Address {
	return d.bounces(l.Address, string(postLetter)+d.postKey(l.Address, weekOf(now)))
}

// probePath is the reverse-path of a letter that tries an address.
func (d *Desk) probePath(list lists.Address, name string) lists.Address {
	return d.bounces(list, string(probeLetter)+name+d.probeKey(list, name))
}

func (d *Desk) bounces(list lists.Address, extension string) lists.Address {
	a := lists.List{Address: list}.Bounces()
	a.Local += d.opts.Delimiter + extension
	return a
}

func (d *Desk) postKey(list lists.Address, week int64) string {
	return d.opts.Keys.Make(purposePost, list.Key(), strconv.FormatInt(week, 10))[:keyLength]
}

func (d *Desk) probeKey(list lists.Address, name string) string {
	return d.opts.Keys.Make(purposeProbe, list.Key(), name)[:keyLength]
}

// probeName names the n-th letter to a member since a time. It is the same however often it is asked for.
func (d *Desk) probeName(list, member lists.Address, n int, since time.Time) string {
	return d.opts.Keys.Make(purposeName, list.Key(), member.Key(), strconv.Itoa(n), strconv.FormatInt(since.UnixNano(), 10))[:nameLength]
}

// origin is what an extension says about where a mail comes back from.
type origin struct {
	probe  string // name of a letter, "" for a post
	member string // "user=domain" of a post with VERP, "" without
}

// Known tells at RCPT whether LIST-bounces takes mail with this extension from a reverse-path ("" is the null one, else a
// mailbox as MAIL has it): nil, or ErrForged. Only keys of the last 60 days are good, and only mail systems send bounces.
// It asks no store.
func (d *Desk) Known(list lists.Address, extension, reversePath string) error {
	if _, ok := d.origin(list, extension); !ok || !fromSystem(reversePath) {
		return ErrForged
	}
	return nil
}

// fromSystem tells a reverse-path of bounces: null (RFC 5321 section 4.5.5), or that of the old systems that wrote as somebody.
func fromSystem(reversePath string) bool {
	local := reversePath
	if at := strings.LastIndexByte(local, '@'); at >= 0 {
		local = local[:at]
	}
	local = strings.Trim(local, `"`)
	return reversePath == "" || strings.EqualFold(local, "mailer-daemon") || strings.EqualFold(local, "postmaster")
}

// origin reads an extension whose key is right. The case of the key does not matter: addresses lose it on their way.
func (d *Desk) origin(list lists.Address, extension string) (o origin, ok bool) {
	switch {
	case extension == "":
		return o, false
	case extension[0]|0x20 == postLetter:
		key, member, verp := strings.Cut(extension[1:], d.opts.Delimiter)
		if len(key) != keyLength || verp && member == "" {
			return o, false
		}
		o.member = member
		return o, d.ofThePast(list, key)
	case extension[0]|0x20 == probeLetter && len(extension) == 1+nameLength+keyLength:
		o.probe = strings.ToLower(extension[1 : 1+nameLength])
		return o, same(extension[1+nameLength:], d.probeKey(list, o.probe))
	}
	return o, false
}

// ofThePast compares a key with those of the last weeks, and of the next one: clocks are set back.
func (d *Desk) ofThePast(list lists.Address, key string) (ok bool) {
	now := weekOf(d.opts.Now())
	for w := now - weeks; w <= now+1; w++ {
		ok = same(key, d.postKey(list, w)) || ok
	}
	return ok
}

func same(got, want string) bool {
	return subtle.ConstantTimeCompare([]byte(strings.ToLower(got)), []byte(want)) == 1
}

// members are the addresses that "user=domain" may stand for, the likeliest first: the domain begins behind the last "=";
// quotes of the local part may have been kept or not.
func members(verp string) (all []lists.Address) {
	at := strings.LastIndexByte(verp, '=')
	if at < 0 {
		return nil
	}
	local, domain := verp[:at], verp[at+1:]
	for _, mailbox := range []string{lists.Address{Local: local, Domain: domain}.String(), local + "@" + domain} {
		a, err := lists.ParseAddress(mailbox)
		if err == nil && (len(all) == 0 || all[0].Key() != a.Key()) {
			all = append(all, a)
		}
	}
	return all
}
