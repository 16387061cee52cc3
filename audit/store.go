package audit

import (
	"context"
	"fmt"
	"strings"
	"time"

	"superlistd/lists"
)

// store writes down what commits have changed.
type store struct {
	lists.Store
	log *Log
}

// Store returns inner with a log: what each commit has really changed is written, as the doing of the Actor of its context. A
// process that is killed between the two leaves a change without a line.
func Store(inner lists.Store, log *Log) lists.Store { return store{inner, log} }

// Record writes what was done with somebody who need not be a member, as the doing of the Actor of a context, into the log of a Store that was
// made by Store. Another one has none.
func Record(ctx context.Context, s lists.Store, list lists.Address, what What, who lists.Address) {
	if s, ok := s.(store); ok {
		e := event(ctx, what)
		e.Member = who.String()
		s.log.Note(list, e)
	}
}

func event(ctx context.Context, what What) Event {
	a := ActorOf(ctx)
	return Event{What: what, By: a.By, Way: a.Way, Why: a.Why}
}

// Create adds a list.
func (s store) Create(ctx context.Context, l lists.List, check func(exists func(lists.Address) bool) error) error {
	if err := s.Store.Create(ctx, l, check); err != nil {
		return err
	}
	e := event(ctx, Created)
	if settings, err := l.Settings.Checked(); err == nil {
		var words []string
		for _, t := range lists.SettingTable() {
			if v := t.Get(settings); v != t.Default {
				words = append(words, t.Name+"="+v)
			}
		}
		e.New = strings.Join(words, " ")
	}
	s.log.Note(l.Address, e)
	return nil
}

// Delete removes a list.
func (s store) Delete(ctx context.Context, list lists.Address) error {
	was, found := s.Store.List(ctx, list)
	if err := s.Store.Delete(ctx, list); err != nil {
		return err
	}
	e := event(ctx, Deleted)
	if found == nil {
		e.Old = fmt.Sprint(was.Members)
	}
	s.log.Note(list, e)
	return nil
}

// Update edits the settings.
func (s store) Update(ctx context.Context, list lists.Address, change func(*lists.Settings) error) (lists.List, error) {
	var old lists.Settings
	l, err := s.Store.Update(ctx, list, func(settings *lists.Settings) error {
		old = settings.Clone()
		return change(settings)
	})
	if err != nil {
		return l, err
	}
	var all []Event
	for _, t := range lists.SettingTable() {
		e := event(ctx, Setting)
		if e.Option, e.Old, e.New = t.Name, t.Get(old), t.Get(l.Settings); e.Old != e.New {
			all = append(all, e)
		}
	}
	s.log.Note(list, all...)
	return l, nil
}

// UpdateMember edits a member.
func (s store) UpdateMember(ctx context.Context, list, member lists.Address, change func(*lists.Member) error) (lists.Member, error) {
	var old lists.Member
	m, err := s.Store.UpdateMember(ctx, list, member, func(m *lists.Member) error {
		old = m.Clone()
		return change(m)
	})
	if err == nil {
		s.log.Note(list, differences(ctx, old, m)...)
	}
	return m, err
}

// differences are what was changed about a member. That the program counts a post of his is none.
func differences(ctx context.Context, old, m lists.Member) (all []Event) {
	add := func(what What, option, was, is string) {
		e := event(ctx, what)
		e.Member, e.Option, e.Old, e.New = m.Address.String(), option, was, is
		all = append(all, e)
	}
	for _, o := range lists.MemberOptionTable() {
		was, is := o.Get(old), o.Get(m)
		switch {
		case was == is || o.Name == "posts" && ActorOf(ctx) == Actor{}:
		case o.Name == "disabled" && old.Disabled.IsZero():
			add(Disabled, "", "", is)
		case o.Name == "disabled" && m.Disabled.IsZero():
			add(Enabled, "", was, "")
		default:
			add(Changed, o.Name, was, is)
		}
	}
	if old.Name != m.Name {
		add(Changed, "name", old.Name, m.Name)
	}
	if was, is := old.Address.String(), m.Address.String(); was != is { // another spelling
		add(Changed, "address", was, is)
	}
	return all
}

// Change adds and removes members.
func (s store) Change(ctx context.Context, list lists.Address, c lists.Change) (lists.Outcome, error) {
	out, err := s.Store.Change(ctx, list, c)
	if err == nil {
		s.log.note(list, changes(ctx, c, out, s.log.opts.Now()))
	}
	return out, err
}

// changes are what became of a change: few lines, however many members there are.
func changes(ctx context.Context, c lists.Change, out lists.Outcome, now time.Time) (all []record) {
	gone := event(ctx, Removed)
	if ActorOf(ctx).Own {
		gone.What = Left
	}
	gone.At = now
	all = append(all, forEach(gone, out.Removed)...)
	came := event(ctx, Joined)
	came.At = now
	others := make([]lists.Address, 0, len(out.Added))
	next := 0 // who was added is in the order of the change
	for i := range c.Add {
		m := &c.Add[i]
		if next == len(out.Added) {
			break
		}
		if m.Address != out.Added[next] {
			continue
		}
		next++
		options := optionsOf(m)
		if options == "" {
			others = append(others, m.Address)
			continue
		}
		e := came
		e.Member, e.New = m.Address.String(), options
		all = append(all, record{Event: e})
	}
	all = append(all, forEach(came, others)...)
	return append(all, renames(ctx, c, out, now)...)
}

// optionsOf are the options of a new member that are not the default ones.
func optionsOf(m *lists.Member) string {
	if plain(m) {
		return ""
	}
	var words []string
	for _, o := range lists.MemberOptionTable() {
		if v := o.Get(*m); v != o.Default {
			words = append(words, o.Name+"="+v)
		}
	}
	return strings.Join(words, " ")
}

// plain tells in no time who has no options: of a million members most have none.
func plain(m *lists.Member) bool {
	return !m.Moderated && !m.PostOK && m.Aliases == nil && m.Posts == 0 && !m.NoMeToo && m.Language == "" &&
		m.Delivery == "" && m.Before == "" && m.From == 0 && m.Earlier == nil && m.Suspended.IsZero() && m.Disabled.IsZero()
}

// renames are those who stay with a new name. What they were called before, the store does not tell.
func renames(ctx context.Context, c lists.Change, out lists.Outcome, now time.Time) (all []record) {
	if len(out.Renamed) == 0 {
		return nil
	}
	names := map[lists.Address]string{}
	for _, m := range c.Add {
		if m.Name != "" {
			names[m.Address] = m.Name
		}
	}
	for _, a := range out.Renamed {
		e := event(ctx, Changed)
		e.At, e.Member, e.Option, e.New = now, a.String(), "name", names[a]
		all = append(all, record{Event: e})
	}
	return all
}
