package aggregate_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

var errDown = errors.New("the store is down")

// breaks is a Budget over an account, one step of which fails: before it is
// durable, or after.
type breaks struct {
	*budget.Account
	step  string
	after bool
}

func (b *breaks) fails(step string, do func() error) error {
	if b.step != step {
		return do()
	}
	if b.after {
		if err := do(); err != nil {
			return err
		}
	}
	return errDown
}

func (b *breaks) Afford(ctx context.Context, c dp.Charge) error {
	return b.fails("afford", func() error { return b.Account.Afford(ctx, c) })
}

func (b *breaks) Spend(ctx context.Context, c dp.Charge) (p dp.Payment, err error) {
	failed := b.fails("spend", func() error {
		p, err = b.Account.Spend(ctx, c)
		return err
	})
	if failed != nil {
		return dp.Payment{}, failed
	}
	return p, nil
}

func (b *breaks) Keep(ctx context.Context, c dp.Charge, release []byte) (kept []byte, err error) {
	failed := b.fails("keep", func() error {
		kept, err = b.Account.Keep(ctx, c, release)
		return err
	})
	if failed != nil {
		return nil, failed
	}
	return kept, nil
}

func (b *breaks) Kept(ctx context.Context, c dp.Charge) (kept []byte, err error) {
	failed := b.fails("look", func() error {
		kept, err = b.Account.Kept(ctx, c)
		return err
	})
	if failed != nil {
		return nil, failed
	}
	return kept, nil
}

func newAccount(t testing.TB, limit dp.Loss) *budget.Account {
	t.Helper()
	a, err := budget.Create(t.Context(), budget.Memory(), budget.Terms{Dataset: "orders", Unit: "customer", Limit: limit})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

var someOrders = []order{{customer: 1, day: "mon"}, {customer: 2, day: "mon"}, {customer: 3, day: "tue"}}

// Every durable step of Run is broken twice: not persisted, and persisted with an
// error. Nothing is shown then; what is paid stays paid; and running again after
// the repair pays at most once in all.
func TestStepsOfRun(t *testing.T) {
	for _, test := range []struct {
		step  string
		after bool
		paid  int // entries of the ledger that cost something, after the failure
	}{
		{"look", false, 0}, {"look", true, 0},
		{"afford", false, 0}, {"afford", true, 0},
		{"spend", false, 0}, {"spend", true, 1},
		{"keep", false, 1}, {"keep", true, 1},
	} {
		t.Run(test.step+map[bool]string{false: " not persisted", true: " persisted"}[test.after], func(t *testing.T) {
			account := newAccount(t, dp.Pure{Epsilon: 1})
			q := orders()
			plan, err := q.Plan(dp.Pure{Epsilon: 1}, q.Count())
			if err != nil {
				t.Fatal(err)
			}
			request := aggregate.Request{Key: "k", Purpose: "test"}
			broken := &breaks{Account: account, step: test.step, after: test.after}
			release, err := plan.Run(t.Context(), broken, request, aggregate.Slice(someOrders))
			if release != nil || !errors.Is(err, errDown) {
				t.Fatalf("got %v, %v", release, err)
			}
			affordable := account.Afford(t.Context(), plan.Charge(aggregate.Request{Key: "other", Purpose: "test"})) == nil
			if affordable != (test.paid == 0) {
				t.Errorf("another request of the same price is affordable: %t, after %d payments", affordable, test.paid)
			}
			first, err := plan.Run(t.Context(), account, request, aggregate.Slice(someOrders))
			if err != nil {
				t.Fatalf("after the repair: %v", err)
			}
			again, err := plan.Run(t.Context(), account, request, nil) // rows are not read
			if err != nil || !same(first, again, q.Count()) {
				t.Errorf("the same request has another answer: %v", err)
			}
		})
	}
}

func same(a, b *aggregate.Release[string], column aggregate.Column[int64]) bool {
	if a.Len() != b.Len() || a.Receipt().Hash != b.Receipt().Hash {
		return false
	}
	for k, c := range a.All() {
		d, ok := b.Cell(k)
		if !ok || column.Of(c).Value != column.Of(d).Value {
			return false
		}
	}
	return true
}

// What goes wrong before Spend costs nothing.
func TestErrorsBeforePayingAreFree(t *testing.T) {
	q := orders()
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, q.Count())
	if err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	bad := iter.Seq2[order, error](func(yield func(order, error) bool) {
		_ = yield(someOrders[0], nil) && yield(order{}, errDown)
	})
	for name, test := range map[string]struct {
		ctx     context.Context
		request aggregate.Request
		rows    iter.Seq2[order, error]
		want    string
	}{
		"row":        {t.Context(), aggregate.Request{Key: "k", Purpose: "p"}, bad, "aggregate: reading rows: the store is down"},
		"cancelled":  {cancelled, aggregate.Request{Key: "k", Purpose: "p"}, aggregate.Slice(someOrders), "context canceled"},
		"no rows":    {t.Context(), aggregate.Request{Key: "k", Purpose: "p"}, nil, "aggregate: no rows given"},
		"no key":     {t.Context(), aggregate.Request{Purpose: "p"}, aggregate.Slice(someOrders), "Request.Key is empty"},
		"no purpose": {t.Context(), aggregate.Request{Key: "k"}, aggregate.Slice(someOrders), "Request.Purpose is empty"},
	} {
		p := newPurse()
		release, err := plan.Run(test.ctx, p, test.request, test.rows)
		if release != nil || err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, %v; want %s", name, release, err, test.want)
		}
		if len(p.charges) > 0 {
			t.Errorf("%s: %d payments", name, len(p.charges))
		}
	}
	if _, err := plan.Collect(cancelled, aggregate.Slice[order](nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("Collect of no rows when cancelled: %v", err)
	}
}

// E10: a key names one question. Another plan under it is the account's error, and
// neither paid nor answered.
func TestAnotherPlanUnderTheKeyIsRefused(t *testing.T) {
	account := newAccount(t, dp.Pure{Epsilon: 10})
	q := orders()
	one, err1 := q.Plan(dp.Pure{Epsilon: 1}, q.Count())
	two, err2 := q.Plan(dp.Pure{Epsilon: 1}, q.Units())
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	request := aggregate.Request{Key: "k", Purpose: "test"}
	if _, err := one.Run(t.Context(), account, request, aggregate.Slice(someOrders)); err != nil {
		t.Fatal(err)
	}
	release, err := two.Run(t.Context(), account, request, aggregate.Slice(someOrders))
	if release != nil || err == nil {
		t.Errorf("another plan under the key: %v, %v", release, err)
	}
	t.Log(err)
}

// D14: bytes that were kept are what every later call decodes.
func TestStoredBytesAreTheAnswer(t *testing.T) {
	p := newPurse()
	q := orders()
	plan, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Count())
	if err != nil {
		t.Fatal(err)
	}
	request := aggregate.Request{Key: "k", Purpose: "test"}
	for range 3 {
		if _, err := plan.Run(t.Context(), p, request, aggregate.Slice(someOrders)); err != nil {
			t.Fatal(err)
		}
	}
	if len(p.charges) != 1 || !bytes.Contains(p.kept["k"], []byte(plan.Fingerprint())) {
		t.Errorf("%d payments for one request", len(p.charges))
	}
}

// Every way in which Run ends at the budget is counted there, once.
func TestRunIsCountedHoweverItEnds(t *testing.T) {
	account := newAccount(t, dp.Pure{Epsilon: 1})
	q := orders()
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, q.Count())
	if err != nil {
		t.Fatal(err)
	}
	other, err := q.Plan(dp.Pure{Epsilon: 1}, q.Units())
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range []struct {
		plan *aggregate.Plan[order, customerID, string]
		key  string
		want budget.Counts
	}{
		{plan, "k", budget.Counts{Spent: 1}},
		{plan, "k", budget.Counts{Spent: 1, Repeated: 1}},
		{plan, "more", budget.Counts{Spent: 1, Repeated: 1, Refused: 1}},
		{other, "k", budget.Counts{Spent: 1, Repeated: 1, Refused: 1, KeyReused: 1}},
	} {
		_, err := end.plan.Run(t.Context(), account, aggregate.Request{Key: end.key, Purpose: "test"}, aggregate.Slice(someOrders))
		if got := account.Counts(); got != end.want {
			t.Errorf("after %q, %v: counts are %+v, want %+v", end.key, err, got, end.want)
		}
	}
}

// late is an account under whose key another caller keeps its release between this
// one's draw and its Keep.
type late struct {
	*budget.Account
	theirs []byte
}

func (b late) Keep(ctx context.Context, c dp.Charge, _ []byte) ([]byte, error) {
	return b.Account.Keep(ctx, c, b.theirs)
}

// Whoever loses the race to keep shows the release that was kept, and not its own.
func TestARacerShowsWhatWasKept(t *testing.T) {
	loss := dp.Pure{Epsilon: 1}
	q := orders()
	plan, err := q.Plan(loss, q.Count())
	if err != nil {
		t.Fatal(err)
	}
	request := aggregate.Request{Key: "k", Purpose: "test"}
	account := newAccount(t, loss)
	if _, err := plan.Run(t.Context(), account, request, aggregate.Slice(someOrders)); err != nil {
		t.Fatal(err)
	}
	theirs, err := account.Kept(t.Context(), plan.Charge(request))
	if err != nil {
		t.Fatal(err)
	}
	first, err := plan.Run(t.Context(), account, request, nil)
	if err != nil {
		t.Fatal(err)
	}
	many := make([]order, 0, 3000) // whose own counts would be far from theirs
	for i := range 3000 {
		many = append(many, order{customer: customerID(i), day: "mon"})
	}
	shown, err := plan.Run(t.Context(), late{newAccount(t, loss), theirs}, request, aggregate.Slice(many))
	if err != nil || !same(first, shown, q.Count()) {
		t.Errorf("a racer shows its own draw: %v", err)
	}
}

// The time of a receipt is that of the payment, as the ledger has it: in whole hours,
// and the same whenever the release is asked for again.
func TestAReceiptIsDatedWhenItWasPaid(t *testing.T) {
	account := newAccount(t, dp.Pure{Epsilon: 1})
	q := orders()
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, q.Count())
	if err != nil {
		t.Fatal(err)
	}
	r := aggregate.Request{Key: "k", Purpose: "test"}
	before := time.Now().Truncate(time.Hour)
	first, err := plan.Run(t.Context(), account, r, aggregate.Slice(someOrders))
	if err != nil {
		t.Fatal(err)
	}
	paid, err := account.Payment(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	again, err := plan.Run(t.Context(), account, r, aggregate.Slice(someOrders))
	if err != nil {
		t.Fatal(err)
	}
	at := first.Receipt().At
	if !at.Equal(paid.At) || !at.Equal(again.Receipt().At) || !at.Equal(at.Truncate(time.Hour)) || at.Before(before) || at.After(time.Now()) {
		t.Errorf("a release that was paid at %v has a receipt of %v, and of %v when asked again", paid.At, at, again.Receipt().At)
	}
}
