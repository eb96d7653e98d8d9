package main

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/equipoise-dp/equipoise/dp"
)

// An exactLoss is a sum of declared losses. Amounts of different kinds are not
// added to each other.
type exactLoss struct{ epsilon, delta, rho big.Rat }

func (s *exactLoss) add(l dp.Loss) {
	e, d, r := dp.PartsOf(l).Exact()
	s.epsilon.Add(&s.epsilon, e)
	s.delta.Add(&s.delta, d)
	s.rho.Add(&s.rho, r)
}

// limitText writes a limit, which an odometer does not have.
func limitText(l dp.Loss) string {
	if l == nil {
		return "no limit"
	}
	return l.String()
}

// rise is by how much a total grew, as exact decimals of what is printed. It is
// empty if it did not.
func rise(from, to dp.Loss) string {
	var s, minus exactLoss
	s.add(to)
	minus.add(from)
	s.epsilon.Sub(&s.epsilon, &minus.epsilon)
	s.delta.Sub(&s.delta, &minus.delta)
	s.rho.Sub(&s.rho, &minus.rho)
	if s.none() {
		return ""
	}
	return s.String()
}

func (s *exactLoss) none() bool {
	return s.epsilon.Sign() == 0 && s.delta.Sign() == 0 && s.rho.Sign() == 0
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
