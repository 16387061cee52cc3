package main

import (
	"math"
	"slices"
)

// series are the values of one column, one a round.
type series []float64

func (s series) median() float64 { return s.quantile(0.5) }

// quantile returns the smallest value that at least that part of the series does not exceed.
func (s series) quantile(q float64) float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}

// over divides round by round: a round that was slow for all then counts like any other.
func (s series) over(t series) series {
	out := make(series, len(s))
	for i := range out {
		out[i] = s[i] / t[i]
	}
	return out
}

func (s series) minus(t series) series {
	out := make(series, len(s))
	for i := range out {
		out[i] = s[i] - t[i]
	}
	return out
}
