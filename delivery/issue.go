package delivery

import (
	"slices"

	"superlistd/lists"
)

// keepIssues gives the routes of a post of which a part is in already the issues of the attempt before: by these it is dealt out to single
// copies and digests. As long as nothing is in, those of now are better: the first attempt's reader of a digest, who has single posts since, may have
// been the only one, and nothing is gathered any more.
func (j *Job) keepIssues() {
	if !slices.ContainsFunc(j.Routes, func(r Route) bool { return r.claim != nil && (r.claim.Done || len(r.claim.Had) > 0) }) {
		return
	}
	known := map[lists.Address]int{}
	for i := range j.Routes {
		if r := &j.Routes[i]; r.claim != nil && r.claim.issue >= 0 {
			known[r.Audience.List] = max(known[r.Audience.List], r.claim.issue) // a route that was not there at the last attempt knows an older one
		}
	}
	for i := range j.Routes {
		a := &j.Routes[i].Audience
		if issue, ok := known[a.List]; ok {
			a.Select.Issue = issue
		}
		for n := range a.NotAt {
			if issue, ok := known[a.Not[n]]; ok {
				a.NotAt[n] = issue
			}
		}
	}
}

// noteIssues remembers the issues of the routes, before anything more of the post is in. Where there never was a digest there is nothing to keep.
func (d *Deliverer) noteIssues(j *Job) {
	for i := range j.Routes {
		r := &j.Routes[i]
		if r.claim == nil || r.claim.issue == r.Audience.Select.Issue || r.Audience.List.IsZero() || r.Audience.Select.Issue == 0 && r.Gather == "" {
			continue
		}
		d.noted(r.claim.noteIssue(r.Audience.Select.Issue))
	}
}
