package aggregatetest

import (
	"context"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
)

// A purse is a budget that affords everything and remembers nothing, so that
// every run draws fresh noise. It is not an account: there is no way to get one
// out of this package.
type purse struct{}

// Afford implements aggregate.Budget.
func (purse) Afford(context.Context, dp.Charge) error { return nil }

// Spend implements aggregate.Budget.
func (purse) Spend(_ context.Context, c dp.Charge) (dp.Payment, error) {
	return dp.Payment{Account: c.Dataset, Entry: 1, At: time.Unix(0, 0)}, nil
}

// Keep implements aggregate.Budget.
func (purse) Keep(_ context.Context, _ dp.Charge, release []byte) ([]byte, error) {
	return release, nil
}

// Kept implements aggregate.Budget.
func (purse) Kept(context.Context, dp.Charge) ([]byte, error) { return nil, nil }
