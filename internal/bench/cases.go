package main

import "context"

// benchCase is one line of the report.
type benchCase struct {
	name    string
	columns []string // what is compared; superlistd is the last one
	unit    string
	figure  figure
	also    figure // what result.also has to reach
	run     func(context.Context, *rig) (result, error)
}

// result is what a case measured: a series for each column, with one value a round. A case whose
// ratio is no quotient of the last two columns gives its own verdict series.
type result struct {
	series  []series
	verdict series // compared with the figure
	also    series // compared with another one
	left    string // why the case was left out
	note    string
}

// figure is what is to be reached.
type figure struct {
	bound  float64 // 0: none
	atMost bool
	unit   string
}

// The columns of a table; lines with the same ones stand together.
var (
	road      = []string{"direct", "raw", "superlistd"}
	expanding = []string{"raw", "superlistd"}
	filters   = []string{"no filter", "null filter", "raw", "superlistd"}
	alone     = []string{"superlistd"}
	syncing   = []string{"two fsyncs", "through", "spool"}
	guarding  = []string{"unguarded", "guarded"}
	company   = []string{"alone", "beside"}
	mailLists = []string{"mlmmj", "its best", "raw", "spool", "through"}
)

// cases are all measurements, with the figures that they have to reach.
func cases() []benchCase {
	relay := func(name string, l load, bound float64) benchCase {
		return benchCase{name: "relay/" + name, columns: road, unit: "messages/s", figure: figure{bound: bound, unit: "of raw"}, run: l.run}
	}
	post := func(l large) benchCase {
		return benchCase{
			name: l.name(), columns: expanding, unit: "members/s", figure: figure{bound: 0.5, unit: "of raw"},
			also: figure{bound: 64, atMost: true, unit: "MB resident"}, run: l.run,
		}
	}
	return []benchCase{
		relay("1KiB/10/kept", load{size: 1 << 10, sessions: 10, kept: true, messages: 8000}, 0.55),
		relay("1KiB/10/new", load{size: 1 << 10, sessions: 10, messages: 2500}, 0.8),
		relay("10KiB/10/kept", load{size: 10 << 10, sessions: 10, kept: true, messages: 5000}, 0),
		relay("10KiB/10/new", load{size: 10 << 10, sessions: 10, messages: 2000}, 0),
		relay("10KiB/50/kept", load{size: 10 << 10, sessions: 50, kept: true, messages: 5000}, 0),
		relay("1MiB/10/kept", load{size: 1 << 20, sessions: 10, kept: true, messages: 120}, 0.7),
		{name: "latency/10KiB", columns: road, unit: "µs", figure: figure{bound: 150, atMost: true, unit: "µs above direct"}, run: latency},
		{name: "expand/1000", columns: expanding, unit: "members/s", figure: figure{bound: 0.5, unit: "of raw"}, run: expand(1, 60)},
		{name: "expand/20000", columns: expanding, unit: "members/s", figure: figure{bound: 0.5, unit: "of raw"}, run: expand(20, 6)},
		post(large{members: 100_000, posts: 3, rounds: 5}),
		post(large{spooled: true, members: 100_000, posts: 3, rounds: 5}),
		post(large{members: 1_000_000, posts: 1, rounds: 3, memory: true}),
		post(large{spooled: true, members: 1_000_000, posts: 1, rounds: 3, memory: true}),
		{name: "accept/spool", columns: syncing, unit: "µs", figure: figure{bound: 2, atMost: true, unit: "fsyncs above through"}, run: accept},
		{name: "guard/10", columns: guarding, unit: "µs", figure: figure{bound: 1.2, atMost: true, unit: "of unguarded"}, run: guarded},
		{name: "beside/100000", columns: company, unit: "ms", figure: figure{bound: 100, atMost: true, unit: "ms above alone"}, run: beside},
		{name: "personal/5000", columns: expanding, unit: "members/s", figure: figure{bound: 0.8, unit: "of raw"}, run: personal},
		{name: "mlmmj/20000", columns: mailLists, unit: "members/s", figure: figure{unit: "times mlmmj at its best"}, run: sideBySide},
		{name: "postfix/inject", columns: expanding, unit: "members/s", figure: figure{bound: 0.95, unit: "of raw"}, run: inject},
		{name: "postfix/inject/xverp", columns: expanding, unit: "members/s", figure: figure{bound: 0.95, unit: "of raw"}, run: injectVERP},
		{name: "postfix/10KiB/10/new", columns: filters, unit: "messages/s", figure: figure{bound: 0.85, unit: "of null filter"}, run: throughPostfix},
		{name: "memory/relay/50x10MiB", columns: alone, unit: "MB resident", figure: figure{bound: 64, atMost: true, unit: "MB"}, run: memory(outside)},
		{name: "memory/post/50x10MiB", columns: alone, unit: "MB resident", figure: figure{bound: 64, atMost: true, unit: "MB"}, run: memory(smallList)},
		{name: "spawn", columns: alone, unit: "ms to banner", figure: figure{bound: 15, atMost: true, unit: "ms"}, run: spawn},
	}
}
