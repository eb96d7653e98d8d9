package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/equipoise-dp/equipoise/dp"
)

// The statement says a loss as odds. Under ε-differential privacy the odds of
// two hypotheses about one unit, such as that it is in the data or not, change by
// a factor of at most e^ε, whatever else an observer knows (Wasserman, Zhou 2010,
// Theorem 2.4; Kasiviswanathan, Smith 2014).

// A row of odds says what someone who held something for so likely before may at
// most hold it for after.
type row struct {
	Before    string
	Now, Most cell // after what is published, and after the whole limit
}

type cell struct {
	Text       string
	Old, Added float64 // widths of a bar, in percent
}

// priors are what an observer holds for likely before.
var priors = []float64{0.01, 0.1, 0.5}

func rowsOf(now, most float64) []row {
	rows := make([]row, len(priors))
	for i, p := range priors {
		rows[i] = row{likely(p), cellOf(p, now), cellOf(p, most)}
	}
	return rows
}

func cellOf(prior, epsilon float64) cell {
	q := posterior(prior, epsilon)
	return cell{likely(q), 100 * prior, math.Min(100*(q-prior), 100*(1-prior))}
}

// posterior is the most that something can be held for.
func posterior(prior, epsilon float64) float64 {
	return 1 / (1 + (1-prior)/prior*math.Exp(-epsilon))
}

// likely writes a probability in percent, rounded up.
func likely(p float64) string {
	tenths := math.Ceil(p*1000 - 1e-9)
	switch {
	case tenths >= 1000:
		return "almost 100 %"
	case tenths < 100 || tenths >= 990:
		return strings.Replace(fmt.Sprintf("%.1f %%", tenths/10), ".0 ", " ", 1)
	}
	return fmt.Sprintf("%.0f %%", math.Ceil(tenths/10))
}

// times writes the factor e^ε, rounded up.
func times(epsilon float64) string {
	switch f := math.Exp(epsilon); {
	case f >= 1e18:
		return "a number of more than 18 digits"
	case f >= 1e6:
		return grouped(int64(math.Pow10(int(math.Ceil(math.Log10(f))))))
	case f >= 100:
		return grouped(int64(math.Ceil(f)))
	default:
		return strconv.FormatFloat(math.Ceil(f*100-1e-9)/100, 'f', -1, 64)
	}
}

// grouped writes an integer with thin spaces between thousands.
func grouped(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

// deltaOfRho is the δ at which ρ is said as an ε, beside its own.
const deltaOfRho = 1e-6

// pairOf returns ε and δ of a loss, and those that a ρ implies.
func pairOf(l dp.Loss) (epsilon, delta float64) {
	p := dp.PartsOf(l)
	if p.Rho > 0 {
		return dp.Concentrated{Rho: p.Rho}.Approx(deltaOfRho).Epsilon, p.Delta + deltaOfRho
	}
	return p.Epsilon, p.Delta
}

// oneIn writes a small probability as one in so many, rounded up.
func oneIn(delta float64) string {
	n := math.Floor(1/delta*(1+1e-12) + 1e-9)
	if n >= 1e15 {
		return fmt.Sprintf("%.1g", delta)
	}
	return "1 in " + grouped(int64(math.Max(n, 1)))
}
