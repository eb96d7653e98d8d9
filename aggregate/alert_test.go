package aggregate

import (
	"crypto/ecdh"
	"crypto/hpke"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
	"github.com/equipoise-dp/equipoise/internal/core"
)

var madeKey = sync.OnceValues(func() (hpke.PrivateKey, error) { return hpke.DHKEM(ecdh.X25519()).GenerateKey() })

func alertKey(t testing.TB) hpke.PrivateKey {
	t.Helper()
	key, err := madeKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Without noise an alert is given exactly where a plain count of the rows is on the wrong
// side, for counts, units and sums, above and below, until there were as many as there may be.
func TestAlertsWithoutNoiseAreThoseOfAPlainReference(t *testing.T) {
	dptest.NoNoise(t)
	r := rand.New(rand.NewPCG(14, 2))
	for range 60 {
		days, most, perDay := 1+r.IntN(8), 1+r.IntN(6), 1+r.IntN(3)
		threshold, below := float64(r.IntN(12))-2+0.5*float64(r.IntN(2)), r.IntN(2) == 0
		when := Above(threshold)
		if below {
			when = Below(threshold)
		}
		q, a := alertOn(days, most, perDay, when)
		q.Groups, q.MaxGroups = []string{"b", "a"}, 2
		paid := PerRow(q, "paid", func(s sale) float64 { return s.paid }, Bounds[float64]{Lower: -2, Upper: 8, Step: 0.25})
		column := []AnyColumn{q.Count(), q.Units(), paid.Sum()}[r.IntN(3)]
		rows := randomSales(r, 60, 9, days)
		if reflect.DeepEqual(column, AnyColumn(paid.Sum())) {
			rows = slices.DeleteFunc(rows, func(s sale) bool { return r.IntN(2) == 0 })
		}
		rows = firstOf(rows, perDay) // so that nothing is left to chance
		plan, err := a.Plan(dp.Pure{Epsilon: 1}, column)
		if err != nil {
			t.Fatal(err)
		}
		alerts, err := Watch(t.Context(), plan, newTill(), alertKey(t), report, days, Slice(rows))
		if err != nil {
			t.Fatal(err)
		}
		var want []GivenAlert[string]
		for day := 0; day < days && len(want) < most; day++ {
			for _, group := range q.Groups {
				x, who := 0.0, map[int]bool{}
				for _, s := range rows {
					if s.day == day && s.where == group {
						who[s.who] = true
						if x++; reflect.DeepEqual(column, AnyColumn(paid.Sum())) {
							x += quarter(min(max(s.paid, -2), 8)) - 1
						}
					}
				}
				if reflect.DeepEqual(column, AnyColumn(q.Units())) {
					x = float64(len(who))
				}
				if (x < threshold) == below && len(want) < most {
					want = append(want, GivenAlert[string]{group, plan.Periods()[day], day})
				}
			}
		}
		if !slices.Equal(alerts.Given, want) || alerts.Ended != (len(want) == most) {
			t.Errorf("%v %v: alerts are %+v (ended: %t), must be %+v", plan.column, when, alerts.Given, alerts.Ended, want)
		}
	}
}

// A threshold that no number comes near is never reached from below, however far away it is, and
// always from above.
func TestThresholdsMayBeAsFarAwayAsAFloatIs(t *testing.T) {
	rows := []sale{{1, "a", 0, 1}, {2, "a", 1, 1}}
	for _, far := range []float64{0x1p62, 0x1p100, 0x1p126, 0x1p127, 0x1.8p127, 0x1p128, 0x1.8p191, math.MaxFloat64} {
		for want, conditions := range map[int][]Condition{0: {Above(far), Below(-far)}, 2: {Below(far), Above(-far)}} {
			for _, when := range conditions {
				plan := alertPlan(t, dp.Pure{Epsilon: 1}, 2, 2, 1, when)
				alerts, err := Watch(t.Context(), plan, newTill(), alertKey(t), report, 2, Slice(rows))
				if err != nil {
					t.Fatal(err)
				}
				if len(alerts.Given) != want {
					t.Errorf("%v: %d alerts, want %d", when, len(alerts.Given), want)
				}
			}
		}
	}
}

// firstOf keeps the first rows of every unit, group and day.
func firstOf(rows []sale, most int) (kept []sale) {
	seen := map[string]int{}
	for _, s := range rows {
		if pair := fmt.Sprint(s.who, s.where, s.day); seen[pair] < most {
			seen[pair]++
			kept = append(kept, s)
		}
	}
	return kept
}

// quarter rounds to quarters, halves up.
func quarter(x float64) float64 {
	n := x*4 + 0.5
	i := float64(int(n))
	if i > n {
		i--
	}
	return i / 4
}

// Whatever fails, wherever, and however often a run is started again, with rows that change
// meanwhile: what was once shown stays, every period is drawn once, and all are answered by one threshold.
func TestAnAlertOnceGivenStays(t *testing.T) {
	const days = 6
	for seed := range 40 {
		r := rand.New(rand.NewPCG(14, uint64(seed)))
		plan := alertPlan(t, dp.Pure{Epsilon: 1}, days, 2, 1, Above(4))
		account, broken := newTill(), errors.New("killed")
		account.fail = func() error {
			if r.IntN(5) == 0 {
				return broken
			}
			return nil
		}
		var shown *Alerts[string]
		for tries := 0; shown == nil || len(shown.Periods) < days && !shown.Ended; tries++ {
			var rows []sale
			for day := range days {
				for who := range r.IntN(9) {
					rows = append(rows, sale{who, "a", day, 1})
				}
			}
			through := 1 + r.IntN(days)
			alerts, err := Watch(t.Context(), plan, account, alertKey(t), report, through, Slice(rows))
			if errors.Is(err, broken) && tries < 2000 {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if before := shown; before != nil && len(before.Periods) <= len(alerts.Periods) {
				if n := len(before.Given); !slices.Equal(alerts.Given[:n], before.Given) || slices.ContainsFunc(alerts.Given[n:], func(g GivenAlert[string]) bool { return g.Number < len(before.Periods) }) {
					t.Fatalf("seed %d: %+v was shown, and then %+v", seed, before.Given, alerts.Given)
				}
			} else if before != nil {
				continue
			}
			shown = alerts
		}
		if n := len(account.drawn); n != len(shown.Periods) {
			t.Errorf("seed %d: %d periods are drawn, and %d answered", seed, n, len(shown.Periods))
		}
		if whole := account.whole["report"]; whole.Events[0].Count != days || whole.Events[0].Mechanism != dp.AboveThreshold {
			t.Errorf("the whole is %+v", whole.Events)
		}
	}
}

// The noise of the threshold is drawn once, and whoever has no key, or another one, goes on with none.
func TestTheThresholdIsDrawnOnceAndStaysSealed(t *testing.T) {
	plan := alertPlan(t, dp.Pure{Epsilon: 1}, 3, 2, 1, Above(1000))
	account := newTill()
	if _, err := Watch(t.Context(), plan, account, nil, report, 1, Slice[sale](nil)); !errors.Is(err, errNoKey) {
		t.Errorf("without a key: %v", err)
	}
	if _, err := Watch(t.Context(), plan, account, alertKey(t), report, 1, Slice[sale](nil)); err != nil {
		t.Fatal(err)
	}
	for day, kept := range account.budget {
		if strings.Contains(day, plan.labels[0]) != strings.Contains(string(kept), `"sealed"`) {
			t.Errorf("%s: %s", day, kept)
		}
	}
	other, err := hpke.DHKEM(ecdh.X25519()).GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]hpke.PrivateKey{"another": other, "no": nil} {
		if _, err := Watch(t.Context(), plan, account, key, report, 2, Slice[sale](nil)); err == nil || len(account.budget) != 1 {
			t.Errorf("with %s key it goes on: %v", name, err)
		}
		if _, err := Watch(t.Context(), plan, account, key, report, 1, nil); err != nil {
			t.Errorf("with %s key what was answered is not shown: %v", name, err)
		}
	}
	// What was sealed for another request or plan is not taken for this one's.
	elsewhere := newTill()
	if _, err := Watch(t.Context(), plan, elsewhere, alertKey(t), Request{Key: "other", Purpose: "test"}, 1, Slice[sale](nil)); err != nil {
		t.Fatal(err)
	}
	elsewhere.budget[plan.draw(report, 0).Key] = elsewhere.budget[plan.draw(Request{Key: "other"}, 0).Key]
	if _, err := Watch(t.Context(), plan, elsewhere, alertKey(t), report, 2, Slice[sale](nil)); err == nil {
		t.Error("the threshold of another request is opened")
	}
}

// Mistakes in the code are found by an auditor who sees answers alone.
func TestPlantedMistakesOfAlertsAreFound(t *testing.T) {
	const days = 12
	loss := dp.Pure{Epsilon: 1}
	plan := alertPlan(t, loss, days, 1, 1, Above(2))
	small, err := core.NewLaw(core.OneSided, big.NewRat(1, 1000))
	if err != nil {
		t.Fatal(err)
	}
	without, endless, history := *plan, *plan, []sale{}
	without.numbers = small
	endless.alert.Most = days
	for day := range days {
		history = append(history, sale{0, "a", day, 1})
	}
	others := func() (rows []sale) {
		for day := range days {
			rows = append(rows, sale{1, "a", day, 1})
		}
		return rows
	}()
	watch := func(p *AlertPlan[sale, int, string], rows []sale) func() dptest.Sample {
		return func() dptest.Sample {
			alerts, err := Watch(t.Context(), p, newTill(), alertKey(t), report, days, Slice(rows))
			if err != nil {
				t.Fatal(err)
			}
			text := answersOf(alerts, days)
			return dptest.Sample{Tag: text, Numbers: []float64{float64(strings.Count(text, "!")), float64(strings.Index(text+"!", "!"))}}
		}
	}
	for name, p := range map[string]*AlertPlan[sale, int, string]{"": plan, "no noise on the numbers": &without, "no end of alerts": &endless} {
		r := dptest.Trial{Claim: loss, Runs: 1400, Alpha: 1e-9}.Run(watch(p, slices.Concat(others, history)), watch(p, others))
		if r.Refuted != (name != "") {
			t.Errorf("%q: %v", name, r)
		}
	}
}

// Every mistake of a declaration is named, all of them together.
func TestMistakesOfAlertsAreNamed(t *testing.T) {
	q, good := alertOn(3, 1, 1, Above(1))
	for name, c := range map[string]struct {
		change func(*Alert[sale, int, string])
		words  []string
	}{
		"empty":      {func(a *Alert[sale, int, string]) { *a = Alert[sale, int, string]{} }, []string{"Alert.Query", "Alert.Time", "Alert.Zone", "Alert.Step", "Alert.First", "Alert.Periods", "Alert.When", "Alert.Most"}},
		"condition":  {func(a *Alert[sale, int, string]) { a.When = Below(math.NaN()) }, []string{"Alert.When has threshold NaN"}},
		"many":       {func(a *Alert[sale, int, string]) { a.Most = 1001 }, []string{"Alert.Most is 1001, must be 1 to 1000"}},
		"wait":       {func(a *Alert[sale, int, string]) { a.Wait = time.Hour }, []string{"Alert.Wait is 1h0m0s", "Alert.Arrived"}},
		"few groups": {func(a *Alert[sale, int, string]) { c := *a.Query; c.Groups = []string{"a", "b"}; a.Query = &c }, []string{"MaxGroups 1, must be at least 2"}},
		"selected":   {func(a *Alert[sale, int, string]) { c := *a.Query; c.Groups = nil; a.Query = &c }, []string{"list the groups"}},
	} {
		a := *good
		c.change(&a)
		_, err := a.Plan(dp.Pure{Epsilon: 1}, q.Count())
		for _, w := range c.words {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v does not say %q", name, err, w)
			}
		}
	}
	paid := PerUnit(q, "paid", func(s sale) float64 { return s.paid }, Bounds[float64]{Lower: 0, Upper: 8})
	for _, c := range []struct {
		loss   dp.Loss
		column AnyColumn
		words  string
	}{
		{dp.Pure{Epsilon: 1}, paid.Mean(), "is no count and no sum"}, {dp.Pure{Epsilon: 1}, paid.Quantile(0.5), "is no count and no sum"},
		{dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Count(), "needs no δ"}, {dp.Pure{Epsilon: 1e-15}, q.Count(), "must be at most 2^40"}, {dp.Pure{Epsilon: 1}, nil, "a column is nil"},
	} {
		if _, err := good.Plan(c.loss, c.column); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%v of %v: %v does not say %q", c.column, c.loss, err, c.words)
		}
	}
	plan := alertPlan(t, dp.Pure{Epsilon: 1}, 3, 1, 1, Above(1))
	for through, want := range map[int]string{0: "must be 1 to 3", 4: "must be 1 to 3"} {
		if _, err := Watch(t.Context(), plan, newTill(), alertKey(t), report, through, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("period %d: %v", through, err)
		}
	}
	if _, err := Watch(t.Context(), plan, newTill(), alertKey(t), Request{}, 1, nil); err == nil {
		t.Error("a request without a key is answered")
	}
}

const storedAlert = "testdata/alert.txt"

// What an alert answered is read by every later version: the same declaration finds the same
// charge and noise.
func TestStoredAlertsAreReadByLaterVersions(t *testing.T) {
	plan := alertPlan(t, dp.Pure{Epsilon: 1}, 4, 2, 1, Above(2))
	if *writeSeries == "alert.txt" {
		dptest.NoNoise(t)
		account := newTill()
		rows := []sale{{1, "a", 0, 1}, {2, "a", 1, 1}, {3, "a", 1, 1}, {3, "a", 2, 1}, {1, "a", 3, 1}, {2, "a", 3, 1}}
		if _, err := Watch(t.Context(), plan, account, alertKey(t), report, 4, Slice(rows)); err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		for i := range 4 {
			fmt.Fprintf(&text, "%s\t%s\n", plan.draw(report, i).Key, account.budget[plan.draw(report, i).Key])
		}
		if err := os.WriteFile(storedAlert, []byte(text.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(storedAlert)
	if err != nil {
		t.Fatal(err)
	}
	account := newTill()
	for line := range strings.Lines(string(text)) {
		key, kept, _ := strings.Cut(strings.TrimSpace(line), "\t")
		account.budget[key] = []byte(kept)
	}
	alerts, err := Watch(t.Context(), plan, account, nil, report, 4, nil)
	if err != nil {
		t.Fatal("what was stored is not found, or not read: ", err)
	}
	if got := answersOf(alerts, 4); got != ".!.!" || !alerts.Ended || len(alerts.Receipts) != 4 {
		t.Errorf("the answers are %s (ended: %t)", got, alerts.Ended)
	}
	// What was changed is not read.
	first := plan.draw(report, 0).Key
	good := string(account.budget[first])
	for old, new := range map[string]string{
		alertFormat: "equipoise alert 9", plan.mark: "another", `"period":"2026-03-02"`: `"period":"2026-03-03"`,
		`"groups":[]`: `"groups":["\"c\""]`, `"sealed":`: `"sealing":`, "{": "",
	} {
		if account.budget[first] = []byte(strings.Replace(good, old, new, 1)); string(account.budget[first]) == good {
			t.Errorf("%q is not in what is stored: %s", old, good)
		}
		if _, err := Watch(t.Context(), plan, account, nil, report, 4, nil); err == nil {
			t.Errorf("with %q in place of %q it is read", new, old)
		}
	}
}
