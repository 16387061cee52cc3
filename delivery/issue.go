package delivery

import "superlistd/lists"

// keepIssues gives the routes of a post that comes again the issues of its first attempt: by these it is dealt out to single copies and
// digests, and a part of it is in already.
func (j *Job) keepIssues() {
	known := map[lists.Address]int{}
	for i := range j.Routes {
		if r := &j.Routes[i]; r.claim != nil && r.claim.issue >= 0 {
			known[r.Audience.List] = r.claim.issue
		}
	}
	if len(known) == 0 {
		return
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

// noteIssues remembers the issues of the routes, before anything of the post is in. Where there never was a digest there is nothing to keep.
func (d *Deliverer) noteIssues(j *Job) {
	for i := range j.Routes {
		r := &j.Routes[i]
		if r.claim == nil || r.claim.issue >= 0 || r.Audience.List.IsZero() || r.Audience.Select.Issue == 0 && r.Gather == "" {
			continue
		}
		d.noted(r.claim.noteIssue(r.Audience.Select.Issue))
	}
}
