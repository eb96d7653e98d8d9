package budget

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/equipoise-dp/equipoise/budget/policy"
	"github.com/equipoise-dp/equipoise/dp"
)

// An Entry is one record of an account, as its readers see it.
type Entry struct {
	Seq       uint64
	Kind      string    // KindCreate, KindSpend, …
	At        time.Time // in whole hours; of what is kept: when it was paid
	Module    string    // version of this module that wrote it; "" of early ones
	Hash      [32]byte
	Terms     *Terms            // KindCreate
	Charge    *dp.Charge        // KindSpend, KindReserve, KindDraw
	Decisions map[string]string // likewise: how each scope took the charge
	From      uint64            // KindDraw: the entry that reserved; KindKeep: the entry that paid
	Digest    [32]byte          // KindKeep: of the release; KindCheckpoint: of the state beside it
	Limit     dp.Loss           // KindRaise
	Reason    string            // KindRaise, KindFreeze, KindThaw, KindPolicy, KindWithdraw, KindOutside
	By        string            // likewise

	Refused *Refusal // KindRefuse

	Policy  *policy.Policy // KindPolicy
	Purpose string         // KindWithdraw
	Outside *Outside       // KindOutside
}

// Entries yields the entries of the account, its terms first. It checks that
// they are chained; [Account.Verify] checks that they add up.
func (a *Account) Entries(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		var terms Terms
		var at link
		for rec, err := range a.store.Read(ctx, a.name, 0) {
			var e Entry
			if err == nil {
				e, err = readEntry(rec, &at, &terms)
			}
			if err != nil {
				yield(Entry{}, fmt.Errorf("budget: account %q: %w", a.name, err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

func readEntry(rec Record, at *link, terms *Terms) (Entry, error) {
	r, err := decodeRecord(rec.Data)
	if err != nil {
		return Entry{}, err
	}
	if rec.Seq != at.seq {
		return Entry{}, fmt.Errorf("%w: the store gives record %d where record %d belongs", ErrTampered, rec.Seq, at.seq)
	}
	if err := r.follows(*at); err != nil {
		return Entry{}, err
	}
	hash := hashOf(rec.Data)
	*at = at.after(r, hash)
	if r.Terms != nil {
		*terms = *r.Terms
	}
	return r.entry(hash, terms)
}

func (r *record) entry(hash digest, terms *Terms) (e Entry, err error) {
	e = Entry{Seq: r.Seq, Kind: r.Kind, Module: r.Module, Hash: hash, Terms: r.Terms, From: r.From, Reason: r.Reason, By: r.By, Refused: r.Refused, Purpose: r.Purpose, Outside: r.Outside}
	if e.At, err = r.time(); err != nil {
		return e, err
	}
	if e.Policy, err = r.readPolicy(); err != nil {
		return e, err
	}
	if r.Digest != "" {
		if e.Digest, err = r.digest(); err != nil {
			return e, err
		}
	}
	if r.Limit != nil {
		if e.Limit, err = dp.UnmarshalLoss(r.Limit); err != nil {
			return e, fmt.Errorf("%w: record %d: %w", ErrTampered, r.Seq, err)
		}
	}
	if r.Charge == nil {
		return e, nil
	}
	if e.Charge, err = r.charge(); err != nil {
		return e, err
	}
	e.Decisions = map[string]string{}
	if scopes, err := terms.scopesOf(e.Charge); err == nil && len(scopes) == len(r.Took) {
		for i, sc := range scopes {
			e.Decisions[sc.String()] = string(r.Took[i])
		}
	}
	return e, nil
}
