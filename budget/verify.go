package budget

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"
)

// A Report is what [Account.Verify] found.
type Report struct {
	Status  Status // recomputed from the records
	Anchor  Anchor // of the last record
	Charges int    // charges that were paid, draws from reservations included

	// Releases are those that were kept, each found to be what was kept.
	Releases int

	// Uncovered are entries whose release has no digest in the ledger, because a
	// version of this library that recorded none has kept it. Nothing is known
	// about its bytes. [Account.Cover] records their digests as they are now.
	Uncovered []uint64

	// NotRepeated are entries whose decision a filter of this program does not
	// repeat. They are not tampered with, since the chain holds; an earlier
	// program, or one on another machine, computed a bound that was smaller.
	NotRepeated []uint64

	// AgainstPolicy are entries with a charge that the policy, as it was in force, does not
	// allow, as this program reads it: whoever wrote them did not ask it.
	AgainstPolicy []uint64

	// Backdated are entries that are dated an hour or more before the one that
	// precedes them; all are dated in whole hours. Nothing depends on
	// their time.
	Backdated []uint64
}

// Verify reads the whole account again and recomputes everything: the numbers
// and the hash chain, every decision, every sum, and every release that was kept.
// It returns an error that wraps [ErrTampered] if the records do not fit together,
// do not have the records of the anchors, or differ from what this Account has
// read before, or if a release is not what was kept, or is missing, or nothing was
// kept where one is.
func (a *Account) Verify(ctx context.Context, anchors ...Anchor) (*Report, error) {
	if err := a.take(ctx); err != nil {
		return nil, err
	}
	defer a.release()
	if _, err := a.readOn(ctx); err != nil {
		return nil, err
	}
	v := &verifier{loader: loader{name: a.name}, hashes: map[uint64]digest{}}
	for rec, err := range a.store.Read(ctx, a.name, 0) {
		if err == nil {
			err = v.next(rec)
		}
		if err != nil {
			return nil, fmt.Errorf("budget: account %q: %w", a.name, err)
		}
	}
	known := Anchor{a.name, a.state.next - 1, a.state.last}
	for _, x := range append(anchors, known) {
		if err := x.check(a.name, v.hash); err != nil {
			return nil, err
		}
	}
	if err := v.releases(a.store.Releases(ctx, a.name)); err != nil {
		return nil, fmt.Errorf("budget: account %q: %w", a.name, err)
	}
	return v.result(), nil
}

// releases compares releases with the digests of the records, in the order of
// their numbers. What was kept after the records were read is not looked at.
func (v *verifier) releases(all iter.Seq2[Record, error]) error {
	checkpoints := map[uint64]settled{}
	for _, c := range v.seen {
		checkpoints[c.seq] = c
	}
	missing := map[uint64]*paid{}
	for _, p := range v.state.entries {
		if p.kept.seq != 0 {
			missing[p.beside()] = p
		}
	}
	for r, err := range all {
		if err != nil {
			return err
		}
		if r.Seq >= v.state.next {
			continue
		}
		if c, ok := checkpoints[r.Seq]; ok {
			delete(checkpoints, r.Seq)
			if err := c.compare(v.name, r.Release); err != nil {
				return err
			}
			continue
		}
		if err := v.releaseAt(r, missing[r.Seq]); err != nil {
			return err
		}
		delete(missing, r.Seq)
	}
	for _, seq := range slices.Sorted(maps.Keys(checkpoints)) {
		c := checkpoints[seq]
		return c.compare(v.name, nil)
	}
	for _, seq := range slices.Sorted(maps.Keys(missing)) {
		return missing[seq].check(v.name, nil)
	}
	return nil
}

func (v *verifier) releaseAt(r Record, p *paid) error {
	if p != nil {
		v.report.Releases++
		return p.check(v.name, r.Release)
	}
	if p = v.state.entries[r.Seq]; p == nil || !p.early || p.whole || p.kept.seq != 0 {
		return fmt.Errorf("%w: there is a release beside record %d, which keeps none", ErrTampered, r.Seq)
	}
	v.report.Uncovered = append(v.report.Uncovered, r.Seq)
	return nil
}

type verifier struct {
	loader
	report Report
	hashes map[uint64]digest
	at     time.Time
}

func (v *verifier) hash(seq uint64) (digest, bool) {
	h, ok := v.hashes[seq]
	return h, ok
}

// next repeats the decision of a record, and then applies it.
func (v *verifier) next(rec Record) error {
	r, err := decodeRecord(rec.Data)
	if err != nil {
		return err
	}
	at, err := r.time()
	if err != nil {
		return err
	}
	if r.Kind != KindKeep { // which is dated when it was paid
		if coarse(at).Before(coarse(v.at)) {
			v.report.Backdated = append(v.report.Backdated, rec.Seq)
		}
		v.at = at
	}
	if r.Charge != nil && v.state != nil {
		v.report.Charges++
		if err := v.again(r, at); err != nil {
			return err
		}
	}
	if err := v.loader.next(rec); err != nil {
		return err
	}
	v.hashes[rec.Seq] = v.state.last
	return nil
}

// again decides a stored charge as if it was new.
func (v *verifier) again(r *record, at time.Time) error {
	c, err := r.charge()
	if err != nil {
		return err
	}
	if err := errors.Join(v.state.terms.checkCharge(c)...); err != nil {
		return fmt.Errorf("%w: record %d has a charge that the terms do not allow: %w", ErrTampered, r.Seq, err)
	}
	if v.state.frozen != "" {
		return fmt.Errorf("%w: record %d was accepted while the account was frozen", ErrTampered, r.Seq)
	}
	d := v.state.draft()
	price := v.state.setup.Price(c)
	q := &request{charge: c, price: price, at: at, reserve: r.Kind == KindReserve}
	if r.Kind == KindDraw {
		q.from = v.state.plans[r.From]
	}
	against := d.allowed(q) != nil
	defer func() {
		if against {
			v.report.AgainstPolicy = append(v.report.AgainstPolicy, r.Seq)
		}
	}()
	if r.Kind == KindDraw {
		if p := v.state.plans[r.From]; p != nil && (p.allows(c) != "" || !price.Covered) {
			v.report.NotRepeated = append(v.report.NotRepeated, r.Seq)
		}
		return nil // applying it checks all else
	}
	if err := checkCovered(c, price); err != nil {
		return fmt.Errorf("%w: record %d: %w", ErrTampered, r.Seq, err)
	}
	scopes, took, err := d.amounts(q)
	if refused, ok := errors.AsType[*RefusedError](err); ok && strings.HasPrefix(refused.Scope, scopePolicy) {
		against = true
	} else if err != nil || !slices.Equal(ofTerms(scopes, took), r.Took) {
		v.report.NotRepeated = append(v.report.NotRepeated, r.Seq)
	}
	return nil
}

func (v *verifier) result() *Report {
	v.report.Status = v.state.draft().status()
	v.report.Anchor = Anchor{v.name, v.state.next - 1, v.state.last}
	return &v.report
}
