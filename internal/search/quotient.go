package search

import "math"

// Quotient returns how far the interval of a quotient n/d reaches from its estimate to one
// end of its range, which may be infinite: to the first r that the noise in n - r·d refutes
// (Fieller 1954), seen as near as asked and on the outer side of it; or to the end if that is
// not refuted. Who asks knows which law that noise has. What is refuted on the way must be all
// from some r on. An estimate that is refuted itself, as where it was cut off, is the end.
func Quotient(estimate, end float64, near func(yes, no float64) bool, refuted func(r float64) bool) float64 {
	outside := end
	if math.IsInf(end, 0) {
		outside = outward(estimate, end, refuted)
	}
	switch {
	case math.IsInf(outside, 0) || !refuted(outside):
		return end
	case refuted(estimate):
		return estimate
	}
	outside, _ = Edge(outside, estimate, near, refuted)
	return outside
}

// outward takes longer and longer steps towards an infinite end, until a number is refuted.
func outward(estimate, end float64, refuted func(float64) bool) float64 {
	step := math.Copysign(max(math.Abs(estimate), 1e-9), end)
	for !refuted(estimate+step) && !math.IsInf(estimate+step, 0) {
		step *= 2
	}
	return estimate + step
}
