package main

import "math"

// tooNoisy is the share of a chart's height that bands fill, on average, from
// which on nobody should read the line between them.
const tooNoisy = 0.5

// noisy says in words that a chart cannot be read, and what would help; it is empty
// where the chart can be read. It follows from released numbers alone.
func (r *report) noisy(f frame, g group, i int) string {
	filled := 0.0
	for _, c := range g.Rows {
		filled += f.filled(c.Figures[i])
	}
	if !(filled > tooNoisy*float64(len(g.Rows))) {
		return ""
	}
	help := "a larger -epsilon or a longer -period"
	if r.By != "" {
		help = "a larger -epsilon, a longer -period, or fewer groups"
	}
	return "Too noisy to read: the band fills most of the picture. What would help: " + help + "."
}

// filled returns which share of the height a figure's band fills.
func (f frame) filled(x figure) float64 {
	if x.Unknown || math.IsInf(x.Low, 0) || math.IsInf(x.High, 0) {
		return 1
	}
	low, high := max(x.Low, f.low), min(x.High, f.high)
	return max(high-low, 0) / (f.high - f.low)
}
