package forecast

import (
	"fmt"
	"math"
	"math/big"
	"strconv"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/filter"
	"github.com/equipoise-dp/equipoise/internal/pld"
)

// LeastLoss returns the least loss at a δ that holds for all the uses together, if
// they are declared before the first of them runs: the ε of the exact composition of
// their privacy loss distributions, rounded up to five digits. It is never below the
// exact one. An account takes a reservation of the uses that declares it, if it has
// as much left (see [Together]).
//
// It is within a part in a thousand of the exact one where each event has a law that is the worst:
// noise on numbers, thresholds, and whatever is known by an ε, or by an ε and a δ; noise on
// vectors ([dp.DiscreteLaplaceVector], [dp.CubeNorm]) counts by its ε. Of some events nobody knows the
// worst law, so that there is none to compose: those that declare a ρ, alone or beside an ε,
// [dp.AboveThreshold] and [dp.BoundedRange]. There it is the less of what dominates each of
// them and of their Rényi divergences: still never below, and less than three tenths above the
// worst law that is known of such events, where they have an ε. One with a ρ alone leaves only
// the divergences, of all events.
//
// Uses of which each is chosen after seeing answers cost what [Ways] says.
func LeastLoss(delta float64, uses ...Use) (dp.Approx, error) {
	if err := check(delta, uses); err != nil {
		return dp.Approx{}, err
	}
	whole := composed(uses)
	var c pld.Composition
	filter.Compose(&c, &whole)
	exactly := c.Epsilon(delta)
	if math.IsInf(exactly, 1) { // where all of δ is the events' own, it may be by the rounding of a sum
		exactly = declared(delta, uses)
	}
	for epsilon := upTo5(max(exactly, leastEpsilon)); epsilon < mostEpsilon; epsilon = upTo5(epsilon * (1 + 1e-5)) {
		loss := dp.Approx{Epsilon: epsilon, Delta: delta}
		if covers(loss, whole) {
			return loss, nil
		}
	}
	return dp.Approx{}, fmt.Errorf("forecast: no ε below %g holds for these uses at δ = %v; the δ of their own events alone may be more", mostEpsilon, delta)
}

// declared returns the sum of the ε that uses declare, if it holds for them at δ by basic
// composition (Dwork, Kenthapadi, McSherry, Mironov, Naor 2006, Theorem 1), and +Inf if not.
func declared(delta float64, uses []Use) float64 {
	epsilon, sum := new(big.Rat), new(big.Rat)
	for _, u := range uses {
		e, d, rho := dp.PartsOf(u.Charge.Loss).Exact()
		if rho.Sign() > 0 || !covers(u.Charge.Loss, u.Charge) {
			return math.Inf(1)
		}
		times := new(big.Rat).SetInt64(int64(u.Times))
		epsilon.Add(epsilon, e.Mul(e, times))
		sum.Add(sum, d.Mul(d, times))
	}
	all := upTo5(exact.FloatUp(epsilon))
	if sum.Cmp(exact.Decimal(delta)) > 0 || !covers(dp.Approx{Epsilon: all, Delta: delta}, composed(uses)) {
		return math.Inf(1)
	}
	return all
}

// Whoever spends nothing at all still has to declare a loss.
const (
	leastEpsilon = 1e-9
	mostEpsilon  = 1e6
)

// covers asks what an account would ask of a charge that declares the loss.
func covers(l dp.Loss, c dp.Charge) bool {
	c.Loss = l
	return filter.NewSetup(filter.Basic, 0, nil).FreshPrice(&c).Covered
}

// upTo5 rounds a positive number up to five digits, so that it can be read and written.
func upTo5(x float64) float64 {
	if !(x < math.MaxFloat64/2) {
		return math.Inf(1)
	}
	for up := x; ; up *= 1 + 1e-5 {
		y, err := strconv.ParseFloat(strconv.FormatFloat(up, 'e', 4, 64), 64)
		if err != nil || y >= x {
			return y
		}
	}
}
