package csvfile

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// A Number says how amounts are written. Beside what it says, a true minus sign
// and brackets around negative amounts are read, and spaces around a number.
type Number struct {
	Decimal   string // "." or ","; "." if empty
	Thousands string // ",", ".", " " or "'" between thousands, or empty for none
	Currency  string // a sign that may stand before or after an amount, or empty
}

func (n *Number) check() error {
	if n.Decimal == "" {
		n.Decimal = "."
	}
	var errs []error
	if n.Decimal != "." && n.Decimal != "," {
		errs = append(errs, fmt.Errorf("-decimal is %q, must be . or ,", n.Decimal))
	}
	if n.Thousands != "" && !strings.Contains(",. '", n.Thousands) || len(n.Thousands) > 1 {
		errs = append(errs, fmt.Errorf("-thousands is %q, must be a comma, a point, a space or an apostrophe, or empty", n.Thousands))
	}
	if n.Thousands == n.Decimal {
		errs = append(errs, fmt.Errorf("-thousands and -decimal are both %q, must differ", n.Decimal))
	}
	return errors.Join(errs...)
}

// parse reads an amount. What it does not read for certain is no number.
func (n *Number) parse(field string) (x float64, ok bool) {
	s, negative := strings.Map(plainSpace, field), false
	if inner, found := strings.CutPrefix(s, "("); found {
		if s, found = strings.CutSuffix(inner, ")"); !found {
			return 0, false
		}
		negative = true
	}
	s, signed := cutSign(strings.TrimSpace(s))
	s = n.cutCurrency(s)
	s, again := cutSign(s)
	if signed != 0 && again != 0 || negative && (signed != 0 || again != 0) {
		return 0, false
	}
	s, ok = n.digits(s)
	if !ok {
		return 0, false
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(x, 0) {
		return 0, false
	}
	if negative || signed < 0 || again < 0 {
		x = -x
	}
	return x, true
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

func (n *Number) cutCurrency(s string) string {
	if n.Currency == "" {
		return s
	}
	if rest, found := strings.CutPrefix(s, n.Currency); found {
		return strings.TrimSpace(rest)
	}
	return strings.TrimSpace(strings.TrimSuffix(s, n.Currency))
}

// digits returns digits with a point, and an exponent if there is one, without
// what parts thousands. Thousands are parted everywhere or nowhere.
func (n *Number) digits(s string) (plain string, ok bool) {
	mantissa, exponent, hasExponent := strings.Cut(strings.ToLower(s), "e")
	if hasExponent {
		digits, _ := cutSign(exponent)
		if !allDigits(digits) || digits == "" || strings.Contains(exponent, " ") {
			return "", false
		}
		exponent = "e" + exponent
	}
	whole, fraction, _ := strings.Cut(mantissa, n.Decimal)
	whole, ok = n.join(whole)
	if !ok || !allDigits(whole) || !allDigits(fraction) || whole+fraction == "" {
		return "", false
	}
	return whole + "." + fraction + exponent, true
}

// join removes what parts thousands, if it stands where it must.
func (n *Number) join(whole string) (digits string, ok bool) {
	if n.Thousands == "" || !strings.Contains(whole, n.Thousands) {
		return whole, true
	}
	groups := strings.Split(whole, n.Thousands)
	for i, g := range groups {
		if i == 0 && (len(g) < 1 || len(g) > 3) || i > 0 && len(g) != 3 {
			return "", false
		}
	}
	return strings.Join(groups, ""), true
}

func allDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }
