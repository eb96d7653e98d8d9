package main

import (
	"math"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

func TestGrouped(t *testing.T) {
	for _, c := range []struct {
		x        float64
		decimals int
		want     string
	}{
		{0, 0, "0"}, {999, 0, "999"}, {1000, 0, "1,000"}, {-1234567.891, 2, "−1,234,567.89"},
		{-0.2, 0, "0"}, {0.5, 2, "0.50"}, {math.Inf(-1), 0, "−∞"},
	} {
		if got := grouped(c.x, c.decimals); got != c.want {
			t.Errorf("grouped(%v, %d) = %q, want %q", c.x, c.decimals, got, c.want)
		}
	}
}

// What is left is rounded down and what is spent is rounded up.
func TestLoss(t *testing.T) {
	l := dp.Approx{Epsilon: 1.23456, Delta: 1.5e-6}
	if got := loss(l, false); got != "ε=1.23 δ=1.5e-06" {
		t.Errorf("left: %s", got)
	}
	if got := loss(l, true); got != "ε=1.24 δ=1.5e-06" {
		t.Errorf("spent: %s", got)
	}
	if got := loss(nil, false); got != "nothing" {
		t.Errorf("nothing: %s", got)
	}
	if got := loss(dp.Pure{Epsilon: 3}, true); got != "ε=3" {
		t.Errorf("a round number: %s", got)
	}
}

func TestStep(t *testing.T) {
	for width, want := range map[float64]float64{250: 1, 255: 1, 256: 2, 500: 2, 7000: 50, 0.2: 0.001, 1e6: 5000} {
		if got := stepFor(width); got != want {
			t.Errorf("stepFor(%v) = %v, want %v", width, got, want)
		}
	}
}

func TestNiceStep(t *testing.T) {
	for span, want := range map[float64]float64{10: 2, 9642: 2000, 0: 1, 1: 0.2, 390000: 100000} {
		if got := niceStep(span); math.Abs(got-want) > 1e-9 {
			t.Errorf("niceStep(%v) = %v, want %v", span, got, want)
		}
	}
}
