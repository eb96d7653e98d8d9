package budget

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
)

// Requests that arrive while records are being appended wait in a queue. Who
// gets the turn next takes all of them, decides each in order, and appends what
// was accepted in one go. Nobody waits for a timer: alone, a request is appended
// at once.

// maxBatch bounds how many records one append has.
const maxBatch = 512

type queue struct {
	mu      sync.Mutex
	waiting []*request
}

func (q *queue) push(r *request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, r)
}

// remove takes a request back, unless somebody is at it already.
func (q *queue) remove(r *request) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, r)
	if i < 0 {
		return false
	}
	q.waiting = slices.Delete(q.waiting, i, i+1)
	return true
}

func (q *queue) take() []*request {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.waiting), maxBatch)
	batch := q.waiting[:n:n]
	q.waiting = q.waiting[n:]
	return batch
}

// submit gets a request decided, by this goroutine or another one.
func (a *Account) submit(ctx context.Context, r *request) (dp.Payment, error) {
	if err := ctx.Err(); err != nil {
		return dp.Payment{}, fmt.Errorf("budget: account %q: nothing was spent: %w", a.name, err)
	}
	a.queue.push(r)
	for {
		select {
		case <-r.done:
			return r.payment, r.err
		case a.turn <- struct{}{}:
			runtime.Gosched() // those who have just got an answer may be about to ask again
			a.serve(a.queue.take())
			a.release()
		case <-ctx.Done():
			return a.abandon(ctx, r)
		}
	}
}

// abandon answers a caller who does not want to wait any more. If the request is
// being appended, its outcome is unknown to the caller.
func (a *Account) abandon(ctx context.Context, r *request) (dp.Payment, error) {
	if a.queue.remove(r) {
		return dp.Payment{}, fmt.Errorf("budget: account %q: nothing was spent: %w", a.name, ctx.Err())
	}
	select {
	case <-r.done:
		return r.payment, r.err
	default:
		return dp.Payment{}, r.unknown(a.name, ctx.Err())
	}
}

// serve answers every request of a batch. The caller holds the turn.
func (a *Account) serve(batch []*request) {
	if len(batch) == 0 {
		return
	}
	ctx, stop := together(batch)
	defer stop()
	fresh := false
	if a.doubt {
		if _, err := a.readOn(ctx); err != nil {
			answerDoubt(a.name, batch, err)
			return
		}
		a.doubt, fresh = false, true
	}
	for len(batch) > 0 {
		batch, fresh = a.attempt(ctx, batch, fresh)
	}
	a.keepUp(ctx)
}

// attempt decides a batch and appends what it accepts. It returns the requests
// that have no answer yet, and whether the state is known to be up to date.
func (a *Account) attempt(ctx context.Context, batch []*request, fresh bool) ([]*request, bool) {
	d := a.state.draft()
	refusal := d.addAll(a, batch)
	if refusal && !fresh { // another process may have raised the limit, or paid for a key
		if grew, err := a.readOn(ctx); err == nil && grew {
			return batch, true
		}
	}
	if len(d.records) == 0 {
		finish(batch)
		return nil, true
	}
	switch out, err := a.append(ctx, d); out {
	case appended:
		a.mu.Lock()
		d.commit()
		a.mu.Unlock()
		finish(batch)
		return nil, true
	case overtaken:
		return batch, true
	case unsure:
		for _, r := range batch {
			if r.err == nil {
				r.err = r.unknown(a.name, err)
			}
		}
		finish(batch)
		return nil, false
	default:
		answerAll(batch, err)
		return nil, false
	}
}

type appendOutcome int

const (
	appended  appendOutcome = iota
	overtaken               // others have appended, and their records are applied
	unsure                  // the records may be there
	broken                  // the store contradicts itself
)

// append makes the records of a draft durable, or finds out that they are not.
func (a *Account) append(ctx context.Context, d *draft) (appendOutcome, error) {
	err := a.store.Append(ctx, a.name, d.records...)
	if err == nil {
		return appended, nil
	}
	if errors.Is(err, ErrConflict) {
		return a.overtake(ctx, d)
	}
	if errors.Is(err, ErrNotAppended) {
		return broken, fmt.Errorf("budget: account %q: nothing was spent: %w", a.name, err)
	}
	// It may be there now, or later. To append the same records again is safe:
	// of two, one conflicts.
	again, stop := context.WithTimeout(context.WithoutCancel(ctx), resolveFor)
	defer stop()
	switch retry := a.store.Append(again, a.name, d.records...); {
	case retry == nil:
		return appended, nil
	case errors.Is(retry, ErrConflict):
		return a.overtake(again, d)
	}
	if there, readErr := holds(again, a.store, a.name, d.next, d.records[0].Data); readErr == nil && there {
		return appended, nil
	}
	a.doubt = true
	return unsure, err
}

// resolveFor bounds how long an append that failed is asked about.
const resolveFor = 10 * time.Second

// overtake learns who was faster; it may have been this draft itself.
func (a *Account) overtake(ctx context.Context, d *draft) (appendOutcome, error) {
	there, err := holds(ctx, a.store, a.name, d.next, d.records[0].Data)
	if err == nil && there {
		return appended, nil
	}
	grew := false
	if err == nil {
		grew, err = a.readOn(ctx)
	}
	switch {
	case err != nil:
		// Nothing of the draft was appended now. Had an attempt before failed,
		// its records could be there, and nobody knows.
		a.doubt = true
		return unsure, err
	case !grew:
		return broken, fmt.Errorf("budget: account %q: %w: the store refuses record %d and does not have it: it was rolled back or is broken",
			a.name, ErrTampered, d.next)
	}
	a.counts.conflicts.Add(1)
	return overtaken, nil
}

// addAll decides every request of a batch in order, as if those before it were
// accepted already, and says whether any was refused.
func (d *draft) addAll(a *Account, batch []*request) (refusal bool) {
	d.added = make(map[string]int, len(batch))
	at := a.now()
	for _, r := range batch {
		r.payment, r.first, r.err = dp.Payment{}, false, nil
		if r.err = d.addOne(a.name, r, at); r.err != nil {
			refusal = true
		}
	}
	return refusal
}

func (d *draft) addOne(account string, r *request, at time.Time) (err error) {
	switch {
	case r.keep != nil:
		return d.addKeep(r)
	case r.refusal != nil:
		return d.addRefusal(r.refusal, at)
	}
	key := r.charge.Key
	if old, ok := d.keys[key]; ok {
		r.payment, err = old.payment(account, r)
		return err
	}
	if i, ok := d.added[key]; ok {
		r.payment, err = d.paid[i].payment(account, r)
		return err
	}
	r.at = at
	rec := record{Kind: r.kind(), At: stamp(coarse(at)), Charge: r.raw}
	if rec.Took, rec.From, err = d.spendWays(r); err != nil {
		return err
	}
	if err := d.write(&rec, nil); err != nil {
		return err
	}
	if r.reserve {
		d.planned = append(d.planned, newPlan(rec.Seq, r.charge))
	}
	d.added[key] = len(d.paid)
	d.paid = append(d.paid, &paid{seq: rec.Seq, hash: d.last, asked: r.asked, at: coarse(at), whole: r.reserve, units: d.counts(r.charge, r.reserve)})
	r.first = true
	r.payment, err = d.paid[len(d.paid)-1].payment(account, r)
	return err
}

// write gives a record its place in the chain, and a release its place beside it.
func (d *draft) write(rec *record, release []byte) error {
	rec.Seq, rec.Prev, rec.Checkpoint = d.next+uint64(len(d.records)), hexOf(d.last), d.checkpoint
	data, hash, err := rec.encode()
	if err != nil {
		return err
	}
	d.records = append(d.records, Record{rec.Seq, data, release})
	d.last, d.refusals = hash, refusalsAfter(d.refusals, rec.Kind)
	return nil
}

// together returns a context that lives as long as one of the callers does.
func together(batch []*request) (context.Context, context.CancelFunc) {
	if len(batch) == 1 {
		return batch[0].ctx, func() {}
	}
	ctx := context.WithoutCancel(batch[0].ctx)
	if slices.ContainsFunc(batch, func(r *request) bool { return r.ctx.Done() == nil }) {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var mu sync.Mutex
	alive := len(batch)
	stops := []func() bool{}
	for _, r := range batch {
		stops = append(stops, context.AfterFunc(r.ctx, func() {
			mu.Lock()
			defer mu.Unlock()
			if alive--; alive == 0 {
				cancel()
			}
		}))
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel()
	}
}

func answerAll(batch []*request, err error) {
	for _, r := range batch {
		r.payment, r.err = dp.Payment{}, err
	}
	finish(batch)
}

// answerDoubt answers while it is not known what an earlier append did: any of
// the keys may have been paid by it.
func answerDoubt(account string, batch []*request, err error) {
	for _, r := range batch {
		r.payment, r.err = dp.Payment{}, r.unknown(account, err)
	}
	finish(batch)
}

func finish(batch []*request) {
	for _, r := range batch {
		close(r.done)
	}
}
