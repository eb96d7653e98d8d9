package dp

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/equipoise-dp/equipoise/internal/exact"
)

// String returns the loss as in "ε=1".
func (l Pure) String() string { return fmt.Sprintf("ε=%g", l.Epsilon) }

// String returns the loss as in "ε=1 δ=1e-06".
func (l Approx) String() string { return fmt.Sprintf("ε=%g δ=%g", l.Epsilon, l.Delta) }

// String returns the loss as in "ρ=0.5", or "ρ=0.5 δ=1e-06".
func (l Concentrated) String() string {
	if l.Delta == 0 {
		return fmt.Sprintf("ρ=%g", l.Rho)
	}
	return fmt.Sprintf("ρ=%g δ=%g", l.Rho, l.Delta)
}

// FormatLoss returns the text of an amount that may be nil, which is "nothing".
func FormatLoss(l Loss) string {
	if l == nil {
		return "nothing"
	}
	return l.String()
}

// ParseLoss reads a loss as people type it and as String writes it: "epsilon=1",
// "epsilon=1,delta=1e-6", "rho=0.5", "rho=0.5,delta=1e-6", "ε=1 δ=1e-06". What it returns passes
// [CheckLoss], so "nothing" is an error.
func ParseLoss(text string) (Loss, error) {
	var n numbers
	var errs []error
	for _, field := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		name, value, _ := strings.Cut(field, "=")
		errs = append(errs, n.set(name, value))
	}
	l, err := n.loss(errs)
	if err != nil {
		return nil, fmt.Errorf("dp: %.80q is not a loss, it is written epsilon=1, epsilon=1,delta=1e-6, rho=0.5 or rho=0.5,delta=1e-6: %w", text, err)
	}
	if err := l.Check(); err != nil {
		return nil, err
	}
	return l, nil
}

// numbers are what a written loss has. That a number is there and 0 is not the
// same as that it is not there.
type numbers struct{ epsilon, delta, rho *float64 }

var longNames = map[string]string{"ε": "epsilon", "δ": "delta", "ρ": "rho"}

func (n *numbers) set(name, value string) error {
	if long, ok := longNames[name]; ok {
		name = long
	}
	at, known := map[string]**float64{"epsilon": &n.epsilon, "delta": &n.delta, "rho": &n.rho}[name]
	switch {
	case !known:
		return fmt.Errorf("%.20q is not epsilon, delta or rho", name)
	case *at != nil:
		return fmt.Errorf("%s is given twice", name)
	}
	x, err := writtenNumber(value)
	*at = &x
	if err != nil {
		return fmt.Errorf("%s is %w", name, err)
	}
	return nil
}

// loss returns the loss that has exactly these numbers, or what was wrong with
// them.
func (n *numbers) loss(errs []error) (Loss, error) {
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	switch {
	case n.epsilon != nil && n.delta != nil && n.rho == nil:
		return Approx{*n.epsilon, *n.delta}, nil
	case n.epsilon != nil && n.delta == nil && n.rho == nil:
		return Pure{*n.epsilon}, nil
	case n.rho != nil && n.epsilon == nil && n.delta == nil:
		return Concentrated{Rho: *n.rho}, nil
	case n.rho != nil && n.epsilon == nil && *n.delta == 0:
		return nil, errors.New("delta beside rho is 0; leave it out")
	case n.rho != nil && n.epsilon == nil:
		return Concentrated{Rho: *n.rho, Delta: *n.delta}, nil
	}
	return nil, errors.New("a loss has epsilon or rho, perhaps with delta, and nothing else")
}

// writtenNumber reads a decimal. One with more digits than a float64 keeps is
// refused: the loss that is meant would not be the loss that is spent. The length
// is limited because rationals of a short text with a large exponent are long.
func writtenNumber(text string) (float64, error) {
	x, err := strconv.ParseFloat(text, 64)
	if len(text) > 40 || err != nil || strings.Trim(text, "+-.eE0123456789") != "" {
		return 0, fmt.Errorf("%.40q, must be a decimal number", text)
	}
	if r, ok := new(big.Rat).SetString(text); x != 0 && (!ok || r.Cmp(exact.Decimal(x)) != 0) {
		return 0, fmt.Errorf("%q, which has more digits than a float64 keeps; the nearest is %v", text, x)
	}
	return x, nil
}
