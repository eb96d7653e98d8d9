package main

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/equipoise-dp/equipoise/dp"
)

const minus = "\u2212"

// title returns the words with a capital first letter.
func title(words string) string {
	r, n := utf8.DecodeRuneInString(words)
	return string(unicode.ToUpper(r)) + words[n:]
}

// grouped writes a number with commas between thousands and a true minus sign.
func grouped(x float64, decimals int) string {
	switch {
	case math.IsInf(x, 1):
		return "∞"
	case math.IsInf(x, -1):
		return minus + "∞"
	}
	s := strconv.FormatFloat(math.Abs(x), 'f', decimals, 64)
	whole, fraction, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if x < 0 && strings.ContainsAny(s, "123456789") {
		return minus + whole
	}
	return whole
}

// money writes an amount with the currency's sign.
func (o *options) money(x float64, cents bool) string {
	decimals := 0
	if cents {
		decimals = 2
	}
	s := grouped(x, decimals)
	if rest, negative := strings.CutPrefix(s, minus); negative {
		return minus + o.Currency + rest
	}
	return o.Currency + s
}

// loss writes a loss that is left with three digits, rounded down.
func loss(l dp.Loss) string {
	digits := func(x float64) float64 {
		unit := math.Pow10(int(math.Floor(math.Log10(x))) - 2)
		return round(math.Floor(x/unit+1e-9) * unit)
	}
	p := dp.PartsOf(l)
	for _, x := range []*float64{&p.Epsilon, &p.Delta, &p.Rho} {
		if *x != 0 {
			*x = digits(*x)
		}
	}
	return dp.FormatLoss(p.Loss())
}

// write writes a number of a quantity.
func (o *options) write(q quantity, x float64) string {
	if q.Money {
		return o.money(x, q.Cents)
	}
	return grouped(x, 0)
}

// writeChange writes a number with its sign. One that would be rounded to zero
// gets two places, so that its side of zero can be seen.
func (o *options) writeChange(q quantity, x float64) string {
	s := o.write(q, x)
	if x != 0 && math.Abs(x) < 0.5 {
		s = o.write(quantity{Money: q.Money, Cents: true}, x)
		if !q.Money {
			s = grouped(x, 2)
		}
	}
	if x > 0 {
		return "+" + s
	}
	return s
}
