package forecast

import (
	"fmt"
	"math/big"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/filter"
	"github.com/equipoise-dp/equipoise/internal/pld"
)

// A Profile is a privacy profile: for each ε the least δ that holds with it (Balle, Barthe,
// Gaboardi 2018, Definition 4), as far as is known, and never less. It says more than any one
// (ε, δ): the same charges may have (0.5, 1e-4) and (1, 1e-9). The zero Profile is that of
// nothing.
type Profile struct {
	whole pld.Composition
	says  *dp.Parts // an ε and a δ that hold, whatever rounding up makes of them; nil if none are known
}

// ProfileOf returns the profile of all the uses together, if they are declared before the
// first of them runs: that of the exact composition of their privacy loss distributions.
// Uses of which each is chosen after seeing answers have that of what an account counts:
// see [ProfileOfLoss].
func ProfileOf(uses ...Use) (*Profile, error) {
	if err := check(0.5, uses); err != nil { // of any δ
		return nil, err
	}
	whole := composed(uses)
	p := new(Profile)
	filter.Compose(&p.whole, &whole)
	return p, nil
}

// ProfileOfLoss returns the profile of whatever is as private as a loss says: of the limit of
// an account, of what it has spent, however its charges were chosen, or of what a charge
// declares. No mechanism with that loss has more. Of nil, which is nothing, it is that of
// nothing.
func ProfileOfLoss(l dp.Loss) (*Profile, error) {
	p := new(Profile)
	if l == nil {
		return p, nil
	}
	parts := dp.PartsOf(l)
	if parts.Epsilon != 0 || parts.Rho != 0 || parts.Delta == 0 { // what was spent may be a δ alone, which is no loss
		if err := dp.CheckLoss(l); err != nil {
			return nil, fmt.Errorf("forecast: %w", err)
		}
	}
	epsilon, delta, rho := parts.Exact()
	worst := dp.Event{Mechanism: dp.Declared, Count: 1, Epsilon: positive(epsilon), Delta: positive(delta), Rho: positive(rho)}
	if err := worst.Check(); err != nil {
		return nil, fmt.Errorf("forecast: the loss %v: %w", l, err)
	}
	filter.Compose(&p.whole, &dp.Charge{Events: []dp.Event{worst}})
	if parts.Rho == 0 {
		p.says = &parts
	}
	return p, nil
}

func positive(x *big.Rat) *big.Rat {
	if x.Sign() <= 0 {
		return nil
	}
	return x
}

// Delta returns the δ that holds at an ε, rounded up. It is 1 if ε is negative or NaN.
func (p *Profile) Delta(epsilon float64) float64 {
	delta := p.whole.Delta(epsilon)
	if p.says != nil && epsilon >= p.says.Epsilon {
		return min(delta, p.says.Delta)
	}
	return delta
}

// Epsilon returns the ε that holds at a δ, rounded up; +Inf if none does, or δ is negative or
// NaN.
func (p *Profile) Epsilon(delta float64) float64 {
	epsilon := p.whole.Epsilon(delta)
	if p.says != nil && delta >= p.says.Delta {
		return min(epsilon, p.says.Epsilon)
	}
	return epsilon
}
