package main

import (
	"math"
	"testing"
)

// A chart is too noisy to read where bands, of numbers or of what is unknown, fill
// more than half of it.
func TestChartsWhoseBandsFillThemAreTooNoisy(t *testing.T) {
	f := frame{low: 0, high: 100}
	narrow, wide := figure{Value: 50, Low: 40, High: 60}, figure{Value: 50, Low: -20, High: 95}
	open, unknown := figure{Value: 50, Low: 0, High: math.Inf(1)}, figure{Value: 50, Low: 0, High: 10, Unknown: true}
	for _, c := range []struct {
		name    string
		figures []figure
		noisy   bool
	}{
		{"narrow", []figure{narrow, narrow}, false},
		{"wide", []figure{wide, wide}, true},
		{"half and half", []figure{narrow, wide}, true},
		{"mostly narrow", []figure{narrow, narrow, wide}, false},
		{"without an end", []figure{open}, true},
		{"unknown", []figure{unknown}, true},
		{"just half", []figure{{Value: 50, Low: 25, High: 75}}, false},
	} {
		g := group{}
		for _, x := range c.figures {
			g.Rows = append(g.Rows, cells{Figures: []figure{x}})
		}
		if got := (&report{options: &options{}}).noisy(f, g, 0) != ""; got != c.noisy {
			t.Errorf("%s: too noisy is %v, must be %v", c.name, got, c.noisy)
		}
	}
}
