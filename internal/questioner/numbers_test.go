package questioner

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strconv"
)

// exactly returns the number that x is, or, if it is none, which odd value: NaN
// or an infinity.
func exactly(x any) (r *big.Rat, odd float64) {
	switch v := reflect.ValueOf(x); {
	case v.CanInt():
		return new(big.Rat).SetInt64(v.Int()), 0
	case v.CanUint():
		return new(big.Rat).SetUint64(v.Uint()), 0
	case math.IsNaN(v.Float()) || math.IsInf(v.Float(), 0):
		return nil, v.Float()
	default:
		return new(big.Rat).SetFloat64(v.Float()), 0
	}
}

// written returns the decimal that a person wrote for x, which is how bounds,
// steps and ranks are meant: 0.1 is a tenth.
func written(x any) *big.Rat {
	text := fmt.Sprint(x)
	switch v := reflect.ValueOf(x); {
	case v.CanFloat():
		text = strconv.FormatFloat(v.Float(), 'g', -1, v.Type().Bits())
	case v.CanInt(): // a Duration prints as 1s
		text = strconv.FormatInt(v.Int(), 10)
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		panic("no number: " + text)
	}
	return r
}

// as returns the number of the type of like that is nearest to r: what a release
// shows of it.
func as(like any, r *big.Rat) any {
	v := reflect.New(reflect.TypeOf(like)).Elem()
	switch {
	case v.Kind() == reflect.Float32:
		f, _ := r.Float32()
		v.SetFloat(float64(f))
	case v.CanFloat():
		f, _ := r.Float64()
		v.SetFloat(f)
	case v.CanInt():
		n := within(nearest(r), new(big.Int).Lsh(big.NewInt(-1), uint(v.Type().Bits()-1)), v.Type().Bits()-1)
		v.SetInt(n.Int64())
	default:
		n := within(nearest(r), new(big.Int), v.Type().Bits())
		v.SetUint(n.Uint64())
	}
	return v.Interface()
}

// within returns n, or the end of [low, 2^bits) that it is beyond.
func within(n, low *big.Int, bits int) *big.Int {
	high := new(big.Int).Lsh(big.NewInt(1), uint(bits))
	high.Sub(high, big.NewInt(1))
	if n.Cmp(low) < 0 {
		return low
	}
	if n.Cmp(high) > 0 {
		return high
	}
	return n
}

func floor(r *big.Rat) *big.Int { return new(big.Int).Div(r.Num(), r.Denom()) }

func ceil(r *big.Rat) *big.Int {
	n := floor(new(big.Rat).Neg(r))
	return n.Neg(n)
}

// nearest rounds halves up.
func nearest(r *big.Rat) *big.Int { return floor(new(big.Rat).Add(r, big.NewRat(1, 2))) }

func times(n *big.Int, r *big.Rat) *big.Rat { return new(big.Rat).Mul(new(big.Rat).SetInt(n), r) }

// root returns the float nearest to the square root of r.
func root(r *big.Rat) float64 {
	f := new(big.Float).SetPrec(400).SetRat(r)
	x, _ := f.Sqrt(f).Float64()
	return x
}

// powerOfTwo returns the power of two that a receipt writes with twelve digits.
func powerOfTwo(text string) *big.Rat {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !(f > 0) {
		return nil
	}
	return new(big.Rat).SetFloat64(math.Exp2(math.Round(math.Log2(f))))
}

// same12 reports whether a text is a number in twelve digits.
func same12(text string, r *big.Rat) bool {
	got, ok := new(big.Rat).SetString(text)
	if !ok {
		return false
	}
	off := got.Sub(got, r)
	limit := new(big.Rat).Mul(r, big.NewRat(1, 1e11))
	return off.Abs(off).Cmp(limit.Abs(limit)) <= 0
}
