package aggregate

import (
	"math"

	"github.com/equipoise-dp/equipoise/internal/search"
)

// A decay is how values are spread over their bounds, from 0 to 1, if nothing but their mean
// is known: with a density that falls as e^-κx, or rises. It is the law of the largest entropy
// with that mean (Jaynes 1957). Of 0 it is even.
type decay float64

const evenly decay = 0

// steepest is a decay beyond which values are as good as all at one end.
const steepest = 500

// withMean returns the decay of a mean between 0 and 1.
func withMean(mean float64) decay {
	far, near := -float64(steepest), float64(steepest)
	if decay(far).mean() <= mean {
		return decay(far)
	}
	edge, _ := search.Edge(far, near, search.Absolute(1e-9), func(k float64) bool { return decay(k).mean() > mean })
	return decay(edge)
}

func (k decay) flat() bool { return math.Abs(float64(k)) < 1e-6 }

func (k decay) mean() float64 {
	if k.flat() {
		return 0.5
	}
	return 1/float64(k) - 1/math.Expm1(float64(k))
}

// quantile returns where a rank is.
func (k decay) quantile(rank float64) float64 {
	if k.flat() {
		return rank
	}
	return -math.Log1p(rank*math.Expm1(-float64(k))) / float64(k)
}

func (k decay) density(at float64) float64 {
	if k.flat() {
		return 1
	}
	return float64(k) * math.Exp(-float64(k)*at) / -math.Expm1(-float64(k))
}
