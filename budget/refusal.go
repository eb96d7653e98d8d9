package budget

import (
	"fmt"
	"strings"

	"github.com/equipoise-dp/equipoise/dp"
)

// A RefusedError is returned by [Account.Spend] and [Account.Afford] if a charge
// is more than what is left. It costs nothing, does not depend on private data
// and may be shown to anyone. [Terms.Refusals] says how many the ledger keeps.
//
// What is left is rounded down and what is spent is rounded up, as the decimals
// that are printed, so that a charge of Fits does fit. A nil loss is nothing.
//
// Scope is the first that refuses: the account, then its parts. Binds says which
// numbers of its limit would have to be larger. It can be δ although ε is left:
// thresholds on groups are paid in δ, and so are losses that are added up as
// they are declared.
type RefusedError struct {
	Account string   `json:"account"`
	Scope   string   `json:"scope"`            // "account", `purpose "ads"`, `period "2026-01"`, `analyst "ann"`, "policy", "who asks"
	Key     string   `json:"key"`              // of the request
	Asked   dp.Loss  `json:"asked"`            // what the charge declares
	Limit   dp.Loss  `json:"limit"`            // of the scope
	Spent   dp.Loss  `json:"spent"`            // in the scope; see [ScopeStatus]
	Left    dp.Loss  `json:"left"`             // in the scope
	Binds   []string `json:"binds,omitempty"`  // the numbers of Limit that are too small: "epsilon", "delta", "rho"
	Fits    dp.Loss  `json:"fits"`             // the largest loss, up to Asked, that every scope of the charge still has
	Frozen  bool     `json:"frozen,omitempty"` // nothing is accepted until somebody thaws the account
	Reason  string   `json:"reason,omitempty"` // if it is not a matter of amounts
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
	}
	fits := "nothing fits any more"
	if e.Fits != nil {
		fits = fmt.Sprintf("%v fits", e.Fits)
	}
	return fmt.Sprintf("%s: %s has %s left of %v%s; %s", head, e.Scope, dp.FormatLoss(e.Left), e.Limit, e.tooLittle(), fits)
}

// tooLittle names what is short where a limit has more than one number and
// something is left.
func (e *RefusedError) tooLittle() string {
	if dp.PartsOf(e.Limit).Delta == 0 || e.Left == nil {
		return ""
	}
	sign := map[string]string{"epsilon": "ε", "delta": "δ", "rho": "ρ"}
	names := make([]string, len(e.Binds))
	for i, b := range e.Binds {
		names[i] = sign[b]
	}
	return ", too little " + strings.Join(names, " and ")
}
