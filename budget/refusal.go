package budget

import (
	"fmt"

	"github.com/equipoise-dp/equipoise/dp"
)

// A RefusedError is returned by [Account.Spend] and [Account.Afford] if a charge
// is more than what is left. It costs nothing, does not depend on private data
// and may be shown to anyone.
//
// What is left is rounded down and what is spent is rounded up, as the decimals
// that are printed, so that a charge of Fits does fit. A nil loss is nothing.
type RefusedError struct {
	Account string
	Scope   string  // "account", `purpose "ads"`, `period "2026-01"`, `analyst "ann"`
	Key     string  // of the request
	Asked   dp.Loss // what the charge declares
	Limit   dp.Loss // of the scope
	Spent   dp.Loss // in the scope; see [ScopeStatus]
	Left    dp.Loss // in the scope
	Fits    dp.Loss // the largest loss, up to Asked, that every scope of the charge still has
	Frozen  bool    // nothing is accepted until somebody thaws the account
	Reason  string  // if it is not a matter of amounts
}

// Error says in one sentence who refused what, and what would fit.
func (e *RefusedError) Error() string {
	head := fmt.Sprintf("budget: account %q refused %v", e.Account, e.Asked)
	switch {
	case e.Frozen:
		return fmt.Sprintf("%s: it is frozen: %s", head, e.Reason)
	case e.Reason != "" && e.Fits == nil:
		return fmt.Sprintf("%s: %s: %s", head, e.Scope, e.Reason)
	case e.Reason != "":
		return fmt.Sprintf("%s: %s: %s; %v fits", head, e.Scope, e.Reason, e.Fits)
	case e.Fits == nil:
		return fmt.Sprintf("%s: %s has %s left of %v; nothing fits any more", head, e.Scope, dp.FormatLoss(e.Left), e.Limit)
	}
	return fmt.Sprintf("%s: %s has %s left of %v; %v fits", head, e.Scope, dp.FormatLoss(e.Left), e.Limit, e.Fits)
}
