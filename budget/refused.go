package budget

import (
	"context"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
)

// A Refusal is a request that was refused, as the ledger keeps it if
// [Terms.Refusals] says so. It depends on charges alone, and tells nothing of rows.
type Refusal struct {
	Purpose string   `json:"purpose"`
	Key     string   `json:"key"`               // of the request
	Analyst string   `json:"analyst,omitempty"` // who asked, if the service says so
	Asked   dp.Loss  `json:"asked"`
	Scope   string   `json:"scope"`           // the limit that refused: see [RefusedError]
	Left    dp.Loss  `json:"left,omitempty"`  // in the scope; nil is nothing
	Binds   []string `json:"binds,omitempty"` // the numbers of the limit that are too small
	Frozen  bool     `json:"frozen,omitempty"`
	Reason  string   `json:"reason,omitempty"` // if it is not a matter of amounts
}

// mostRefusals is the largest [Terms.Refusals].
const mostRefusals = 1000

// keepRefusal gets a refusal into the ledger, together with what else is being
// appended, if the terms want it and there is room. It is done as well as can be:
// whatever fails here changes nothing of the refusal, which its caller gets either
// way.
func (a *Account) keepRefusal(ctx context.Context, c *dp.Charge, e *RefusedError) {
	if !a.wantsRefusal() {
		return
	}
	f := &Refusal{
		Purpose: c.Purpose, Key: c.Key, Analyst: c.Analyst, Asked: e.Asked,
		Scope: e.Scope, Left: e.Left, Binds: e.Binds, Frozen: e.Frozen, Reason: e.Reason,
	}
	a.submit(ctx, &request{ctx: ctx, charge: c, refusal: f, done: make(chan struct{})}) //nolint:errcheck // as said
}

// wantsRefusal says whether there is room for one more refusal. Each payment and
// each act makes room, so a flood of refusals ends by itself, and costs a look.
func (a *Account) wantsRefusal() bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.state.refused < a.state.terms.Refusals
}

// addRefusal adds a refusal to the draft, if there is room.
func (d *draft) addRefusal(f *Refusal, at time.Time) error {
	if d.refusals >= d.terms.Refusals {
		return nil
	}
	return d.write(&record{Kind: KindRefuse, At: stamp(coarse(at)), Refused: f}, nil)
}

// refusalsAfter counts the refusals that stand last in the ledger.
func refusalsAfter(n int, kind string) int {
	switch kind {
	case KindRefuse:
		return n + 1
	case KindCheckpoint: // makes no room, or a flood of refusals would not end
		return n
	}
	return 0
}
