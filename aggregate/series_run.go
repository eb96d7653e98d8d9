package aggregate

import (
	"context"
	"fmt"
	"iter"
	"math/big"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// A Reserver is a [Budget] that pays for a whole series before its first release. What
// it returns is drawn from, period by period.
//
// An account of package budget is a Reserver.
type Reserver[B Budget] interface {
	Reserve(ctx context.Context, whole dp.Charge) (B, error)
}

// Advance releases every period of the series up to the one with the given number, from
// 1 on, that has not been released yet, and returns all that is released. The first call pays for the
// whole series, and later ones pay nothing. A period that was released has the same
// numbers for ever, whatever crashed and whoever ran at the same time.
//
// Rows are those of the data from the first period on, also of periods that were released: noise is
// shared over the periods, and nothing private is kept between two runs. They must be
// what they were then. Whoever may not be used any more can be left out, with all of
// their rows: what was released stays, and later periods mostly have too little, by a part of what those had counted
// for before, unless noise is independent. A row that was not there when its period was released comes too late, and must
// be left out if units have a cap: Series.Arrived does that. If nothing is to be released, rows are not read and may be nil.
//
// What is released is private in the sense of the plan's loss, for all rows of a unit
// in all periods together. It has been paid for durably before noise was drawn, and
// kept durably before it was returned.
func Advance[Row any, Unit, Group comparable, B Budget](ctx context.Context, p *SeriesPlan[Row, Unit, Group], account Reserver[B], r Request, through int, rows iter.Seq2[Row, error]) (*Trend[Group], error) {
	if err := p.checkRun(account == nil, r, through); err != nil {
		return nil, err
	}
	draws, err := account.Reserve(ctx, p.Charge(r))
	if err != nil {
		return nil, fmt.Errorf("aggregate: %w", err)
	}
	kept := make([][]byte, p.releases(through))
	missing := -1 // the first that is
	for t := range kept {
		if kept[t], err = draws.Kept(ctx, p.draw(r, t)); err != nil {
			return nil, fmt.Errorf("aggregate: looking for the stored release: %w", err)
		}
		if missing < 0 && kept[t] == nil {
			missing = t
		}
	}
	if missing >= 0 {
		if err := p.checkAge(time.Now()); err != nil {
			return nil, err
		}
		if err := draws.Afford(ctx, p.draw(r, missing)); err != nil { // a policy may have changed since it was paid
			return nil, fmt.Errorf("aggregate: %w", err)
		}
		sums, err := p.collect(ctx, through, rows)
		if err != nil {
			return nil, err
		}
		defer sums.wipe()
		for t := range kept {
			if kept[t] != nil {
				continue
			}
			if kept[t], err = p.release(ctx, draws, r, t, sums); err != nil {
				return nil, err
			}
		}
	}
	return p.trend(kept)
}

func (p *SeriesPlan[Row, Unit, Group]) checkRun(noAccount bool, r Request, through int) error {
	if err := checkReserved(noAccount, r, p.series.Query.Consent); err != nil {
		return err
	}
	switch {
	case through < 1 || through > p.periods:
		return fmt.Errorf("aggregate: the series cannot advance to period %d, must be 1 to %d; a series that has ended is prolonged by a new one", through, p.periods)
	case p.atOnce && through != p.periods:
		return fmt.Errorf("aggregate: the series is released at once and cannot advance to period %d, must be %d", through, p.periods)
	case p.series.Arrived != nil && time.Now().Before(p.on.closes(through-1)):
		return fmt.Errorf("aggregate: the series cannot advance to period %s before %s, since rows may arrive until then", p.labels[through-1], p.on.closes(through-1).Format(time.RFC3339))
	}
	return nil
}

// checkAge returns an error if rows of the first period no longer count. It depends on
// the declaration and the day.
func (p *SeriesPlan[Row, Unit, Group]) checkAge(now time.Time) error {
	r, begins := p.series.Query.Retention, p.step.begins(p.first, p.series.Zone)
	if r == nil || !begins.Before(r.first(now)) {
		return nil
	}
	return fmt.Errorf("aggregate: rows count for %d days, and the series begins on %s: nothing more of it can be released, and what was released stays; declare a new series",
		r.Days, begins.Format(time.DateOnly))
}

// release draws what was paid for, adds noise and keeps.
func (p *SeriesPlan[Row, Unit, Group]) release(ctx context.Context, draws Budget, r Request, t int, sums *seriesSums[Group]) ([]byte, error) {
	charge := p.draw(r, t)
	payment, err := draws.Spend(ctx, charge)
	if err != nil {
		return nil, fmt.Errorf("aggregate: %w", err)
	}
	if payment.Kept != nil {
		return payment.Kept, nil
	}
	release := p.encode(p.receipt(charge, payment), t, p.noisy(t, sums))
	kept, err := draws.Keep(context.WithoutCancel(ctx), charge, release)
	if err != nil {
		return nil, fmt.Errorf("aggregate: the release is paid for but could not be kept, so it is not shown; advance again with the same key, at no cost: %w", err)
	}
	return kept, nil
}

// noisy draws the noise of a release, which must have been paid for: for every group
// and part, rows. What it returns is public.
func (p *SeriesPlan[Row, Unit, Group]) noisy(release int, sums *seriesSums[Group]) [][][]*big.Int {
	groups := make([][][]*big.Int, len(p.given))
	core.InSession(func(session *core.Session) {
		for g, key := range p.given {
			for _, m := range p.measures {
				from, to := p.rowsOf(m, release)
				for i := range m.parts() {
					x := sums.part(key, p.periods, m.first+i)
					groups[g] = append(groups[g], m.noisy(session, from, to, x, exact.Int(sums.people[key])))
				}
			}
		}
	})
	return groups
}

// noisy returns rows of one part with noise.
func (m *shared) noisy(session *core.Session, from, to int, x []exact.Int128, people exact.Int128) []*big.Int {
	var rows []*big.Int
	noise := session.Noise(m.law, to-from)
	for t := from; t < to; t++ {
		row := m.strategy.Encode(t, x, people)
		row.Lsh(row, m.extra)
		rows = append(rows, row.Add(row, big.NewInt(noise[t-from])))
	}
	return rows
}
