package budget

import (
	"context"
	"fmt"
)

// Refund gives nothing back, and says why. It is there so that whoever looks for it
// finds the reason.
//
// Noise may have been drawn as soon as a charge is paid, and what a program drew and did
// not keep it may have shown, or somebody may have read it in its memory; no ledger can
// know. And whether a run failed can depend on the rows: an account that gets cheaper when
// it does tells, by what is left, which rows there are, and no noise hides that.
//
// It wraps [ErrNoRefund], or [ErrNotPaid] where there is nothing to give back.
//
// Asking again under the same request key costs nothing, whatever became of the
// first attempt: run the plan again. A charge that was refused, or of which the
// store says that nothing was appended, was not paid.
func (a *Account) Refund(ctx context.Context, key string) error {
	p, err := a.lookup(ctx, key)
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: account %q paid for request key %q in entry %d; noise may have been drawn and seen since, and whether a run failed can depend on the rows; run it again under the same key, at no cost",
		ErrNoRefund, a.name, key, p.seq)
}
