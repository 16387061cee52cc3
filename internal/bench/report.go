package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// report prints a line for each case when it is known, and the verdicts at the end.
type report struct {
	w       io.Writer
	columns []string
	reached []string
	missed  []string
	left    []string
}

func newReport(w io.Writer) *report { return &report{w: w} }

// machine says where and how the figures were taken: without that they mean little.
func (p *report) machine(s settings) {
	fmt.Fprintf(p.w, "%d CPUs, %s, %s %s/%s, %s; median of %d rounds\n",
		runtime.NumCPU(), processor(), runtime.Version(), runtime.GOOS, runtime.GOARCH, postfixVersion(), s.rounds)
	if s.quick {
		fmt.Fprintln(p.w, "-quick: too few messages for figures that mean anything")
	}
}

func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	for line := range strings.Lines(string(info)) {
		if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

func postfixVersion() string {
	out, err := exec.Command(sbin("postconf"), "-dh", "mail_version").Output()
	if err != nil {
		return "Postfix of an unknown version"
	}
	return "Postfix " + strings.TrimSpace(string(out))
}

// add prints the line of one case, under a head of its columns where they change.
func (p *report) add(c benchCase, res result) {
	if !slices.Equal(p.columns, c.columns) {
		p.columns = c.columns
		fmt.Fprintf(p.w, "\n%-22s", "")
		for _, column := range c.columns {
			fmt.Fprintf(p.w, "%12s", column)
		}
		fmt.Fprintln(p.w)
	}
	if res.left != "" {
		fmt.Fprintf(p.w, "%-22s left out: %s\n", c.name, res.left)
		p.left = append(p.left, c.name)
		return
	}
	fmt.Fprintf(p.w, "%-22s", c.name)
	for _, s := range res.series {
		fmt.Fprintf(p.w, "%12s", number(s.median()))
	}
	fmt.Fprintf(p.w, " %-12s %s", c.unit, p.verdict(c.name, c.figure, res.verdict))
	if len(res.also) > 0 {
		fmt.Fprintf(p.w, "; %s", p.verdict(c.name+" in "+c.also.unit, c.also, res.also))
	}
	if res.note != "" {
		fmt.Fprintf(p.w, "; %s", res.note)
	}
	fmt.Fprintln(p.w)
}

// verdict compares the median of the rounds with the figure, and shows the spread.
func (p *report) verdict(name string, want figure, s series) string {
	got := s.median()
	text := number(got) + " " + want.unit
	if len(s) > 1 {
		text += fmt.Sprintf(" (%s to %s)", number(slices.Min(s)), number(slices.Max(s)))
	}
	if want.bound == 0 {
		return text
	}
	word, ok := "at least ", got >= want.bound
	if want.atMost {
		word, ok = "at most ", got <= want.bound
	}
	text += ", " + word + number(want.bound)
	if ok {
		p.reached = append(p.reached, name)
		return text + ": reached"
	}
	p.missed = append(p.missed, name)
	return text + ": MISSED"
}

func (p *report) summary() {
	fmt.Fprintf(p.w, "\n%d figures reached", len(p.reached))
	for word, names := range map[string][]string{"missed": p.missed, "left out": p.left} {
		if len(names) > 0 {
			fmt.Fprintf(p.w, "; %s: %s", word, strings.Join(names, ", "))
		}
	}
	fmt.Fprintln(p.w)
}

// number prints three significant digits, thousands apart.
func number(f float64) string {
	switch abs := math.Abs(f); {
	case abs < 10:
		return strconv.FormatFloat(f, 'f', 2, 64)
	case abs < 100:
		return strconv.FormatFloat(f, 'f', 1, 64)
	}
	digits := strconv.FormatFloat(f, 'f', 0, 64)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
