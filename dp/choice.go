package dp

import (
	"errors"
	"fmt"
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/calibrate"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/sample"
)

// A Choice draws the best of some candidates by their scores, and shows no score. It is the
// exponential mechanism (McSherry, Talwar 2007), with a door of its own: candidates and scores
// are the program's. It is immutable and safe for concurrent use; the zero Choice is not valid.
type Choice struct{ *choice }

type choice struct {
	loss  Loss
	k     int
	width int64
	each  *big.Rat // bounded range of a draw
	decay *sample.Decay
}

// mostChosen is how many candidates a Choice may draw.
const mostChosen = 1 << 20

// CalibrateChoice returns the choice of k candidates that hides one unit, up to loss. A unit
// moves every score by an amount in a range of width Width that holds 0: all scores by 0
// to Width, if a unit can only make scores larger, as counts are; by -Width/2 to
// Width/2, if either way. It returns every mistake at once.
//
//   - One candidate with [Pure] or [Approx] is drawn by permute-and-flip (McKenna, Sheldon
//     2020), which is never farther from the best than the exponential mechanism is.
//   - Else each is drawn among those that are left, with weights exp(ε·score/Width): what
//     adding Gumbel noise once and taking the largest k gives (Durfee, Rogers 2019). Each draw has
//     bounded range ε, of which there are k, so that with a δ or a ρ losses add up as squares do.
//
// Proof: docs/proofs/top-k.md.
func CalibrateChoice(loss Loss, k int, width int64) (Choice, error) {
	errs := []error{CheckLoss(loss)}
	if k < 1 || k > mostChosen {
		errs = append(errs, fmt.Errorf("dp: a choice of %d candidates, must be 1 to %d", k, mostChosen))
	}
	if width < 1 {
		errs = append(errs, fmt.Errorf("dp: width is %d, must be at least 1: how far apart a unit can move two scores", width))
	}
	if err := errors.Join(errs...); err != nil {
		return Choice{}, err
	}
	epsilon, delta, rho := PartsOf(loss).Exact()
	each := calibrate.Choice(epsilon, delta, rho, k)
	decay, err := sample.NewDecay(new(big.Rat).Quo(each, new(big.Rat).SetInt64(width)))
	if err != nil {
		return Choice{}, fmt.Errorf("dp: a choice: %w", err)
	}
	return Choice{&choice{loss, k, width, each, decay}}, nil
}

// flips reports whether the one candidate is drawn by permute-and-flip, which is worth its
// ε where ε is what counts; a ρ allows the exponential mechanism twice the rate.
func (c Choice) flips() bool {
	return c.k == 1 && PartsOf(c.loss).Rho == 0
}

// Among returns the places of the candidates that are chosen, in the order in which they were drawn,
// most likely that of their scores: all of them, if there are no more than the choice
// has draws, and none of none. It is private up to the loss of the choice, for one unit that moves the
// scores within its width. How many scores there are is not hidden. Every further call draws anew and costs anew.
func (c Choice) Among(scores []int64) (chosen []int) {
	if len(scores) == 0 {
		return nil
	}
	core.InSession(func(session *core.Session) {
		if c.flips() {
			chosen = []int{session.Flip(c.decay, scores)}
			return
		}
		chosen = session.Top(c.decay, scores, min(c.k, len(scores)))
	})
	return chosen
}

// Event returns what an accountant needs to know of one choice.
func (c Choice) Event() Event {
	e := Event{Mechanism: BoundedRange, Epsilon: c.each, Count: c.k}
	if c.flips() {
		e.Mechanism = PermuteAndFlip
	}
	return e.Clone()
}

// StdDev returns the standard deviation of the noise that would choose alike if it were added to
// every score once, and the largest were taken: Gumbel's, or for permute-and-flip that of the exponential law
// (Ding, Kifer, Saghaian, Steinke, Wang, Xiao, Zhang 2021).
func (c Choice) StdDev() float64 {
	scale := c.scale()
	if c.flips() {
		return scale
	}
	return scale * math.Pi / math.Sqrt(6)
}

// scale returns Width/ε.
func (c Choice) scale() float64 {
	scale, _ := new(big.Rat).Quo(new(big.Rat).SetInt64(c.width), c.each).Float64()
	return scale
}

// Margin returns how much larger the score of one that is left out may be than that of one that is
// chosen, of so many candidates: with the given confidence no pair of them is farther apart
// (McSherry, Talwar 2007, Lemma 7, and a union bound over the draws). It depends on no score.
func (c Choice) Margin(confidence float64, candidates int) float64 {
	if candidates <= c.k {
		return 0
	}
	if !(confidence < 1) {
		return math.Inf(1)
	}
	return c.scale() * (math.Log(float64(candidates)) + math.Log(float64(c.k)/(1-max(confidence, 0))))
}
