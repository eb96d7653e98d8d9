package main

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/equipoise-dp/equipoise/dp"
)

// parseLoss reads a loss as people write it and as this program prints it:
// "epsilon=1", "epsilon=1,delta=1e-6", "rho=0.5", "ε=1 δ=1e-06".
func parseLoss(s string) (dp.Loss, error) {
	x := map[string]float64{}
	for _, field := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' }) {
		name, text, _ := strings.Cut(field, "=")
		if long, ok := letters[name]; ok {
			name = long
		}
		f, err := strconv.ParseFloat(text, 64)
		if _, twice := x[name]; err != nil || twice {
			return nil, notALoss(s)
		}
		x[name] = f
	}
	var l dp.Loss
	switch keys := joinedKeys(x); keys {
	case "epsilon":
		l = dp.Pure{Epsilon: x["epsilon"]}
	case "epsilon delta":
		l = dp.Approx{Epsilon: x["epsilon"], Delta: x["delta"]}
	case "rho":
		l = dp.Concentrated{Rho: x["rho"]}
	default:
		return nil, notALoss(s)
	}
	return l, l.Check()
}

var letters = map[string]string{"ε": "epsilon", "δ": "delta", "ρ": "rho"}

func joinedKeys(x map[string]float64) string {
	var keys []string
	known := 0
	for _, name := range []string{"epsilon", "delta", "rho"} {
		if _, ok := x[name]; ok {
			keys = append(keys, name)
			known++
		}
	}
	if known != len(x) {
		return ""
	}
	return strings.Join(keys, " ")
}

func notALoss(s string) error {
	return fmt.Errorf("%q is not a loss; it is written epsilon=1, epsilon=1,delta=1e-6 or rho=0.5", s)
}

// amount writes a loss that may be nothing.
func amount(l dp.Loss) string {
	if l == nil {
		return "nothing"
	}
	return l.String()
}

// lossJSON is the form of a loss in a ledger, and null for nothing.
func lossJSON(l dp.Loss) json.RawMessage {
	if l == nil {
		return json.RawMessage("null")
	}
	b, err := dp.MarshalLoss(l)
	if err != nil {
		panic("ledger: internal error: a loss of the ledger cannot be written: " + err.Error())
	}
	return b
}

// An exactLoss is a sum of declared losses. Amounts of different kinds are not
// added to each other.
type exactLoss struct{ epsilon, delta, rho big.Rat }

func (s *exactLoss) add(l dp.Loss) {
	switch l := l.(type) {
	case dp.Pure:
		s.epsilon.Add(&s.epsilon, l.Exact())
	case dp.Approx:
		e, d := l.Exact()
		s.epsilon.Add(&s.epsilon, e)
		s.delta.Add(&s.delta, d)
	case dp.Concentrated:
		s.rho.Add(&s.rho, l.Exact())
	}
}

// String writes the sum as exact decimals.
func (s *exactLoss) String() string {
	var parts []string
	for _, p := range []struct {
		letter string
		x      *big.Rat
	}{{"ε", &s.epsilon}, {"δ", &s.delta}, {"ρ", &s.rho}} {
		if p.x.Sign() != 0 {
			parts = append(parts, p.letter+"="+decimal(p.x))
		}
	}
	if parts == nil {
		return "nothing"
	}
	return strings.Join(parts, " ")
}

// decimal writes a sum of decimals, which is one, exactly.
func decimal(x *big.Rat) string {
	digits, exact := x.FloatPrec()
	if !exact {
		return x.RatString()
	}
	if digits > 6 {
		if f, _ := x.Float64(); new(big.Rat).SetFloat64(f) != nil {
			if short := strconv.FormatFloat(f, 'g', -1, 64); sameDecimal(short, x) {
				return short
			}
		}
	}
	return x.FloatString(digits)
}

func sameDecimal(s string, x *big.Rat) bool {
	y, ok := new(big.Rat).SetString(s)
	return ok && y.Cmp(x) == 0
}
