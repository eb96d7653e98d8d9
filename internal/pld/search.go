package pld

import (
	"math"

	"github.com/equipoise-dp/equipoise/internal/search"
)

// The searches below return only arguments at which the predicate was seen to hold.
// The predicate compares a directed bound, so what they return is right whatever
// the guess was, and however the bound is rounded.

// least returns a positive x at which fits holds, close to the smallest such x.
// fits must be false near 0 and, round-off aside, stay true once true. It returns
// +Inf if no finite x was found.
func least(guess float64, fits func(float64) bool) float64 {
	bad, good := math.NaN(), math.NaN()
	x := sane(guess)
	for step := 0x1p-48; math.IsNaN(bad) || math.IsNaN(good); step *= 8 {
		if fits(x) {
			good = x
			x /= 1 + step
		} else {
			bad = x
			x *= 1 + step
		}
		if math.IsInf(x, 1) {
			if bad == math.MaxFloat64 {
				return x
			}
			x = math.MaxFloat64
		}
		if x == 0 {
			return good
		}
	}
	return narrow(bad, good, fits)
}

// greatest returns an x >= 0 at which fits holds, close to the largest such x, or 0
// if there is none. fits must hold near 0 and, round-off aside, stay false once
// false.
func greatest(guess float64, fits func(float64) bool) float64 {
	bad, good := math.NaN(), math.NaN()
	x := sane(guess)
	for step := 0x1p-48; math.IsNaN(bad) || math.IsNaN(good); step *= 8 {
		if fits(x) {
			good = x
			x *= 1 + step
		} else {
			bad = x
			x /= 1 + step
		}
		if x == 0 {
			return 0
		}
		if math.IsInf(x, 1) {
			return good
		}
	}
	return narrow(bad, good, fits)
}

// narrow halves the gap between bad and good until it is below 1e-14, relatively,
// and returns good.
func narrow(bad, good float64, fits func(float64) bool) float64 {
	good, _ = search.Edge(good, bad, search.Relative(1e-14), fits)
	return good
}

// sane turns a failed guess into a usable starting point.
func sane(guess float64) float64 {
	if !(guess > 0) || math.IsInf(guess, 1) {
		return 1
	}
	return guess
}
