package pld

import (
	"math"
)

// tableTransform is a finite list of losses with their probabilities under P, which
// sum to one.
type tableTransform struct {
	loss, p []float64
	max     float64 // the largest loss
	size    float64 // the largest |loss|
}

// tableOf splits a pair of rows into infinite mass (q = 0) and finite losses
// ln(p/q). Normalising costs a few ulp per probability, which the running error
// analysis covers.
func tableOf(p, q []float64) (transform, float64) {
	sumP, sumQ := sum(p), sum(q)
	var t tableTransform
	infinite := 0.0
	for i := range p {
		switch {
		case p[i] == 0:
		case q[i] == 0:
			infinite += p[i] / sumP
		default:
			t.loss = append(t.loss, math.Log(p[i])-math.Log(q[i])+(math.Log(sumQ)-math.Log(sumP)))
			t.p = append(t.p, p[i]/sumP)
		}
	}
	if len(t.loss) == 0 {
		return nil, math.Inf(-1)
	}
	return t.normal(), math.Log1p(-math.Min(1, infinite*(1+8*ulp)))
}

func (t tableTransform) normal() tableTransform {
	total := sum(t.p)
	t.max = math.Inf(-1)
	for i := range t.p {
		t.p[i] /= total
		t.max = math.Max(t.max, t.loss[i])
		t.size = math.Max(t.size, math.Abs(t.loss[i]))
	}
	return t
}

func sum(row []float64) float64 {
	total := 0.0
	for _, x := range row {
		total += x
	}
	return total
}

func (t tableTransform) log(theta float64) float64 {
	total := 0.0
	for i, p := range t.p {
		total += p * math.Exp(theta*(t.loss[i]-t.max))
	}
	return theta*t.max + math.Log(total)
}
func (t tableTransform) reach() float64 { return t.size }
func (t tableTransform) top() float64   { return t.max }

// grid finds the lattice of tables whose losses have equal gaps, as those of k-ary
// randomized response.
func (t tableTransform) grid() (float64, float64, bool) {
	switch len(t.loss) {
	case 1:
		return math.Max(1, math.Abs(t.loss[0])), t.loss[0], true
	case 2:
		return math.Abs(t.loss[0] - t.loss[1]), math.Min(t.loss[0], t.loss[1]), t.loss[0] != t.loss[1]
	case 3:
		if t.loss[2] == 0 && t.loss[0] == -t.loss[1] {
			return math.Abs(t.loss[0]), -math.Abs(t.loss[0]), t.loss[0] != 0
		}
	}
	return 0, 0, false
}

func (t tableTransform) line(theta float64) line {
	w := make([]float64, len(t.p))
	total := 0.0
	for i, p := range t.p {
		w[i] = p * math.Exp(theta*(t.loss[i]-t.max))
		total += w[i]
	}
	for i := range w {
		w[i] /= total
	}
	return tableLine{t.loss, w}
}

// tableLine holds tilted probabilities.
type tableLine struct{ loss, w []float64 }

func (l tableLine) at(y float64) complex128 {
	var re, im float64
	for i, w := range l.w {
		s, c := math.Sincos(y * l.loss[i])
		re += w * c
		im += w * s
	}
	return complex(re, im)
}
func (l tableLine) half() float64         { return 0 }
func (l tableLine) bound(float64) float64 { return 1 }

// stepTable is a table whose losses are base + i*step: its line is a polynomial in
// e^(i y step).
type stepTable struct {
	tableTransform
	step, offset float64
}

func (t stepTable) grid() (float64, float64, bool) { return t.step, t.offset, t.step > 0 }
func (t stepTable) line(theta float64) line {
	return stepLine{t.tableTransform.line(theta).(tableLine).w, t.step, t.offset}
}

type stepLine struct {
	w            []float64
	step, offset float64
}

func (l stepLine) at(y float64) complex128 {
	x := expi(y * l.step)
	sum := complex(0, 0)
	for i := len(l.w) - 1; i >= 0; i-- {
		sum = sum*x + complex(l.w[i], 0)
	}
	return sum * expi(y*l.offset)
}
func (l stepLine) half() float64         { return 0 }
func (l stepLine) bound(float64) float64 { return 1 }
