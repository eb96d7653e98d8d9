package dptest

import (
	"testing"

	"github.com/equipoise-dp/equipoise/internal/core"
)

// NoNoise removes all noise until t ends, so that a test can compare a release
// with what it expects, by ==: every column is the exact number after bounding and
// rounding to the grid, correctly rounded to its type. (A float is on the grid
// that Bounds names; without a Step that is a grid of binary fractions.) Groups that would be
// selected are all released, and a mean of no records is unknown. It
// affects the whole process, so it cannot be used in parallel tests, and it
// panics in a binary that is not a test.
func NoNoise(t *testing.T) {
	if !testing.Testing() {
		panic("dptest: NoNoise is used in a binary that is not a test")
	}
	t.Setenv("EQUIPOISE_NO_NOISE", "for this test only") // fails in parallel tests, as wanted
	core.SetNoiseless(true)
	t.Cleanup(func() { core.SetNoiseless(false) })
}
