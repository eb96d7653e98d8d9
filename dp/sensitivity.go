package dp

import (
	"errors"
	"fmt"
)

// Sensitivity says how far adding or removing all rows of one unit can move a
// vector of integers: at most L0 of them, each by at most LInf. It is a box, so
// the L1 norm of the change is at most L0·LInf and its L2 norm at most √L0·LInf;
// both are computed without overflow.
type Sensitivity struct {
	L0   int64 `json:"l0"`   // how many numbers change, at most
	LInf int64 `json:"linf"` // by how many grid steps each of them, at most
}

// check returns nil if both bounds are positive, otherwise every mistake,
// joined.
func (s Sensitivity) check() error {
	return errors.Join(atLeastOne("L0", s.L0), atLeastOne("LInf", s.LInf))
}

func atLeastOne(name string, x int64) error {
	if x <= 0 {
		return fmt.Errorf("dp: sensitivity %s is %d, must be at least 1", name, x)
	}
	return nil
}
