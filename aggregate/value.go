package aggregate

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/grid"
)

// Bounds limit a value. They are public: choose them from what is known without
// looking at the rows. What is outside is clamped, so narrow bounds cut off and
// wide bounds cost noise.
type Bounds[T dp.Number] struct {
	Lower, Upper T

	// Step is the grid that values are rounded to: to its nearest multiple, and
	// halves up. It is a number such as 0.01, for cents, and a power of two where T
	// is an integer type. If 0, the plan chooses a power of two that is far below
	// the noise, and says which; for integers it is 1 unless the noise is very large.
	Step T
}

// A Value is a number about rows, or about all rows that a unit has in a group.
// [PerRow] and [PerUnit] make one.
type Value[T dp.Number] struct {
	query any
	value *value
}

// PerRow returns a value of rows. Bounds are on the value of one row.
//
// The name stands in price lists, receipts and reports. See the package
// documentation for NaN and other odd values.
func PerRow[T dp.Number, Row any, Unit, Group comparable](q *Query[Row, Unit, Group], name string, of func(Row) T, b Bounds[T]) *Value[T] {
	return newValue(q, name, of, b, false)
}

// PerUnit returns a value of units: the sum of a number over the rows that a unit
// has in a group. Bounds and Step are of this sum: rows are added up exactly, and
// the total is clamped and rounded once, when it is complete. So Sum adds up all
// rows, and Mean and Quantile are over units, not over rows. Where units have
// several rows in a group, a bound per unit costs less noise than one per row.
func PerUnit[T dp.Number, Row any, Unit, Group comparable](q *Query[Row, Unit, Group], name string, of func(Row) T, b Bounds[T]) *Value[T] {
	return newValue(q, name, of, b, true)
}

// Sum asks for the sum of the value in a group. Sums of integers are exact
// integers before noise and after it; the type must have 64 bits, so that they
// fit. A sum beyond what 64 bits hold is released as the last number there is,
// and its interval then reaches from end to end.
func (v *Value[T]) Sum() Column[T] {
	return Column[T]{column{query: v.query, value: v.value, kind: kindSum}}
}

// Mean asks for the mean of the value in a group. It is unknown where the noise is
// as large as the number of records. Sum, Mean, Variance and StdDev
// of one value, and the count behind them, are paid for once.
func (v *Value[T]) Mean() Column[float64] {
	return Column[float64]{column{query: v.query, value: v.value, kind: kindMean}}
}

// Variance asks for the population variance of the value in a group.
func (v *Value[T]) Variance() Column[float64] {
	return Column[float64]{column{query: v.query, value: v.value, kind: kindVariance}}
}

// StdDev asks for the population standard deviation of the value in a group.
func (v *Value[T]) StdDev() Column[float64] {
	return Column[float64]{column{query: v.query, value: v.value, kind: kindStdDev}}
}

// Quantile asks for a quantile of the value in a group: the smallest value that
// at least this share of the values does not exceed. The rank must be in (0, 1).
// Ranks are rounded to millionths where they are drawn. The largest and the smallest value are one unit's, so there is no
// column for them: a rank near 1 or 0 says how far values go, about as many units from the end as noise hides.
//
// All quantiles of a value share one part of the loss. Few of them are drawn one by
// one, which is most accurate, and a third of their part pays for the ends of intervals,
// read from noisy counts around them; [Value.QuantileWithoutInterval] spends all of it on
// the quantile. Many are read from a tree of noisy counts, intervals too. [Plan.Prices]
// says which, why, and what either costs.
func (v *Value[T]) Quantile(rank float64) Column[T] {
	return Column[T]{column{query: v.query, value: v.value, kind: kindQuantile, rank: rank}}
}

// QuantileWithoutInterval asks for a quantile of which nothing is paid to know how far
// it is off: it is nearer to the truth than one with an interval is at the same loss,
// and nobody can say how near. Its interval is all that the bounds allow, at every
// confidence, and its StdDev is half of that. If other quantiles of the same value have
// intervals, nothing is saved.
func (v *Value[T]) QuantileWithoutInterval(rank float64) Column[T] {
	return Column[T]{column{query: v.query, value: v.value, kind: kindQuantile, rank: rank, bare: true}}
}

// value is a Value without its types.
type value struct {
	name                string
	perUnit             bool
	integer             bool
	bits                int      // of its type
	duration            bool     // its type is time.Duration
	lower, upper, asked *big.Rat // asked is the step, or nil
	err                 error    // mistakes of the bounds
	missing             bool     // no function was given
	badStep             bool     // a step was given that is no number

	most int // of the different values of a unit in a group that count, where these are what is counted; else 0

	cut     *value // tells what the bounds of this one cut; itself where it has mistakes
	*beyond        // of a value that is a Cut itself

	// bind returns a func(Row) int64: the point of a row on the grid, or an amount
	// that a [total] adds up.
	bind func(*grid.Grid) any
}

func newValue[T dp.Number, Row any, Unit, Group comparable](q *Query[Row, Unit, Group], name string, of func(Row) T, b Bounds[T], perUnit bool) *Value[T] {
	v := &value{
		name: name, perUnit: perUnit, integer: isInteger[T](), bits: reflect.TypeFor[T]().Bits(), missing: of == nil,
		duration: reflect.TypeFor[T]() == reflect.TypeFor[time.Duration](),
		lower:    ratOf(b.Lower), upper: ratOf(b.Upper),
	}
	if b.Step != 0 {
		v.asked = ratOf(b.Step)
		v.badStep = v.asked == nil
	}
	v.err = v.check(fmt.Sprint(b.Lower), fmt.Sprint(b.Upper), fmt.Sprint(b.Step))
	v.bind = func(g *grid.Grid) any { return bind(of, g, perUnit) }
	if v.cut = v; v.err == nil {
		v.cut = newCut(v, of)
	}
	return &Value[T]{query: q.identity(), value: v}
}

func bind[T dp.Number, Row any](of func(Row) T, g *grid.Grid, perUnit bool) func(Row) int64 {
	switch integer := isInteger[T](); {
	case integer && perUnit:
		return func(r Row) int64 { return clampedInt(of(r)) }
	case integer:
		return func(r Row) int64 { return g.Int(clampedInt(of(r))) }
	case perUnit:
		return func(r Row) int64 { return int64(math.Float64bits(float64(of(r)))) }
	}
	return func(r Row) int64 { return g.Float(float64(of(r))) }
}

// clampedInt returns x as an int64; a uint64 beyond is the largest.
func clampedInt[T dp.Number](x T) int64 {
	if x > 0 && int64(x) < 0 {
		return 1<<63 - 1
	}
	return int64(x)
}

func isInteger[T dp.Number]() bool {
	switch reflect.TypeFor[T]().Kind() {
	case reflect.Float32, reflect.Float64:
		return false
	}
	return true
}

// ratOf returns x exactly: floats as the decimals that were written. It returns
// nil for NaN and infinities.
func ratOf[T dp.Number](x T) *big.Rat {
	switch v := reflect.ValueOf(x); {
	case v.CanInt():
		return new(big.Rat).SetInt64(v.Int())
	case v.CanUint():
		return new(big.Rat).SetUint64(v.Uint())
	case v.Kind() == reflect.Float32:
		r, _ := new(big.Rat).SetString(strconv.FormatFloat(v.Float(), 'g', -1, 32)) // NaN and infinities do not parse
		return r
	default:
		return exact.Decimal(v.Float())
	}
}

func (v *value) check(lower, upper, step string) error {
	var errs []error
	fail := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("aggregate: value %q: "+format, append([]any{v.name}, args...)...))
	}
	if v.name == "" {
		errs = append(errs, errors.New("aggregate: a value has no name"))
	}
	if v.missing {
		fail("no function given")
	}
	switch {
	case v.lower == nil:
		fail("lower bound is %s, must be finite", lower)
	case v.upper == nil:
		fail("upper bound is %s, must be finite", upper)
	case v.lower.Cmp(v.upper) >= 0:
		fail("lower bound is %s, must be below the upper bound %s", lower, upper)
	case !v.integer && !v.moderate():
		fail("bounds are [%s, %s], must be within ±1e150 and at least 1e-150 apart", lower, upper)
	case v.badStep || v.asked != nil && v.asked.Sign() <= 0:
		fail("step is %s, must be positive, or 0 for the plan to choose", step)
	case v.asked != nil && v.asked.Cmp(new(big.Rat).Sub(v.upper, v.lower)) > 0:
		fail("step is %s, must be at most the distance of the bounds [%s, %s]", step, lower, upper)
	case v.asked != nil && v.integer && !powerOfTwo(v.asked):
		fail("step is %s, must be a power of two for integers", step)
	case v.asked != nil && grid.New(v.lower, v.upper, v.asked) == nil:
		fail("step is %s, so fine that [%s, %s] has more than 2^62 of them", step, lower, upper)
	case v.integer && (!v.upper.Num().IsInt64() || grid.New(v.lower, v.upper, big.NewRat(4, 1)) == nil):
		fail("bounds [%s, %s] are wider than 2^63, or beyond what an int64 holds", lower, upper)
	}
	return errors.Join(errs...)
}

// moderate reports whether squares of the bounds, and of their distance, are
// floats.
func (v *value) moderate() bool {
	low, _ := v.lower.Float64()
	high, _ := v.upper.Float64()
	return max(-low, high) <= 1e150 && high-low >= 1e-150
}

func powerOfTwo(r *big.Rat) bool {
	n := r.Num()
	return r.IsInt() && n.TrailingZeroBits() == uint(n.BitLen()-1)
}

// granular reports whether the steps of a value are given and few enough for each
// to be a leaf.
func (v *value) granular() bool {
	step := v.asked
	if step == nil && v.integer {
		step = big.NewRat(1, 1)
	}
	if step == nil {
		return false
	}
	steps := new(big.Rat).Sub(v.upper, v.lower)
	return steps.Quo(steps, step).Cmp(big.NewRat(mostLeaves, 1)) < 0
}
