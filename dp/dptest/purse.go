package dptest

import (
	"context"
	"errors"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
)

// A purse is a budget that affords everything and remembers nothing, so that
// every run draws fresh noise. It is not an account: there is no way to get one
// out of this package.
type purse struct {
	kept []byte
	show bool // whether the run is to end with a release that can be read
}

// errSeen ends a run whose text is all that is looked at: reading it back is a
// function of the text, and takes longer than making it.
var errSeen = errors.New("dptest: the release was seen")

// Afford implements aggregate.Budget.
func (*purse) Afford(context.Context, dp.Charge) error { return nil }

// Spend implements aggregate.Budget.
func (*purse) Spend(_ context.Context, c dp.Charge) (dp.Payment, error) {
	return dp.Payment{Account: c.Dataset, Entry: 1, At: time.Unix(0, 0)}, nil
}

// Keep implements aggregate.Budget. It shows what would be stored, which is all
// that a release is read from.
func (p *purse) Keep(_ context.Context, _ dp.Charge, release []byte) ([]byte, error) {
	p.kept = release
	if !p.show {
		return nil, errSeen
	}
	return release, nil
}

// Kept implements aggregate.Budget.
func (*purse) Kept(context.Context, dp.Charge) ([]byte, error) { return nil, nil }
