package aggregate

import (
	"math"
	"math/big"
	"reflect"

	"github.com/equipoise-dp/equipoise/dp"
)

// typed gives an estimate the type of its column. Integers are rounded to
// nearest and never pass through a float.
func typed[T dp.Number](raw estimate) dp.Estimate[T] {
	e := raw.limited()
	if e.unknown {
		return dp.NewUnknown(toNumber[T](e.within.least, -1), toNumber[T](e.within.most, 1))
	}
	value := toNumber[T](e.value, 0)
	spread := typedSpread[T]{estimate: e, value: value}
	if raw.linear {
		return dp.NewEstimate(value, e.stdDev, dp.Spread[T](linearSpread[T]{spread, raw}))
	}
	return dp.NewEstimate(value, e.stdDev, dp.Spread[T](spread))
}

type typedSpread[T dp.Number] struct {
	estimate
	value T
}

// Interval implements dp.Spread.
func (s typedSpread[T]) Interval(confidence float64) (lo, hi T) {
	l, h := s.interval(confidence)
	if isInteger[T]() && new(big.Rat).Sub(s.estimate.value, ratOf(s.value)).Cmp(big.NewRat(1, 1)) > 0 {
		l = s.within.least // the number is beyond T, and the released one is the end of T
	}
	if isInteger[T]() && new(big.Rat).Sub(ratOf(s.value), s.estimate.value).Cmp(big.NewRat(1, 1)) > 0 {
		h = s.within.most
	}
	return min(toNumber[T](l, -1), s.value), max(toNumber[T](h, 1), s.value)
}

// Sources is for [dp.Spread].
func (s typedSpread[T]) Sources() []any {
	if s.sources == nil {
		return nil
	}
	return s.sources()
}

// linearSpread is the spread of an estimate that has a raw form.
type linearSpread[T dp.Number] struct {
	typedSpread[T]
	raw estimate
}

// Raw is what [dp.Estimate.Raw] returns.
func (s linearSpread[T]) Raw() dp.Estimate[float64] {
	raw := s.raw
	raw.within, raw.linear = span{}, false
	return typed[float64](raw)
}

// toNumber converts r, and clamps to what T holds. A nil r is the end of T on
// the given side.
func toNumber[T dp.Number](r *big.Rat, side int) T {
	var x T
	v := reflect.ValueOf(&x).Elem()
	switch {
	case v.CanFloat() && r == nil:
		v.SetFloat(math.Inf(side))
	case v.Kind() == reflect.Float32: // rounded once
		f, _ := r.Float32()
		v.SetFloat(float64(f))
	case v.CanFloat():
		f, _ := r.Float64()
		v.SetFloat(f)
	case v.CanInt():
		beyond := 64 - v.Type().Bits()
		v.SetInt(clampBig(r, side, big.NewInt(math.MinInt64>>beyond), big.NewInt(math.MaxInt64>>beyond)).Int64())
	default:
		most := new(big.Int).SetUint64(math.MaxUint64 >> (64 - v.Type().Bits()))
		v.SetUint(clampBig(r, side, new(big.Int), most).Uint64())
	}
	return x
}

// clampBig rounds r to the nearest integer in [lo, hi], halves up.
func clampBig(r *big.Rat, side int, lo, hi *big.Int) *big.Int {
	if r == nil {
		if side < 0 {
			return lo
		}
		return hi
	}
	half := new(big.Rat).Add(r, big.NewRat(1, 2))
	i := new(big.Int).Div(half.Num(), half.Denom())
	switch {
	case i.Cmp(lo) < 0:
		return lo
	case i.Cmp(hi) > 0:
		return hi
	}
	return i
}
