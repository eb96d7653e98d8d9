package rows

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
)

// checkNumber checks how amounts are written. Beside what the format says, a true minus
// sign and brackets around negative amounts are read, and spaces around a number.
func (f *Format) checkNumber(called func(string) string) error {
	if f.Decimal == "" {
		f.Decimal = "."
	}
	decimal, thousands := called("Format.Decimal"), called("Format.Thousands")
	var errs []error
	if f.Decimal != "." && f.Decimal != "," {
		errs = append(errs, fmt.Errorf("%s is %q, must be . or ,", decimal, f.Decimal))
	}
	if f.Thousands != "" && !strings.Contains(",. '", f.Thousands) || len(f.Thousands) > 1 {
		errs = append(errs, fmt.Errorf("%s is %q, must be a comma, a point, a space or an apostrophe, or empty", thousands, f.Thousands))
	}
	if f.Thousands == f.Decimal {
		errs = append(errs, fmt.Errorf("%s and %s are both %q, must differ", thousands, decimal, f.Decimal))
	}
	return errors.Join(errs...)
}

// A notation is how numbers are written.
type notation struct{ decimal, thousands, currency string }

// plain is how JSON and databases write numbers.
var plain = notation{decimal: "."}

// float reads an amount. What is written as most numbers are is read at once: a quotient
// of an integer below 2⁵³ and a power of ten up to 10²² is rounded once.
func (n *notation) float(field []byte) (x float64, ok bool) {
	if mantissa, places, negative, ok := short(field, n.decimal[0]); ok {
		x = float64(mantissa) / powers[places]
		if negative {
			x = -x
		}
		return x, true
	}
	s, negative, ok := n.unsigned(string(field))
	if !ok {
		return 0, false
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(x, 0) {
		return 0, false
	}
	if negative {
		x = -x
	}
	return x, true
}

// integer reads a whole number; 12.0 is one, as data frames write it.
func (n *notation) integer(field []byte) (x *big.Int, ok bool) {
	s, negative, ok := n.unsigned(string(field))
	if !ok || len(s) > longestInteger {
		return nil, false
	}
	whole, fraction, _ := strings.Cut(s, ".")
	if strings.Trim(fraction, "0") != "" || whole == "" { // also an exponent
		return nil, false
	}
	x, ok = new(big.Int).SetString(whole, 10)
	if ok && negative {
		x.Neg(x)
	}
	return x, ok
}

// longestInteger is more than the digits that any kind of integer has.
const longestInteger = 64

// short reads up to 15 digits with a decimal sign among them: field is mantissa divided
// by 10 to the places.
func short(field []byte, decimal byte) (mantissa int64, places int, negative, ok bool) {
	digits := field
	if len(digits) > 0 && digits[0] == '-' {
		digits, negative = digits[1:], true
	}
	if len(digits) == 0 || len(digits) > 16 {
		return 0, 0, false, false
	}
	point := -1
	for i, c := range digits {
		switch {
		case c >= '0' && c <= '9':
			mantissa = 10*mantissa + int64(c-'0')
		case c == decimal && point < 0:
			point = i
		default:
			return 0, 0, false, false
		}
	}
	if point >= 0 {
		places = len(digits) - 1 - point
	}
	return mantissa, places, negative, len(digits) <= 15 && point < 0 || point >= 0 && len(digits) > 1
}

var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// unsigned reads the sign, and returns digits with a point, and an exponent if there is
// one. What it does not read for certain is no number.
func (n *notation) unsigned(field string) (digits string, negative, ok bool) {
	s := strings.Map(plainSpace, field)
	if inner, found := strings.CutPrefix(s, "("); found {
		if s, found = strings.CutSuffix(inner, ")"); !found {
			return "", false, false
		}
		negative = true
	}
	s, signed := cutSign(strings.TrimSpace(s))
	s = n.cutCurrency(s)
	s, again := cutSign(s)
	if signed != 0 && again != 0 || negative && (signed != 0 || again != 0) {
		return "", false, false
	}
	digits, ok = n.digits(s)
	return digits, negative || signed < 0 || again < 0, ok
}

// plainSpace makes every space a plain one: spreadsheets part thousands by
// narrow and by unbreakable ones.
func plainSpace(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case r == '\u2212':
		return '-'
	case r == '\u2019':
		return '\''
	}
	return r
}

func cutSign(s string) (rest string, sign int) {
	if rest, found := strings.CutPrefix(s, "-"); found {
		return strings.TrimSpace(rest), -1
	}
	if rest, found := strings.CutPrefix(s, "+"); found {
		return strings.TrimSpace(rest), 1
	}
	return s, 0
}

func (n *notation) cutCurrency(s string) string {
	if n.currency == "" {
		return s
	}
	if rest, found := strings.CutPrefix(s, n.currency); found {
		return strings.TrimSpace(rest)
	}
	return strings.TrimSpace(strings.TrimSuffix(s, n.currency))
}

// digits returns digits with a point, and an exponent if there is one, without
// what parts thousands. Thousands are parted everywhere or nowhere.
func (n *notation) digits(s string) (plain string, ok bool) {
	mantissa, exponent, hasExponent := strings.Cut(strings.ToLower(s), "e")
	if hasExponent {
		digits, _ := cutSign(exponent)
		if !allDigits(digits) || digits == "" || strings.Contains(exponent, " ") {
			return "", false
		}
		exponent = "e" + exponent
	}
	whole, fraction, _ := strings.Cut(mantissa, n.decimal)
	whole, ok = n.join(whole)
	if !ok || !allDigits(whole) || !allDigits(fraction) || whole+fraction == "" {
		return "", false
	}
	return whole + "." + fraction + exponent, true
}

// join removes what parts thousands, if it stands where it must.
func (n *notation) join(whole string) (digits string, ok bool) {
	if n.thousands == "" || !strings.Contains(whole, n.thousands) {
		return whole, true
	}
	groups := strings.Split(whole, n.thousands)
	for i, g := range groups {
		if i == 0 && (len(g) < 1 || len(g) > 3) || i > 0 && len(g) != 3 {
			return "", false
		}
	}
	return strings.Join(groups, ""), true
}

func allDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }
