package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/equipoise-dp/equipoise/aggregate"
)

// answer is the whole run: every mistake that can be found is found before the
// release is paid for, and files appear only after it.
func (o *options) answer(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) (err error) {
	if o.Alert != "" {
		return o.answerAlert(ctx, stdin, stdout, stderr)
	}
	if o.Series != "" {
		return o.answerSeries(ctx, stdin, stdout, stderr)
	}
	q, err := o.ask()
	if err != nil {
		return err
	}
	for _, w := range append(o.warnings(), o.notes()...) {
		fmt.Fprintf(stderr, "trends: %s\n", w)
	}
	if o.Plan {
		request := o.request(q)
		fmt.Fprint(stdout, o.priceList(q)+o.standing(ctx, request, q.plan.Charge(request)))
		return nil
	}
	if o.Forecast != "" {
		return o.forecast(ctx, q, stdin, stdout, stderr)
	}
	if o.Rehearse != nil {
		return o.rehearse(ctx, q, stdout, stderr)
	}
	files, err := stageAll(o.forms(), len(o.slots()))
	defer func() { err = errors.Join(err, files.discard()) }()
	if err != nil {
		return err
	}
	r, err := o.release(ctx, q, stdin, stderr)
	if err != nil {
		return err
	}
	err = publish(files, o.forms(), r, func() error { return r.writeTerminal(stdout, isTerminal(stdout)) }, stdout, stderr, "")
	if err != nil {
		return fmt.Errorf("%w\nthe release is paid for and kept: run again with -key %s, at no cost", err, r.Receipt.Key)
	}
	return nil
}

// release gets the report's numbers: kept ones if the request was answered
// before, otherwise new ones, paid for.
func (o *options) release(ctx context.Context, q *question, stdin io.Reader, stderr io.Writer) (_ *report, err error) {
	in, err := o.open(ctx, stdin, stderr)
	if err != nil {
		return nil, err
	}
	l, err := o.openLedger(ctx)
	if err != nil {
		return nil, err
	}
	request := o.request(q)
	var released *aggregate.Release[slot]
	again := false
	if l == nil {
		l, released, err = o.first(ctx, q, in, stderr)
	} else {
		again = l.answered(ctx, request)
		released, err = o.next(ctx, l, q, in)
	}
	if l != nil {
		defer func() { err = errors.Join(err, l.close()) }()
	}
	if err != nil {
		return nil, err
	}
	if again {
		fmt.Fprintf(stderr, "this question was answered before (key %s): same numbers, nothing charged; -key asks anew\n", request.Key)
	}
	left, err := l.balance(context.WithoutCancel(ctx), q.plan.Charge(request))
	if err != nil {
		return nil, err
	}
	return o.report(q, released, left, again)
}

// first makes the ledger too, after the rows were read: a file that cannot be
// read leaves no ledger behind.
func (o *options) first(ctx context.Context, q *question, in *input, stderr io.Writer) (*ledger, *aggregate.Release[slot], error) {
	if err := o.checkLimit(); err != nil {
		return nil, nil, usage{err}
	}
	part, err := q.plan.Collect(ctx, in.rows)
	in.done()
	if err != nil {
		return nil, nil, err
	}
	l, err := o.createLedger(ctx)
	if err != nil {
		return nil, nil, err
	}
	fmt.Fprintf(stderr, "created ledger %s: all reports on dataset %q together may cost %s\n", o.Ledger, o.Dataset, o.limitWords())
	r, err := q.plan.Release(ctx, l.account, o.request(q), part)
	return l, r, err
}

// next runs the plan against a ledger that is there.
func (o *options) next(ctx context.Context, l *ledger, q *question, in *input) (*aggregate.Release[slot], error) {
	defer in.done()
	return q.plan.Run(ctx, l.account, o.request(q), in.rows)
}
