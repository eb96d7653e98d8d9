// Package purse has a budget for what is not to be paid for: audits, whose every run must
// draw fresh noise, and rows that may be looked at. It is internal, so that no program
// outside can have it in place of an account.
package purse

import (
	"context"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
)

// Free affords everything and remembers nothing. It is no account.
type Free struct{}

// Afford implements aggregate.Budget.
func (Free) Afford(context.Context, dp.Charge) error { return nil }

// Spend implements aggregate.Budget.
func (Free) Spend(_ context.Context, c dp.Charge) (dp.Payment, error) {
	return dp.Payment{Account: c.Dataset, Entry: 1, At: time.Unix(0, 0)}, nil
}

// Keep implements aggregate.Budget.
func (Free) Keep(_ context.Context, _ dp.Charge, release []byte) ([]byte, error) {
	return release, nil
}

// Kept implements aggregate.Budget.
func (Free) Kept(context.Context, dp.Charge) ([]byte, error) { return nil, nil }
