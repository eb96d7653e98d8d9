package budget

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
)

// A Refusal is a request that was refused, as the ledger keeps it if
// [Terms.Refusals] says so. It depends on charges alone, and tells nothing of rows.
type Refusal struct {
	Purpose string
	Key     string // of the request
	Analyst string // who asked, if the service says so
	Asked   dp.Loss
	Scope   string   // the limit that refused: see [RefusedError]
	Left    dp.Loss  // in the scope; nil is nothing
	Binds   []string // the numbers of the limit that are too small
	Frozen  bool
	Reason  string // if it is not a matter of amounts
}

// mostRefusals is the largest [Terms.Refusals].
const mostRefusals = 1000

type refusalJSON struct {
	Purpose string          `json:"purpose"`
	Key     string          `json:"key"`
	Analyst string          `json:"analyst,omitempty"`
	Asked   json.RawMessage `json:"asked"`
	Scope   string          `json:"scope"`
	Left    json.RawMessage `json:"left,omitempty"`
	Binds   []string        `json:"binds,omitempty"`
	Frozen  bool            `json:"frozen,omitempty"`
	Reason  string          `json:"reason,omitempty"`
}

// MarshalJSON writes losses as exact decimals.
func (f Refusal) MarshalJSON() ([]byte, error) {
	j := refusalJSON{f.Purpose, f.Key, f.Analyst, nil, f.Scope, nil, f.Binds, f.Frozen, f.Reason}
	var err1, err2 error
	if j.Asked, err1 = dp.MarshalLoss(f.Asked); f.Left != nil {
		j.Left, err2 = dp.MarshalLoss(f.Left)
	}
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON wrote, and nothing else.
func (f *Refusal) UnmarshalJSON(b []byte) error {
	var j refusalJSON
	if err := readStrictly("refusal", b, &j); err != nil {
		return err
	}
	*f = Refusal{j.Purpose, j.Key, j.Analyst, nil, j.Scope, nil, j.Binds, j.Frozen, j.Reason}
	var err1, err2 error
	if f.Asked, err1 = dp.UnmarshalLoss(j.Asked); j.Left != nil {
		f.Left, err2 = dp.UnmarshalLoss(j.Left)
	}
	return errors.Join(err1, err2)
}

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
	if kind == KindRefuse {
		return n + 1
	}
	return 0
}
