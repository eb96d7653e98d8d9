package aggregate_test

import (
	"context"
	"sync"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
)

// purse is a Budget that affords everything and keeps what it is given.
type purse struct {
	mu      sync.Mutex
	kept    map[string][]byte
	charges []dp.Charge
	fail    map[string]error // by method
}

func newPurse() *purse { return &purse{kept: make(map[string][]byte), fail: make(map[string]error)} }

func (p *purse) Afford(context.Context, dp.Charge) error { return p.fail["Afford"] }

func (p *purse) Spend(_ context.Context, c dp.Charge) (dp.Payment, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.fail["Spend"]; err != nil {
		return dp.Payment{}, err
	}
	p.charges = append(p.charges, c)
	return dp.Payment{Account: c.Dataset, Entry: uint64(len(p.charges)), At: time.Unix(0, 0), Kept: p.kept[c.Key]}, nil
}

func (p *purse) Keep(_ context.Context, c dp.Charge, release []byte) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.fail["Keep"]; err != nil {
		return nil, err
	}
	if p.kept[c.Key] == nil {
		p.kept[c.Key] = release
	}
	return p.kept[c.Key], nil
}

func (p *purse) Kept(_ context.Context, c dp.Charge) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.kept[c.Key], nil
}
