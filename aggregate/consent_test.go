package aggregate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// choices is a source that knows some units and answers no more often than it should.
type choices struct {
	said  map[int]Choice
	asked map[int]int
	err   error
	short bool
}

func (c *choices) Choices(_ context.Context, purpose string, units []int) ([]Choice, error) {
	answers := make([]Choice, 0, len(units))
	for _, u := range units {
		if c.asked != nil {
			c.asked[u]++
		}
		said, ok := c.said[u]
		if !ok {
			said = Silent
		}
		answers = append(answers, said)
	}
	if c.short {
		answers = answers[1:]
	}
	return answers, c.err
}

// someFacts are rows of few units in few groups; some units have more than the caps allow.
func someFacts(r *rand.Rand) (rows []fact) {
	for range 5 + r.IntN(60) {
		rows = append(rows, fact{r.IntN(6), r.IntN(4), r.Int64N(12) - 6, r.Float64()})
	}
	return rows
}

func without(rows []fact, units ...int) []fact {
	return slices.DeleteFunc(slices.Clone(rows), func(f fact) bool { return slices.Contains(units, f.who) })
}

// Whoever is out is as if there were no rows of them, exactly, in every measure. The seed
// is the same on both sides, so nothing is left to chance.
func TestOptingOutIsHavingNoRows(t *testing.T) {
	plans := make([]*Plan[fact, int, int], 3)
	for i := range plans {
		plans[i] = facts(t, dp.Pure{Epsilon: 1}, smallBounds[2*i], 2, 3)
	}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 7))
		rows := someFacts(r)
		said, out := map[int]Choice{}, []int{}
		mode := ConsentMode(1 + r.IntN(2))
		for u := range 6 {
			said[u] = Choice(1 + r.IntN(3))
			if said[u] == No || said[u] == Silent && mode == OptIn {
				out = append(out, u)
			}
		}
		plan := plans[seed%3]
		plan.query.Consent = nil
		want := plan.collectedFor(t, without(rows, out...))
		source := &choices{said: said, asked: map[int]int{}}
		plan.query.Consent = &Consent[int]{mode, "p", source}
		if got := plan.collectedFor(t, rows); !sameSums(got, want) {
			t.Fatalf("seed %d: units %v are out, and sums differ from those without their rows", seed, out)
		}
		for u, n := range source.asked {
			if n != 1 {
				t.Fatalf("seed %d: unit %d was asked %d times in a run", seed, u, n)
			}
		}
	}
}

// Rows come in several batches, and units again in later ones.
func TestConsentIsAskedInBatches(t *testing.T) {
	var rows []fact
	for i := range 3*asksAtOnce + 5 {
		rows = append(rows, fact{who: i % (asksAtOnce + 1)})
	}
	source := &choices{said: map[int]Choice{3: No}, asked: map[int]int{}}
	q := &Query[fact, int, int]{Unit: func(f fact) int { return f.who }, Consent: &Consent[int]{OptOut, "p", source}}
	var got []fact
	for row, err := range q.admitted(t.Context(), Slice(rows)) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, row)
	}
	if want := without(rows, 3); !slices.Equal(got, want) || len(source.asked) != asksAtOnce+1 {
		t.Errorf("%d rows of %d, %d units asked", len(got), len(want), len(source.asked))
	}
	for range q.admitted(t.Context(), Slice(rows)) {
		break // and asks nobody after
	}
}

func TestConsentFailsClosedAndNamesNobody(t *testing.T) {
	secret := errors.New("ann@example.org is no number")
	for name, source := range map[string]*choices{
		"an error": {err: secret}, "too few": {short: true}, "no choice": {said: map[int]Choice{1: 0}}, "another choice": {said: map[int]Choice{1: 9}},
	} {
		plan := facts(t, dp.Pure{Epsilon: 1}, smallBounds[0], 2, 3)
		plan.query.Consent = &Consent[int]{OptOut, "p", source}
		partial, err := plan.Collect(t.Context(), Slice([]fact{{who: 1}, {who: 2}}))
		if partial != nil || err == nil || strings.Contains(fmt.Sprintf("%v %+v %q", err, err, err), "ann") || !strings.Contains(err.Error(), "nothing was counted, paid or released") {
			t.Errorf("%s: %v, %v", name, partial, err)
		}
		if name == "an error" && !errors.Is(err, secret) {
			t.Error("who asks for the cause does not get it")
		}
	}
}

// Between two runs somebody says no: the second is without them, and both were asked.
func TestConsentIsAskedAnewAtEveryRun(t *testing.T) {
	source := &choices{said: map[int]Choice{}}
	plan := facts(t, dp.Pure{Epsilon: 1}, smallBounds[0], 2, 3)
	plan.query.Consent = &Consent[int]{OptOut, "p", source}
	rows := []fact{{who: 1}, {who: 2}}
	before := plan.collectedFor(t, rows)
	source.said[2] = No
	if sameSums(before, plan.collectedFor(t, rows)) {
		t.Error("a choice made after the first run does not matter to the second")
	}
}

func TestMistakesOfConsentAndRetentionComeBackTogether(t *testing.T) {
	q := &Query[fact, int, int]{
		Dataset: "facts", UnitName: "unit", MaxGroups: 1, MaxRowsPerGroup: 1, Unit: func(f fact) int { return f.who },
		Consent: &Consent[int]{}, Retention: &Retention[fact]{}, LeastGroup: 3,
	}
	_, err := q.Plan(dp.Pure{Epsilon: 1}, q.Count())
	for _, want := range []string{"Consent.Mode is 0", "Consent.Purpose is empty", "Consent.Source is nil", "Retention.Time is nil", "Retention.Days is 0", "LeastGroup is 3"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	plan := facts(t, dp.Pure{Epsilon: 1}, smallBounds[0], 2, 3)
	plan.query.Consent = &Consent[int]{OptOut, "p", &choices{}}
	if _, err := plan.Run(t.Context(), alwaysPays{}, Request{Key: "k", Purpose: "q"}, Slice([]fact{})); err == nil || !strings.Contains(err.Error(), "make a query for each purpose") {
		t.Errorf("another purpose than units are asked about: %v", err)
	}
}

type alwaysPays struct{}

func (alwaysPays) Afford(context.Context, dp.Charge) error                       { return nil }
func (alwaysPays) Spend(context.Context, dp.Charge) (dp.Payment, error)          { return dp.Payment{}, nil }
func (alwaysPays) Kept(context.Context, dp.Charge) ([]byte, error)               { return nil, nil }
func (alwaysPays) Keep(_ context.Context, _ dp.Charge, r []byte) ([]byte, error) { return r, nil }

func TestOldRowsDoNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now().UTC() // midnight of 1 January 2000
		days := func(n int) time.Time { return now.AddDate(0, 0, n) }
		r := &Retention[time.Time]{Time: func(at time.Time) time.Time { return at }, Days: 30}
		q := &Query[time.Time, int, int]{Retention: r}
		rows := []time.Time{days(-30), days(-30).Add(-time.Nanosecond), days(-31), days(5), days(0)}
		time.Sleep(23 * time.Hour) // the same day
		var kept []time.Time
		for row, err := range q.admitted(t.Context(), Slice(rows)) {
			if err != nil {
				t.Fatal(err)
			}
			kept = append(kept, row)
		}
		if want := []time.Time{rows[0], rows[3], rows[4]}; !slices.Equal(kept, want) {
			t.Errorf("%v count, want %v", kept, want)
		}
	})
}

// A row that cannot be read ends a run, whatever else is filtered.
func TestFiltersPassErrorsOn(t *testing.T) {
	broken := errors.New("broken")
	q := &Query[fact, int, int]{
		Unit: func(f fact) int { return f.who }, Consent: &Consent[int]{OptOut, "p", &choices{}},
		Retention: &Retention[fact]{Time: func(fact) time.Time { return time.Now() }, Days: 1},
	}
	var rows iter.Seq2[fact, error] = func(yield func(fact, error) bool) {
		_ = yield(fact{}, nil) && yield(fact{}, broken)
	}
	last := error(nil)
	for _, err := range q.admitted(t.Context(), rows) {
		last = err
	}
	if last != broken {
		t.Errorf("the error is %v", last)
	}
}

// What was read is zero once a run is over.
func TestExactSumsAreWiped(t *testing.T) {
	plan := facts(t, dp.Pure{Epsilon: 1}, smallBounds[0], 2, 3)
	partial, err := plan.Collect(t.Context(), Slice([]fact{{who: 1, n: 1}, {who: 2, group: 1, n: 1}}))
	if err != nil {
		t.Fatal(err)
	}
	state := partial.state()
	before := *state
	before.sums = slices.Clone(state.sums)
	state.wipe()
	if slices.ContainsFunc(state.sums, func(x exact.Int128) bool { return x.Sign() != 0 }) || !slices.ContainsFunc(before.sums, func(x exact.Int128) bool { return x.Sign() != 0 }) {
		t.Error("a sum is left, or there was none")
	}
	for _, l := range state.lists {
		if slices.ContainsFunc(l.points, func(p int64) bool { return p != 0 }) || len(l.points) == 0 {
			t.Error("a point is left, or there was none")
		}
	}
}

// What units are in is wiped too, and so is each copy that is left behind while lists grow and are put into one.
func TestListingsLeaveNothingBehind(t *testing.T) {
	var l listing
	var before [][]uint32
	for unit := range uint32(100) {
		l.add([]uint32{unit + 1, unit + 2})
		before = append(before, l.places)
	}
	other := listing{}
	other.addAll(&l, func(place uint32) uint32 { return place })
	if !slices.Equal(other.places, l.places) || !slices.Equal(other.ends, l.ends) {
		t.Error("what is added is another listing")
	}
	one := joined([]listing{l, other})
	if len(one.places) != 400 || one.places[399] != 101 || len(one.of(150)) != 2 {
		t.Errorf("%d places, the last unit is in %v", len(one.places), one.of(len(one.ends)-1))
	}
	for _, places := range append(before, l.places, other.places) {
		if slices.ContainsFunc(places, func(place uint32) bool { return place != 0 }) {
			t.Fatalf("%d places are left", len(places))
		}
	}
}

func TestALeastGroupRaisesTheThreshold(t *testing.T) {
	q := &Query[fact, int, int]{
		Dataset: "facts", UnitName: "unit", MaxGroups: 1, MaxRowsPerGroup: 1,
		Unit: func(f fact) int { return f.who }, Group: func(f fact) int { return f.group },
	}
	plain, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Units())
	if err != nil {
		t.Fatal(err)
	}
	q.LeastGroup = 500
	raised, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Units())
	if err != nil {
		t.Fatal(err)
	}
	least := raised.Charge(Request{}).States.LeastGroup
	if was := plain.Charge(Request{}).States.LeastGroup; was >= 100 || was < 2 || least != 500 || plain.Fingerprint() == raised.Fingerprint() {
		t.Errorf("groups are shown from %d on, and from %d", was, least)
	}
	if _, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}); err == nil || !strings.Contains(err.Error(), "LeastGroup") {
		t.Errorf("groups alone: %v", err)
	}
	q.LeastGroup = mostLeast
	if p, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Units()); err != nil || p.threshold.at <= 0 {
		t.Errorf("%v", err)
	}
}

// A series asks too, and states it; old rows are not left out of periods that were released.
func TestASeriesAsksForConsent(t *testing.T) {
	q, series := sales(5, 2, 1, false)
	source := map[int]Choice{}
	q.Consent = &Consent[int]{OptOut, "weekly", &choices{said: source}}
	plan, err := series.Plan(dp.Concentrated{Rho: 1}, q.Units())
	if err != nil {
		t.Fatal(err)
	}
	rows := randomSales(rand.New(rand.NewPCG(5, 5)), 60, 6, 5)
	all, err := plan.collect(t.Context(), 2, Slice(rows))
	if err != nil {
		t.Fatal(err)
	}
	out := rows[0].who
	source[out] = No
	some, err := plan.collect(t.Context(), 2, Slice(rows))
	if err != nil {
		t.Fatal(err)
	}
	want, err := plan.collect(t.Context(), 2, Slice(slices.DeleteFunc(slices.Clone(rows), func(s sale) bool { return s.who == out })))
	if err != nil || !reflect.DeepEqual(some, want) || reflect.DeepEqual(some, all) {
		t.Errorf("who is out counts, %v", err)
	}
	if s := plan.Charge(Request{}).States; s.Consent != "opt-out" || s.KeysGiven != s.Grouped {
		t.Errorf("%+v", s)
	}
	if err := plan.checkRun(false, Request{Key: "k", Purpose: "ads"}, 1); err == nil || !strings.Contains(err.Error(), "make a query for each purpose") {
		t.Error(err)
	}
}

// No row that is too old counts in a series: one that would have to read such rows is
// refused, and a run that is late finds what was released and nothing else.
func TestASeriesEndsBeforeItsRowsAreTooOld(t *testing.T) {
	q, series := sales(5, 2, 1, false)
	first := series.Step.begins(series.Step.number(civilOf(series.First.In(series.Zone))), series.Zone)
	end := series.Step.begins(series.Step.number(civilOf(series.First.In(series.Zone)))+series.Periods, series.Zone)
	days := int(math.Ceil(end.Sub(first).Hours() / 24))
	for _, n := range []int{days - 1, days} {
		q.Retention = &Retention[sale]{Time: func(sale) time.Time { return time.Time{} }, Days: n}
		plan, err := series.Plan(dp.Concentrated{Rho: 1}, q.Units())
		if n < days {
			if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("Retention.Days is %d", n)) {
				t.Errorf("%d days: %v", n, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := plan.Charge(Request{}).States.RetainDays; got != n {
			t.Errorf("the charge states %d days", got)
		}
		if err := plan.checkAge(first.AddDate(0, 0, n)); err != nil {
			t.Errorf("on its last day: %v", err)
		}
		if err := plan.checkAge(first.AddDate(0, 0, n+2)); err == nil || !strings.Contains(err.Error(), "nothing more of it can be released") {
			t.Errorf("too late: %v", err)
		}
		// The series is long over, so no row is read.
		read := false
		rows := func(func(sale, error) bool) { read = true }
		_, err = Advance(t.Context(), plan, newTill(), Request{Key: "k", Purpose: "weekly"}, 1, rows)
		if err == nil || read || !strings.Contains(err.Error(), "nothing more") {
			t.Errorf("rows were read: %t, %v", read, err)
		}
	}
}

// What was released is given out when nothing new can be.
func TestALateSeriesShowsWhatWasReleased(t *testing.T) {
	q, series := sales(5, 2, 1, false)
	series.First = time.Now().UTC().AddDate(0, 0, -5)
	series.Time = func(s sale) time.Time { return series.First.AddDate(0, 0, s.day) }
	q.Retention = &Retention[sale]{Time: series.Time, Days: 6}
	plan, err := series.Plan(dp.Concentrated{Rho: 1}, q.Units())
	if err != nil {
		t.Fatal(err)
	}
	till, r := newTill(), Request{Key: "k", Purpose: "weekly"}
	rows := Slice(randomSales(rand.New(rand.NewPCG(5, 6)), 60, 6, 5))
	early, err := Advance(t.Context(), plan, till, r, 1, rows)
	if err != nil {
		t.Fatal(err)
	}
	plan.series.Query.Retention.Days = 1 // as if it was five days later
	if _, err := Advance(t.Context(), plan, till, r, 2, rows); err == nil || !strings.Contains(err.Error(), "nothing more") {
		t.Errorf("it goes on: %v", err)
	}
	late, err := Advance(t.Context(), plan, till, r, 1, nil)
	if err != nil || !reflect.DeepEqual(early.Receipts(), late.Receipts()) {
		t.Errorf("what was released: %v", err)
	}
}

// A unit that is an event is called one in the receipt, by what the query says or by its
// name, and its charge states it.
func TestAReceiptCallsAnEventOne(t *testing.T) {
	for _, c := range []struct {
		unit     string
		declared bool
		want     bool
	}{{"customer", false, false}, {"donation", true, true}, {"purchase", false, true}, {"donation", false, false}} {
		q, series := sales(5, 2, 1, true)
		q.UnitName, q.UnitIsEvent = c.unit, c.declared
		plan, err := q.Plan(dp.Concentrated{Rho: 1}, q.Units())
		if err != nil {
			t.Fatal(err)
		}
		whole, err := series.Plan(dp.Concentrated{Rho: 1}, q.Units())
		if err != nil {
			t.Fatal(err)
		}
		if plan.Charge(Request{}).States.Event != c.declared || whole.Charge(Request{}).States.Event != c.declared {
			t.Errorf("%s: the charges do not state what the query says", c.unit)
		}
		text, err := json.Marshal(plan.receipt(plan.Charge(Request{Key: "k", Purpose: "p"}), dp.Payment{}))
		if said := strings.Contains(string(text), "that is one "+c.unit+", and not whoever made many of them"); err != nil || said != c.want {
			t.Errorf("%s, declared %t: %s, %v", c.unit, c.declared, text, err)
		}
	}
}
