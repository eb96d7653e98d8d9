package sample

import (
	"fmt"
	"math/big"
)

var (
	minScale = big.NewRat(1, 1<<10)
	maxScale = big.NewRat(1<<40, 1)
)

// CheckScale refuses what the tables are not made for. Outside this range a
// caller has chosen a wrong unit, and should hear of it.
func CheckScale(x *big.Rat) error {
	if x == nil || x.Cmp(minScale) < 0 || x.Cmp(maxScale) > 0 {
		return fmt.Errorf("sample: scale is %s, must be in [2^-10, 2^40]", show(x))
	}
	return nil
}

// show prints a rational at a length that fits a message.
func show(x *big.Rat) string {
	if x == nil {
		return "nil"
	}
	if text := x.RatString(); len(text) <= 40 {
		return text
	}
	return new(big.Float).SetPrec(64).SetRat(x).Text('g', 12)
}
