package filter

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/equipoise-dp/equipoise/dp"
)

// A State is all that was added to a filter, in words that are read back exactly: what
// kind of sums they are, then the sums, as quotients of decimal integers or as
// hexadecimal floats. The limit is not in it.
type State []string

// Kinds of sums. Their text is stored and never changes.
const (
	nothingYet = "none"
	lossSums   = "loss"   // Σε, Σδ
	eventSums  = "events" // Σε or "-", Σδ, and what the meter adds up
	rhoSum     = "rho"    // Σρ, of a limit without δ
	rhoSums    = "rho and delta"
)

// StateOf returns what was added to a filter.
func StateOf(f Filter) State { return f.state() }

// Restore returns the filter of New to which what is in the state was added.
func (s *Setup) Restore(l dp.Loss, star float64, st State) (Filter, error) {
	f := s.New(l, star)
	r := &reading{rest: st}
	f.restore(r)
	if len(r.rest) > 0 {
		r.fail("%d words too many", len(r.rest))
	}
	return f, r.err
}

// Alike says whether two states are of the same sums, up to what two machines may round
// differently.
func (st State) Alike(other State) bool {
	return slices.EqualFunc(st, other, func(a, b string) bool {
		if a == b {
			return true
		}
		x, okX := number(a)
		y, okY := number(b)
		if !okX || !okY {
			return false
		}
		gap := new(big.Rat).Sub(x, y)
		most := new(big.Rat).Mul(x, big.NewRat(1, 1e9))
		return gap.Abs(gap).Cmp(most) <= 0
	})
}

// number reads a finite sum.
func number(word string) (*big.Rat, bool) {
	if x, err := strconv.ParseFloat(word, 64); err == nil && strings.HasPrefix(word, "0x") && !math.IsInf(x, 0) {
		return new(big.Rat).SetFloat64(x), true
	}
	r := &reading{rest: State{word}}
	x := r.quotient()
	return x, r.err == nil
}

func (f *basicFilter) state() State { return State{lossSums, f.sumE.String(), f.sumD.String()} }

func (f *basicFilter) restore(r *reading) {
	r.kind(lossSums)
	f.sumE, f.sumD = r.quotient(), r.quotient()
}

func (f *eventFilter) state() State {
	pure := "-"
	if f.pure != nil {
		pure = f.pure.String()
	}
	return append(State{eventSums, pure, f.delta.String()}, f.meter.state()...)
}

func (f *eventFilter) restore(r *reading) {
	r.kind(eventSums)
	if len(r.rest) > 0 && r.rest[0] == "-" {
		f.pure, r.rest = nil, r.rest[1:]
	} else {
		f.pure = r.quotient()
	}
	f.delta = r.quotient()
	f.meter.restore(r)
}

func (f *zcdpFilter) state() State {
	if f.failures.Sign() == 0 {
		return append(State{rhoSum}, f.rho.state()...)
	}
	return append(State{rhoSums, f.delta.String()}, f.rho.state()...)
}

func (f *zcdpFilter) restore(r *reading) {
	if f.failures.Sign() == 0 {
		r.kind(rhoSum)
	} else {
		r.kind(rhoSums)
		f.delta = r.quotient()
	}
	f.rho.restore(r)
}

func (f *defaultFilter) state() State {
	if f.chosen == nil {
		return State{nothingYet}
	}
	return f.chosen.state()
}

func (f *defaultFilter) restore(r *reading) {
	kind := nothingYet
	if len(r.rest) > 0 {
		kind = r.rest[0]
	}
	switch kind {
	case lossSums:
		f.chosen = f.basic
	case eventSums:
		f.chosen = f.renyi
	default:
		r.kind(nothingYet)
		return
	}
	f.chosen.restore(r)
}

func (m *renyiMeter) state() (st State) {
	for _, x := range m.sums {
		st = append(st, hexFloat(x))
	}
	return st
}

func (m *renyiMeter) restore(r *reading) {
	for i := range m.sums {
		m.sums[i] = r.float()
	}
}

func (m *gdpMeter) state() State       { return State{hexFloat(m.sum)} }
func (m *gdpMeter) restore(r *reading) { m.sum = r.float() }

func (m *rhoMeter) state() State       { return State{m.sum.String()} }
func (m *rhoMeter) restore(r *reading) { m.sum = r.quotient() }

func hexFloat(x float64) string { return strconv.FormatFloat(x, 'x', -1, 64) }

// A reading takes words from a state, one after the other. Its error is the first.
type reading struct {
	rest State
	err  error
}

func (r *reading) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("the state of a filter: "+format, args...)
	}
}

func (r *reading) word() string {
	if len(r.rest) == 0 {
		r.fail("a word is missing")
		return ""
	}
	w := r.rest[0]
	r.rest = r.rest[1:]
	return w
}

func (r *reading) kind(want string) {
	if w := r.word(); w != want {
		r.fail("sums are of kind %q, must be %q", w, want)
	}
}

// longestQuotient bounds the text of a sum, whose denominator has at most [longest]
// bits or 400 digits.
const longestQuotient = 1 << 13

func (r *reading) quotient() *big.Rat {
	w := r.word()
	x, ok := new(big.Rat), w != "" && len(w) <= longestQuotient && strings.Trim(w, "/0123456789") == ""
	if ok {
		x, ok = x.SetString(w)
	}
	if !ok {
		r.fail("%.40q is not a quotient of decimal integers", w)
		return zero
	}
	return x
}

func (r *reading) float() float64 {
	w := r.word()
	x, err := strconv.ParseFloat(w, 64)
	if errors.Is(err, strconv.ErrSyntax) || !(x >= 0) {
		r.fail("%.40q is not a sum", w)
		return math.Inf(1)
	}
	return x
}
