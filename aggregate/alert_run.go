package aggregate

import (
	"bytes"
	"context"
	"crypto/hpke"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// Watch asks about every period up to the one with the given number, from 1 on, that has
// not been asked about yet, and returns all alerts. The first call pays for all
// periods, and later ones pay nothing. A period is asked about once: an alert that was given
// stays, and so does the answer that there is none, whatever crashed and whoever ran at the same time.
//
// Rows are those of the periods that have not been asked about; others are left out. If
// there is no such period, rows are not read and may be nil.
//
// All periods are compared with one noisy threshold, which must stay secret: it is kept with the answer
// for the first period, sealed to key, of which [hpke.MLKEM768X25519] makes one. The key is needed
// until the last alert, and is to be kept as rows are; whoever has it and the ledger knows the
// noise of the threshold. Without it nothing more can be asked, and a new alert is
// paid for anew: no noise is used twice.
//
// What is released is private in the sense of the plan's loss, for all rows of a unit in
// all periods together. It has been paid for durably before noise was drawn, and kept
// durably before it was returned.
func Watch[Row any, Unit, Group comparable, B Budget](ctx context.Context, p *AlertPlan[Row, Unit, Group], account Reserver[B], key hpke.PrivateKey, r Request, through int, rows iter.Seq2[Row, error]) (*Alerts[Group], error) {
	if err := p.checkRun(account == nil, r, through); err != nil {
		return nil, err
	}
	draws, err := account.Reserve(ctx, p.Charge(r))
	if err != nil {
		return nil, fmt.Errorf("aggregate: %w", err)
	}
	w := &watcher[Row, Unit, Group]{plan: p, draws: draws, request: r, key: key, alerts: &Alerts[Group]{}}
	for !w.done(through) {
		kept, err := draws.Kept(ctx, p.draw(r, w.next()))
		if err != nil {
			return nil, fmt.Errorf("aggregate: looking for the stored answer: %w", err)
		}
		if kept == nil {
			return w.answered(ctx, through, rows)
		}
		if err := w.read(kept); err != nil {
			return nil, err
		}
	}
	return w.alerts, nil
}

func (p *AlertPlan[Row, Unit, Group]) checkRun(noAccount bool, r Request, through int) error {
	if err := checkReserved(noAccount, r, p.alert.Query.Consent); err != nil {
		return err
	}
	switch {
	case through < 1 || through > p.alert.Periods:
		return fmt.Errorf("aggregate: period %d cannot be asked about, must be 1 to %d; an alert that has ended is prolonged by a new one", through, p.alert.Periods)
	case p.alert.Arrived != nil && time.Now().Before(p.on.closes(through-1)):
		return fmt.Errorf("aggregate: period %s cannot be asked about before %s, since rows may arrive until then", p.labels[through-1], p.on.closes(through-1).Format(time.RFC3339))
	}
	return nil
}

// answered answers for the periods that are left.
func (w *watcher[Row, Unit, Group]) answered(ctx context.Context, through int, rows iter.Seq2[Row, error]) (*Alerts[Group], error) {
	noise, err := w.thresholdNoise() // before rows are read
	if err != nil {
		return nil, err
	}
	if err := w.draws.Afford(ctx, w.plan.draw(w.request, w.next())); err != nil { // a policy may have changed since it was paid
		return nil, fmt.Errorf("aggregate: %w", err)
	}
	sums, err := w.plan.collect(ctx, w.next(), through, rows)
	if err != nil {
		return nil, err
	}
	defer sums.wipe()
	for !w.done(through) {
		kept, own, err := w.answer(ctx, noise, sums)
		if err == nil {
			err = w.read(kept)
		}
		if err == nil && !own { // another run was the first, and has another threshold
			noise, err = w.thresholdNoise()
		}
		if err != nil {
			return nil, err
		}
	}
	return w.alerts, nil
}

// thresholdNoise returns the noise of the threshold: what was kept, or before the first answer
// what may be.
func (w *watcher[Row, Unit, Group]) thresholdNoise() (noise int64, err error) {
	if w.sealed != nil {
		return w.plan.open(w.key, w.request, w.sealed)
	}
	if w.key == nil {
		return 0, errNoKey
	}
	core.InSession(func(session *core.Session) { noise = session.Noise(w.plan.threshold, 1)[0] })
	return noise, nil
}

// answer draws what was paid for, adds noise and keeps. What is kept may be of another run.
func (w *watcher[Row, Unit, Group]) answer(ctx context.Context, noise int64, sums *partial[seriesPair[Group]]) (kept []byte, own bool, err error) {
	charge := w.plan.draw(w.request, w.next())
	payment, err := w.draws.Spend(ctx, charge)
	if err != nil {
		return nil, false, fmt.Errorf("aggregate: %w", err)
	}
	if payment.Kept != nil {
		return payment.Kept, false, nil
	}
	answer, err := w.encode(w.plan.receipt(charge, payment), noise, w.crossed(noise, sums))
	if err != nil {
		return nil, false, err
	}
	kept, err = w.draws.Keep(context.WithoutCancel(ctx), charge, answer)
	if err != nil {
		return nil, false, fmt.Errorf("aggregate: the answer is paid for but could not be kept, so it is not shown; watch again with the same key, at no cost: %w", err)
	}
	return kept, bytes.Equal(kept, answer), nil
}

// crossed returns for which groups an alert is given, which must have been paid for: one after the other, until there
// were as many as there may be. What it returns is public.
func (w *watcher[Row, Unit, Group]) crossed(noise int64, sums *partial[seriesPair[Group]]) (groups []Group) {
	p := w.plan
	exacts := make(map[Group]exact.Int128)
	for pair, g := range sums.each() {
		if pair.Period == w.next() {
			exacts[pair.Group] = g.sums[p.column.measure.first]
		}
	}
	core.InSession(func(session *core.Session) {
		for i, drawn := range session.Noise(p.numbers, len(p.given)) {
			if g := p.given[i]; len(groups) < w.left() && p.crosses(exacts[g], drawn, noise) {
				groups = append(groups, g)
			}
		}
	})
	return groups
}

// crosses says whether a number is on the wrong side of the threshold, both with noise that
// leads there and away.
func (p *AlertPlan[Row, Unit, Group]) crosses(sum exact.Int128, noise, ofThreshold int64) bool {
	least := exact.FromBig(p.least)
	if p.alert.When.below {
		return sum.Sub(exact.Int(noise)).Cmp(least.Sub(exact.Int(ofThreshold))) < 0
	}
	return sum.Add(exact.Int(noise)).Cmp(least.Add(exact.Int(ofThreshold))) >= 0
}

// collect reads, bounds and sums the rows of some periods.
func (p *AlertPlan[Row, Unit, Group]) collect(ctx context.Context, from, through int, rows iter.Seq2[Row, error]) (*partial[seriesPair[Group]], error) {
	if rows == nil {
		return nil, errors.New("aggregate: no rows given; for none use Slice of an empty slice")
	}
	partial, err := p.inner.Collect(ctx, func(yield func(Row, error) bool) {
		for row, err := range p.on.inTime(rows) {
			if err == nil {
				if t := p.on.period(row, p.first); t < from || t >= through {
					continue
				}
			}
			if !yield(row, err) {
				return
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return partial.state(), nil
}
