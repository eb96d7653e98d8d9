package aggregate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
	"github.com/equipoise-dp/equipoise/internal/matrix"
	"github.com/equipoise-dp/equipoise/internal/normal"
)

type sale struct {
	who   int
	where string
	day   int
	paid  float64
}

var epoch = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// sales is a series of days with two groups.
func sales(periods, pairs, rows int, atOnce bool) (*Query[sale, int, string], *Series[sale, int, string]) {
	q := &Query[sale, int, string]{
		Dataset: "sales", UnitName: "customer", Unit: func(s sale) int { return s.who },
		Group: func(s sale) string { return s.where }, Groups: []string{"a", "b"}, MaxGroups: pairs, MaxRowsPerGroup: rows,
	}
	return q, &Series[sale, int, string]{
		Query: q, Time: func(s sale) time.Time { return epoch.AddDate(0, 0, s.day) }, Zone: time.UTC,
		Step: Day, First: epoch, Periods: periods, AtOnce: atOnce,
		Views: []View{EachPeriod(1), RollingWindow(3, 1), ToDate(1)},
	}
}

// till is a Reserver that keeps everything, and counts what is drawn.
type till struct {
	budget
	whole, drawn map[string]dp.Charge
	fail         func() error // asked before and after every step, if not nil
}

type budget map[string][]byte

func newTill() *till {
	return &till{budget: budget{}, whole: map[string]dp.Charge{}, drawn: map[string]dp.Charge{}}
}

func (b *till) fails() error {
	if b.fail == nil {
		return nil
	}
	return b.fail()
}

func (b *till) Reserve(_ context.Context, c dp.Charge) (*till, error) {
	if err := b.fails(); err != nil {
		return nil, err
	}
	b.whole[c.Key] = c
	return b, b.fails()
}

func (b *till) Afford(context.Context, dp.Charge) error { return nil }

func (b *till) Spend(_ context.Context, c dp.Charge) (dp.Payment, error) {
	if err := b.fails(); err != nil {
		return dp.Payment{}, err
	}
	_, before := b.drawn[c.Key]
	b.drawn[c.Key] = c
	return dp.Payment{Kept: b.budget[c.Key], Repeated: before}, b.fails()
}

func (b *till) Keep(_ context.Context, c dp.Charge, release []byte) ([]byte, error) {
	if err := b.fails(); err != nil {
		return nil, err
	}
	if b.budget[c.Key] == nil {
		b.budget[c.Key] = release
	}
	return b.budget[c.Key], b.fails()
}

func (b *till) Kept(_ context.Context, c dp.Charge) ([]byte, error) {
	return b.budget[c.Key], b.fails()
}

var report = Request{Key: "report", Purpose: "test"}

func randomSales(r *rand.Rand, n, people, days int) []sale {
	var rows []sale
	for range n {
		rows = append(rows, sale{r.IntN(people), string(rune('a' + r.IntN(3))), r.IntN(days+2) - 1, 20*r.Float64() - 4})
	}
	return rows
}

// kept returns the rows that count if a unit counts in its first pairs.
func keptPlainly(rows []sale, periods, pairs, perPair int) []sale {
	seen := map[int]map[int]int{}
	var kept []sale
	for day := range periods {
		for g, where := range []string{"a", "b"} {
			for _, s := range rows {
				if s.day != day || s.where != where {
					continue
				}
				if seen[s.who] == nil {
					seen[s.who] = map[int]int{}
				}
				pair := 2*day + g
				if _, in := seen[s.who][pair]; !in && len(seen[s.who]) == pairs {
					continue
				}
				if seen[s.who][pair]++; seen[s.who][pair] <= perPair {
					kept = append(kept, s)
				}
			}
		}
	}
	return kept
}

// Without noise every sum over periods and groups is what a plain program adds up, day
// after day, and the numbers of earlier days never change.
func TestASeriesWithoutNoiseIsTheSumOfItsRows(t *testing.T) {
	dptest.NoNoise(t)
	r := rand.New(rand.NewPCG(1, 2))
	const periods = 9
	for round := range 12 {
		pairs := []int{1, 2, 5, 2 * periods}[round%4]
		atOnce := pairs == 2*periods && round%8 > 3
		rowsPerPair := 2
		if atOnce {
			rowsPerPair = 1000 // which of more are chosen is random
		}
		q, series := sales(periods, pairs, rowsPerPair, atOnce)
		units, count := q.Units(), q.Count()
		paid := PerUnit(q, "paid", func(s sale) float64 { return s.paid }, Bounds[float64]{Lower: -2, Upper: 10, Step: 0.25})
		columns := []AnyColumn{units, count, paid.Sum()}
		if round%3 == 0 {
			columns = append(columns, paid.Mean())
		}
		plan, err := series.Plan(dp.Concentrated{Rho: 0.5}, columns...)
		if err != nil {
			t.Fatal(err)
		}
		rows, account := randomSales(r, 200, 12, periods), newTill()
		for through := 1; through <= periods; through++ {
			if atOnce && through < periods {
				continue
			}
			trend, err := Advance(t.Context(), plan, account, report, through, Slice(rows))
			if err != nil {
				t.Fatal(err)
			}
			for range 20 {
				from := r.IntN(through)
				s := Stretch[string]{[][]string{nil, {"a"}, {"b"}, {"b", "a"}}[r.IntN(4)], from, from + 1 + r.IntN(through-from)}
				checkPlainly(t, trend, s, keptPlainly(rows, through, pairs, rowsPerPair), units, count, paid.Sum())
			}
		}
	}
}

func checkPlainly(t *testing.T, trend *Trend[string], s Stretch[string], rows []sale, units, count Column[int64], sum Column[float64]) {
	t.Helper()
	cell, err := trend.Over(s)
	if err != nil {
		t.Fatal(err)
	}
	n, totals := int64(0), map[sale]float64{}
	for _, row := range rows {
		if row.day < s.From || row.day >= s.To || len(s.Groups) == 1 && s.Groups[0] != row.where {
			continue
		}
		n++
		totals[sale{who: row.who, where: row.where, day: row.day}] += row.paid
	}
	total := 0.0
	for _, x := range totals {
		total += math.Floor(4*min(max(x, -2), 10)+0.5) / 4
	}
	if got := count.Of(cell).Value; got != n {
		t.Errorf("%+v: count %d, must be %d", s, got, n)
	}
	if got := units.Of(cell).Value; got != int64(len(totals)) {
		t.Errorf("%+v: units %d, must be %d", s, got, len(totals))
	}
	if got := sum.Of(cell).Value; got != total {
		t.Errorf("%+v: sum %v, must be %v", s, got, total)
	}
}

// moved returns by how much, squared, one person's history moves all that a plan
// releases, measure by measure, with the rows of each reading chosen anew.
func moved(t *testing.T, p *SeriesPlan[sale, int, string], with, without []sale, through int) []*big.Int {
	t.Helper()
	squares := make([]*big.Int, len(p.measures))
	for i := range squares {
		squares[i] = new(big.Int)
	}
	for release := range p.releases(through) {
		reach := release + 1
		if p.atOnce {
			reach = p.periods
		}
		a, errA := p.collect(t.Context(), reach, Slice(with))
		b, errB := p.collect(t.Context(), reach, Slice(without))
		if err := errors.Join(errA, errB); err != nil {
			t.Fatal(err)
		}
		rowsA, rowsB := p.noisy(release, a), p.noisy(release, b)
		for g := range rowsA {
			for i, m := range p.measures {
				for j, part := range partsOf(m.measure, rowsA[g]) {
					for k := range part {
						d := new(big.Int).Sub(part[k], partsOf(m.measure, rowsB[g])[j][k])
						squares[i].Add(squares[i], d.Mul(d, d))
					}
				}
			}
		}
	}
	return squares
}

// paidFor returns the squared norm that the events of a measure pay for.
func paidFor(e dp.Event, periods int) *big.Int {
	a := big.NewInt(e.Sensitivity.LInf)
	return a.Mul(a, a).Mul(a, big.NewInt(int64(periods)))
}

// What is paid for covers what any history of a person does to all releases together; and
// a person who counts in one pair more does more than that.
func TestAWholeHistoryMovesNoMoreThanIsPaidFor(t *testing.T) {
	dptest.NoNoise(t)
	r := rand.New(rand.NewPCG(3, 4))
	const periods = 6
	for _, c := range []struct {
		pairs  int
		atOnce bool
		level  bool
	}{{1, false, false}, {1, false, true}, {2, false, false}, {3, true, false}, {6, false, false}, {12, false, false}, {12, true, false}} {
		q, series := sales(periods, c.pairs, 2, c.atOnce)
		series.Level = c.level
		paid := PerRow(q, "paid", func(s sale) float64 { return s.paid }, Bounds[float64]{Lower: -2, Upper: 10, Step: 0.5})
		again := PerUnit(q, "again", func(s sale) float64 { return s.paid }, Bounds[float64]{Lower: 0, Upper: 8, Step: 0.5})
		plan, err := series.Plan(dp.Concentrated{Rho: 0.5}, q.Units(), q.Count(), paid.Mean(), again.Sum())
		if err != nil {
			t.Fatal(err)
		}
		exceeded := false
		for round := range 60 {
			others := randomSales(r, 10, 5, periods)
			if c.atOnce && c.pairs < 12 {
				others = nil // pairs of a unit are chosen at random, and its neighbours' by the same choice
			}
			mine := randomSales(r, r.IntN(40), 1, periods)
			if round < periods { // the worst: the first periods, all rows, the end of the range
				mine = nil
				for i := range 2 * c.pairs {
					mine = append(mine, sale{0, "a", i / 2 % periods, 10}, sale{0, "b", i / 2, 10})
				}
			}
			for i := range mine {
				mine[i].who = 99
			}
			for i, squares := range moved(t, plan, append(mine, others...), others, periods) {
				if most := paidFor(plan.events[i], periods); squares.Cmp(most) > 0 {
					t.Fatalf("%+v, %v: a history moves by %v squared, paid for %v", c, plan.measures[i].measure, squares, most)
				}
			}
			// The mutant: the same plan with a cap that is one too large.
			if c.pairs < 12 {
				mutant := *plan
				core := *plan.seriesCore
				core.cap++
				mutant.seriesCore = &core
				inner := *plan.inner
				compiled := *plan.inner.compiled
				compiled.maxGroups++
				inner.compiled, mutant.inner = &compiled, &inner
				mutant.compiled = &compiled
				for i, squares := range moved(t, &mutant, append(mine, others...), others, periods) {
					exceeded = exceeded || squares.Cmp(paidFor(plan.events[i], periods)) > 0
				}
			}
		}
		if c.pairs < 12 && !exceeded {
			t.Errorf("%+v: a person who counts in one pair more moves no more than is paid for", c)
		}
	}
}

// A person's rows may be other ones at every reading, as long as the pairs are the same.
func TestRowsThatChangeBetweenReadingsMoveNoMoreThanIsPaidFor(t *testing.T) {
	dptest.NoNoise(t)
	r := rand.New(rand.NewPCG(5, 6))
	const periods = 6
	q, series := sales(periods, 3, 2, false)
	paid := PerRow(q, "paid", func(s sale) float64 { return s.paid }, Bounds[float64]{Lower: -2, Upper: 10, Step: 0.5})
	plan, err := series.Plan(dp.Concentrated{Rho: 0.5}, paid.Mean())
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		days := r.Perm(periods)[:3]
		squares := new(big.Int)
		for release := range periods {
			var mine []sale
			for _, d := range days {
				for range r.IntN(4) {
					mine = append(mine, sale{1, "a", d, 20*r.Float64() - 4})
				}
			}
			sums, err := plan.collect(t.Context(), release+1, Slice(mine))
			if err != nil {
				t.Fatal(err)
			}
			for _, part := range plan.noisy(release, sums)[0] {
				squares.Add(squares, new(big.Int).Mul(part[0], part[0]))
			}
		}
		if most := paidFor(plan.events[0], periods); squares.Cmp(most) > 0 {
			t.Fatalf("moves by %v squared, paid for %v", squares, most)
		}
	}
}

// A stream that is killed at 200 random moments publishes every period exactly once: what
// was once shown is what is shown at the end, and every period is drawn by one charge.
func TestAStreamThatIsKilledPublishesEveryPeriodOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	const periods = 40
	q, series := sales(periods, 3, 1, false)
	plan, err := series.Plan(dp.Concentrated{Rho: 0.5}, q.Units())
	if err != nil {
		t.Fatal(err)
	}
	rows, account := randomSales(r, 100, 30, periods), newTill()
	killed, dead := 0, errors.New("killed")
	account.fail = func() error {
		if killed < 200 && r.IntN(12) == 0 {
			killed++
			return dead
		}
		return nil
	}
	shown := map[int]string{}
	for through := 1; through <= periods || killed < 200; {
		trend, err := Advance(t.Context(), plan, account, report, min(through, periods), Slice(rows))
		if err != nil {
			if !errors.Is(err, dead) {
				t.Fatal(err)
			}
			continue
		}
		for i := range min(through, periods) {
			cell, err := trend.Over(Stretch[string]{From: i, To: i + 1})
			if err != nil {
				t.Fatal(err)
			}
			if now := fmt.Sprint(cell.Noisy()); shown[i] == "" {
				shown[i] = now
			} else if shown[i] != now {
				t.Fatalf("period %d was %s and is %s", i, shown[i], now)
			}
		}
		through++
	}
	if len(account.drawn) != periods || len(account.budget) != periods || len(account.whole) != 1 {
		t.Errorf("%d draws, %d releases, %d reservations after %d kills", len(account.drawn), len(account.budget), len(account.whole), killed)
	}
	if _, err := Advance(t.Context(), plan, account, report, periods, nil); err != nil {
		t.Errorf("all is released, and no rows are needed: %v", err)
	}
}

// The noise of what is read has the variance that is said, in every view and for
// differences: within what a chi-square variable exceeds with probability 1e-9. Noise
// that two periods share is found.
func TestNumbersOfASeriesHaveTheNoiseThatIsSaid(t *testing.T) {
	const periods, series = 8, 400
	for _, kind := range []string{"stream", "at once", "level"} {
		atOnce := kind == "at once"
		q, declared := sales(periods, 16, 1, atOnce)
		if !atOnce {
			q.MaxGroups = 1
		}
		declared.Level = kind == "level"
		units := q.Units()
		plan, err := declared.Plan(dp.Concentrated{Rho: 0.5}, units)
		if err != nil {
			t.Fatal(err)
		}
		a, b := Stretch[string]{[]string{"a"}, 4, 8}, Stretch[string]{nil, 2, 6}
		sums := make(map[string]float64)
		shared := 0.0
		for range series {
			trend, err := Advance(t.Context(), plan, newTill(), report, periods, Slice([]sale(nil)))
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range []Stretch[string]{a, b, {nil, 0, 8}, {[]string{"b"}, 7, 8}} {
				cell, err := trend.Over(s)
				if err != nil {
					t.Fatal(err)
				}
				e := units.Of(cell).Raw()
				sums[fmt.Sprint(s)] += e.Value * e.Value / e.StdDev / e.StdDev
			}
			d, err := Difference(trend, units, a, b)
			if err != nil {
				t.Fatal(err)
			}
			sums["difference"] += d.Value * d.Value / d.StdDev / d.StdDev
			x, y := trend.Noisy()[0], trend.Noisy()[1]
			f, _ := plan.measures[0].law.Scale.Float64()
			shared += (x - y) * (x - y) / f / f / 2
		}
		sums["rows are independent"] = shared
		for name, sum := range sums {
			if sum < chiSquare(series, -1) || sum > chiSquare(series, 1) {
				t.Errorf("%s, %s: squares of %d numbers beside their variance add up to %.1f, must be within %.1f to %.1f",
					kind, name, series, sum, chiSquare(series, -1), chiSquare(series, 1))
			}
		}
	}
}

// Everything adds up, noise and all: days to any longer run of them, runs to the whole, and groups to
// all, in every way in which they can be taken apart; and each is exactly as noisy as is said.
func TestEverythingOfASeriesAddsUp(t *testing.T) {
	const periods = 40
	for _, kind := range []string{"stream", "at once", "level"} {
		atOnce := kind == "at once"
		q, declared := sales(periods, 3, 2, atOnce)
		q.Groups = []string{"a", "b", "c"}
		if declared.Level = kind == "level"; declared.Level {
			q.MaxGroups = 1
		}
		if atOnce {
			q.MaxGroups = 3 * periods
		}
		paid := PerUnit(q, "paid", func(s sale) float64 { return s.paid }, Bounds[float64]{Lower: -2, Upper: 10, Step: 0.25})
		plan, err := declared.Plan(dp.Concentrated{Rho: 0.5}, q.Units(), paid.Sum(), paid.Mean())
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(14, 5))
		trend, err := Advance(t.Context(), plan, newTill(), report, periods, Slice(randomSales(r, 300, 40, periods)))
		if err != nil {
			t.Fatal(err)
		}
		sums := func(groups []string, from, to int) []*big.Int {
			cell, err := trend.Over(Stretch[string]{groups, from, to})
			if err != nil {
				t.Fatal(err)
			}
			return cell.sums()
		}
		for range 200 {
			from := r.IntN(periods - 1)
			to := from + 1 + r.IntN(periods-from)
			whole := sums(nil, from, to)
			parts := make([]*big.Int, len(whole))
			for i := range parts {
				parts[i] = new(big.Int)
			}
			for _, groups := range [][][]string{{{"a"}, {"b"}, {"c"}}, {{"c", "a"}, {"b"}}, {{"b", "c", "a"}}}[r.IntN(3)] {
				for at := from; at < to; {
					next := at + 1 + r.IntN(to-at)
					for i, x := range sums(groups, at, next) {
						parts[i].Add(parts[i], x)
					}
					at = next
				}
			}
			for i := range whole {
				if whole[i].Cmp(parts[i]) != 0 {
					t.Fatalf("%s, periods %d to %d, part %d: the whole is %v, and its parts add up to %v", kind, from, to, i, whole[i], parts[i])
				}
			}
		}
	}
}

// chiSquare returns a number that a chi-square variable of n degrees is beyond with a
// probability of at most 5e-10 (Laurent, Massart 2000, Lemma 1).
func chiSquare(n float64, side float64) float64 {
	x := -math.Log(5e-10)
	if side < 0 {
		return n - 2*math.Sqrt(n*x)
	}
	return n + 2*math.Sqrt(n*x) + 2*x
}

// An interval of a ratio holds exactly the ratios that the noise does not refute.
func TestTheIntervalOfARatioHoldsWhatNoiseDoesNotRefute(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 1000 {
		q := ratio{n: 200 * r.Float64(), d: 20 + 200*r.Float64(), nn: 1 + 50*r.Float64(), dd: 1 + 20*r.Float64()}
		q.nd = (2*r.Float64() - 1) * math.Sqrt(q.nn*q.dd)
		lo, hi := q.Interval(0.9)
		if math.IsInf(lo, 0) {
			continue
		}
		z := normal.Within(0.9)
		for _, at := range []float64{lo, hi, (lo + hi) / 2, lo - 0.1, hi + 0.1} {
			far := math.Abs(q.n-at*q.d) / math.Sqrt(q.nn-2*at*q.nd+at*at*q.dd)
			inside := at >= lo-1e-9 && at <= hi+1e-9
			if (far <= z*(1+1e-6)) != inside && math.Abs(far-z) > 1e-6 {
				t.Fatalf("%+v: %v is %v deviations away; the interval is %v to %v", q, at, far, lo, hi)
			}
		}
	}
}

func TestPeriodsAreThoseOfTheCalendar(t *testing.T) {
	zone := time.FixedZone("east", 9*3600)
	for _, step := range []Step{Day, Week, Month, Quarter, Year} {
		last, name := 0, ""
		for day := time.Date(1967, 1, 1, 23, 30, 0, 0, time.UTC); day.Year() < 2033; day = day.AddDate(0, 0, 1) {
			local := day.In(zone)
			n := step.number(civilOf(local))
			if name != "" && n != last && n != last+1 {
				t.Fatalf("%v: %v has number %d after %d", step, local, n, last)
			}
			y, w := local.ISOWeek()
			want := map[Step]string{
				Day: local.Format("2006-01-02"), Week: fmt.Sprintf("%04d-W%02d", y, w), Month: local.Format("2006-01"),
				Quarter: fmt.Sprintf("%04d-Q%d", local.Year(), (local.Month()+2)/3), Year: local.Format("2006"),
			}[step]
			if begins := step.begins(n, zone); begins.After(local) || !step.begins(n+1, zone).After(local) || step.number(civilOf(begins)) != n {
				t.Fatalf("%v %d begins %v and does not hold %v", step, n, begins, local)
			}
			if got := step.label(n); got != want {
				t.Fatalf("%v of %v is %s, must be %s", step, local, got, want)
			}
			last, name = n, want
		}
	}
}

// A calendar total has every period once; a week is in the month of its Thursday.
func TestCalendarTotalsHaveEveryPeriodOnce(t *testing.T) {
	first := Week.number(civilOf(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
	v := CalendarTotals(Month, 1).over(first, 53, Week)
	at, longest := 0, 0
	for _, s := range v.Spans {
		if s.From != at || s.To <= s.From {
			t.Fatalf("spans are %v", v.Spans)
		}
		at, longest = s.To, max(longest, s.To-s.From)
	}
	if at != 53 || len(v.Spans) != 12 || longest != 5 || v.Spans[0] != (matrix.Span{From: 0, To: 5}) {
		t.Errorf("spans are %v", v.Spans)
	}
}

func TestMistakesOfASeriesComeTogether(t *testing.T) {
	_, err := (&Series[sale, int, string]{Query: &Query[sale, int, string]{}, Step: 9, Views: []View{{}, EachPeriod(math.NaN()), RollingWindow(0, 1), CalendarTotals(Day, 1)}}).
		Plan(dp.Pure{})
	for _, part := range []string{
		"Query.Dataset is empty", "Series.Time is nil", "Series.Zone is nil", "Series.Step is 9", "Series.First is zero", "Series.Periods is 0",
		"Views[0] is the zero View", "Views[1] has weight NaN", "Views[2] is of 0 periods", "Views[3] is of every day", "epsilon is 0",
	} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q: %v", part, err)
		}
	}
	q, series := sales(5, 2, 1, false)
	value := PerUnit(q, "paid", func(s sale) float64 { return s.paid }, Bounds[float64]{Lower: 0, Upper: 1})
	for _, c := range []struct {
		loss   dp.Loss
		column AnyColumn
		want   string
	}{
		{dp.Pure{Epsilon: 1}, q.Units(), "use a dp.Approx or a dp.Concentrated"},
		{dp.Concentrated{Rho: 1}, value.Quantile(0.5), "is a quantile"},
		{dp.Concentrated{Rho: 1e35}, q.Units(), "which is none; use a smaller loss"},
		{dp.Concentrated{Rho: 1e-30}, q.Units(), "must be at most 2^40; use a larger loss"},
	} {
		if _, err := series.Plan(c.loss, c.column); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("the error does not say %q: %v", c.want, err)
		}
	}
	if _, err := series.Plan(dp.Concentrated{Rho: 1}); err == nil || !strings.Contains(err.Error(), "no columns given") {
		t.Error(err)
	}
	q.Groups = nil
	if _, err := series.Plan(dp.Concentrated{Rho: 1}, q.Units()); err == nil || !strings.Contains(err.Error(), "list the groups in Query.Groups") {
		t.Error(err)
	}
	q.Groups, series.Level, series.Periods = []string{"a"}, true, 401
	for _, want := range []string{"Series.Level is set and Series.Periods is 401, must be at most 400", "Series.Level is set and Query.MaxGroups is 2, must be 1"} {
		if _, err := series.Plan(dp.Concentrated{Rho: 1}, q.Units()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
	series.Periods, series.Level = 3660, false
	for groups, want := range map[int]string{286: "", 287: "Series has 287 groups in 3660 periods, must have at most 1048576 pairs"} {
		q.Groups = nil
		for g := range groups {
			q.Groups = append(q.Groups, fmt.Sprint(g))
		}
		if err := series.checkQuery(); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%d groups: the error is %v, must say %q", groups, err, want)
		}
	}
}

func TestWhatCannotBeReadIsAnError(t *testing.T) {
	q, series := sales(5, 2, 1, false)
	units, count := q.Units(), q.Count()
	paid := PerUnit(q, "paid", func(s sale) float64 { return s.paid }, Bounds[float64]{Lower: 0, Upper: 1})
	plan, err := series.Plan(dp.Concentrated{Rho: 1}, units, paid.Mean())
	if err != nil {
		t.Fatal(err)
	}
	account := newTill()
	for _, through := range []int{0, 6} {
		if _, err := Advance(t.Context(), plan, account, report, through, Slice([]sale(nil))); err == nil {
			t.Errorf("the series advanced to period %d of 5", through)
		}
	}
	trend, err := Advance(t.Context(), plan, account, report, 3, Slice([]sale(nil)))
	if err != nil {
		t.Fatal(err)
	}
	good := Stretch[string]{From: 0, To: 2}
	for _, s := range []Stretch[string]{{From: 2, To: 2}, {From: -1, To: 1}, {From: 1, To: 4}, {[]string{"c"}, 0, 1}, {[]string{"a", "a"}, 0, 1}} {
		_, errOver := trend.Over(s)
		_, errDifference := Difference(trend, units, good, s)
		_, errRatio := Ratio(trend, units, s, good)
		_, errSmooth := Smooth(trend, units, s)
		if errOver == nil || errDifference == nil || errRatio == nil || errSmooth == nil {
			t.Errorf("%+v is read", s)
		}
	}
	if _, err := Difference(trend, count, good, good); err == nil {
		t.Error("a column that was not asked for has a difference")
	}
	if _, err := Ratio(trend, paid.Mean(), good, good); err == nil {
		t.Error("a mean has a ratio")
	}
	if _, err := Smooth(trend, paid.Mean(), good); err == nil {
		t.Error("a mean is smoothed")
	}
	if d, err := Difference(trend, units, good, good); err != nil || d.Value != 0 || d.StdDev != 0 {
		t.Errorf("a number less itself is %v: %v", d, err)
	}
}

// What is stored is what can be read: another series, period or group is found.
func TestAStoredSeriesThatWasChangedIsNotRead(t *testing.T) {
	q, series := sales(3, 2, 1, false)
	plan, err := series.Plan(dp.Concentrated{Rho: 1}, q.Units())
	if err != nil {
		t.Fatal(err)
	}
	account := newTill()
	if _, err := Advance(t.Context(), plan, account, report, 3, Slice([]sale(nil))); err != nil {
		t.Fatal(err)
	}
	key := plan.draw(report, 1).Key
	whole := strings.Replace(string(account.budget[key]), `"parts":[[-`, `"parts":[[`, 1) // so that digits can be put before its own
	for _, edit := range [][3]string{
		{seriesFormat, "equipoise series 9", `it has format "equipoise series 9", must be "equipoise series 1"`}, {plan.mark, "other", "it is of another series"},
		{plan.labels[1], plan.labels[0], fmt.Sprintf("it is of period %q, must be of %q", plan.labels[0], plan.labels[1])},
		{`"key":"[\"a\"]"`, `"key":"[\"b\"]"`, `group 0 is ["b"], must be ["a"]`},
		{`"groups":[`, `"groups":[{"key":"[\"a\"]","parts":[[0]]},`, fmt.Sprintf("it has %d groups, must have %d", len(plan.given)+1, len(plan.given))},
		{`"parts":[[`, `"parts":[[],[`, "a group has 2 parts, must have 1"}, {`"parts":[[`, `"parts":[[1,`, "a part has 2 rows, must have 1"},
		{`"parts":[[`, `"parts":[[` + strings.Repeat("9", 90), "a row is missing or has more than 256 bits"}, {"{", "", "the stored release cannot be read"},
	} {
		changed := strings.Replace(whole, edit[0], edit[1], 1)
		account.budget[key] = []byte(changed)
		if _, err := Advance(t.Context(), plan, account, report, 3, nil); err == nil || changed == whole || !strings.Contains(err.Error(), edit[2]) {
			t.Errorf("%q in place of %q is read, or the error does not say %q: %v", edit[1], edit[0], edit[2], err)
		}
	}
}

// The strategy that was chosen has the least mean of variances over the views of all that
// were compared, so it is never worse than independent noise in it. What can be there
// always has centred noise, if all periods are at hand.
func TestTheBestStrategyIsChosen(t *testing.T) {
	for _, pairs := range []int{1, 3, 12, 40} {
		for _, atOnce := range []bool{false, true} {
			q, series := sales(20, pairs, 1, atOnce)
			plan, err := series.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Units())
			if err != nil {
				t.Fatal(err)
			}
			chosen, others := 0.0, map[string]float64{}
			for _, price := range plan.Prices() {
				chosen += price.Relative * price.Relative
				for name, relative := range price.Others {
					others[name] += relative * relative
				}
				if strings.HasPrefix(price.Strategy, "centred") != (atOnce && pairs == 40) {
					t.Errorf("%d pairs, at once %t: %s", pairs, atOnce, price.Strategy)
				}
			}
			for name, sum := range others {
				if sum < chosen*(1-1e-6) {
					t.Errorf("%d pairs, at once %t: %s has %.3f, the chosen one %.3f", pairs, atOnce, name, sum, chosen)
				}
			}
		}
	}
}

// A series that says so has a level strategy where that is better, and is another series than one that does not.
func TestALevelSeriesIsChosenWhereItIsBetter(t *testing.T) {
	q, series := sales(30, 1, 1, false)
	was, err1 := series.Plan(dp.Concentrated{Rho: 1}, q.Units())
	series.Level = true
	plan, err2 := series.Plan(dp.Concentrated{Rho: 1}, q.Units())
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if was.mark == plan.mark || strings.HasPrefix(was.Prices()[0].Strategy, "level") {
		t.Errorf("%s, not level: %s", was.mark, was.Prices()[0].Strategy)
	}
	for i, p := range plan.Prices() {
		if before := was.Prices()[i]; !strings.HasPrefix(p.Strategy, "level fading sums") || len(p.Others) != 3 || p.Relative > before.Relative*1.005 {
			t.Errorf("%+v, was %+v", p, before)
		}
	}
}

// What was read is zero once it is of no use.
func TestSumsOfASeriesAreWiped(t *testing.T) {
	q, series := sales(3, 2, 1, false)
	plan, err := series.Plan(dp.Concentrated{Rho: 1}, q.Units())
	if err != nil {
		t.Fatal(err)
	}
	sums, err := plan.collect(t.Context(), 3, Slice([]sale{{1, "a", 0, 1}, {2, "b", 1, 1}}))
	if err != nil {
		t.Fatal(err)
	}
	groups := maps.Clone(sums.groups)
	sums.wipe()
	if len(groups) < 2 || len(sums.groups) != 0 {
		t.Errorf("%d groups were read, %d are left", len(groups), len(sums.groups))
	}
	for key, g := range groups {
		for _, x := range g.sums {
			if x.Sign() != 0 {
				t.Errorf("the sum of %v is left", key)
			}
		}
	}
}

// Rows that arrive too late never count, so a unit is never counted in a pair that a later
// row pushed out; and a period is not released while rows of it may arrive.
func TestRowsThatArriveTooLateNeverCount(t *testing.T) {
	dptest.NoNoise(t)
	q, series := sales(4, 1, 1, false)
	series.Arrived = func(s sale) time.Time { return epoch.AddDate(0, 0, int(s.paid)) }
	series.Wait = 36 * time.Hour
	series.First = epoch
	units := q.Units()
	plan, err := series.Plan(dp.Concentrated{Rho: 1}, units)
	if err != nil {
		t.Fatal(err)
	}
	rows := []sale{{1, "a", 0, 1}, {2, "a", 0, 2}, {3, "a", 1, 2}, {3, "a", 0, 3}} // 12 o'clock on the days of paid; closes 36 hours after midnight
	trend, err := Advance(t.Context(), plan, newTill(), report, 2, Slice(rows))
	if err != nil {
		t.Fatal(err)
	}
	for day, want := range []int64{1, 1} {
		cell, err := trend.Over(Stretch[string]{From: day, To: day + 1})
		if err != nil {
			t.Fatal(err)
		}
		if got := units.Of(cell).Value; got != want {
			t.Errorf("day %d has %d units, must have %d", day, got, want)
		}
	}
	series.First = time.Now().AddDate(0, 0, -2)
	soon, err := series.Plan(dp.Concentrated{Rho: 1}, units)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Advance(t.Context(), soon, newTill(), report, 4, Slice(rows)); err == nil || !strings.Contains(err.Error(), "since rows may arrive until then") {
		t.Errorf("a period that is not over is released: %v", err)
	}
	series.Arrived = nil
	if _, err := series.Plan(dp.Concentrated{Rho: 1}, units); err == nil || !strings.Contains(err.Error(), "Series.Wait is 36h0m0s") {
		t.Errorf("%v", err)
	}
}
