package budget

import (
	"context"
	"fmt"

	"github.com/equipoise-dp/equipoise/dp"
)

// Once pays for a charge, calls draw, keeps what it returns and returns what was
// kept: one answer to one payment, however often and by whomever it is asked. If the
// charge was answered before, it returns that answer and does not call draw.
//
// It is the easy way to pair a payment with noise that is drawn by hand. A caller of
// [Account.Spend] who draws and does not keep gives another answer each time, under
// one payment, and the mean of many has hardly any noise.
//
// If draw fails, or the process ends before its answer is kept, the charge stays
// paid, and Once under the same key draws again at no cost. The answer must not be
// shown to anyone but through what Once returns, and must not be nil.
func (a *Account) Once(ctx context.Context, c dp.Charge, draw func() ([]byte, error)) ([]byte, error) {
	return once(ctx, a, c, draw)
}

// Once is [Account.Once], paid by the reservation.
func (v *Reservation) Once(ctx context.Context, c dp.Charge, draw func() ([]byte, error)) ([]byte, error) {
	return once(ctx, v, c, draw)
}

type payer interface {
	Spend(context.Context, dp.Charge) (dp.Payment, error)
	Keep(context.Context, dp.Charge, []byte) ([]byte, error)
}

func once(ctx context.Context, b payer, c dp.Charge, draw func() ([]byte, error)) ([]byte, error) {
	p, err := b.Spend(ctx, c)
	if err != nil || p.Kept != nil {
		return p.Kept, err
	}
	answer, err := draw()
	if err != nil {
		return nil, fmt.Errorf("budget: account %q: request key %q is paid and not answered; ask again under the same key, at no cost: %w", p.Account, c.Key, err)
	}
	return b.Keep(context.WithoutCancel(ctx), c, answer)
}
