package aggregate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
)

// A svt is a mechanism that says of numbers whether they are at a threshold or above, as it
// is written in papers: the one that is proved, and those that are famous for being wrong.
type svt struct {
	b1, b2  float64 // scales of the noise of the threshold and of the numbers
	most    int     // alerts, after which nothing is asked
	afresh  bool    // the threshold gets new noise for every number
	noiseOf string  // "threshold" for no noise on numbers
}

// law returns the probability of every list of answers, by the definition: it sums over the noise of
// the threshold and knows nothing of the proof. A number is how far it is above the threshold.
func (m svt) law(numbers []int) map[string]float64 {
	all := make(map[string]float64)
	if m.afresh {
		m.answer(numbers, "", 1, m.most, all, func(q int) (sum float64) {
			for r := range int(50*m.b1) + 1 {
				sum += m.thresholdIs(r) * m.crosses(q-r)
			}
			return sum
		})
		return all
	}
	for r := range int(50*m.b1) + 1 {
		m.answer(numbers, "", m.thresholdIs(r), m.most, all, func(q int) float64 { return m.crosses(q - r) })
	}
	return all
}

func (m svt) thresholdIs(r int) float64 { return -math.Expm1(-1/m.b1) * math.Exp(-float64(r)/m.b1) }

// crosses returns P(q + ν ≥ 0).
func (m svt) crosses(q int) float64 {
	if q >= 0 {
		return 1
	}
	if m.noiseOf == "threshold" {
		return 0
	}
	return math.Exp(float64(q) / m.b2)
}

func (m svt) answer(numbers []int, before string, p float64, left int, all map[string]float64, crosses func(int) float64) {
	if len(numbers) == 0 || left == 0 {
		all[before] += p
		return
	}
	yes := crosses(numbers[0])
	m.answer(numbers[1:], before+"!", p*yes, left-1, all, crosses)
	m.answer(numbers[1:], before+".", p*(1-yes), left, all, crosses)
}

// losses returns the least and the largest ln P(a)/P'(a).
func losses(p, q map[string]float64) (least, most float64) {
	least, most = math.Inf(1), math.Inf(-1)
	for a, x := range p {
		if x < 1e-13 && q[a] < 1e-13 {
			continue // below the tail of the sum over the threshold's noise
		}
		l := math.Log(x / q[a])
		least, most = min(least, l), max(most, l)
	}
	return least, most
}

// alertPlan is a plan for so many days of one group in which everybody may be every day.
func alertPlan(t *testing.T, loss dp.Loss, days, most, rows int, when Condition) *AlertPlan[sale, int, string] {
	t.Helper()
	q, a := alertOn(days, most, rows, when)
	plan, err := a.Plan(loss, q.Count())
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func alertOn(days, most, rows int, when Condition) (*Query[sale, int, string], *Alert[sale, int, string]) {
	q := &Query[sale, int, string]{
		Dataset: "sales", UnitName: "customer", Unit: func(s sale) int { return s.who },
		Group: func(s sale) string { return s.where }, Groups: []string{"a"}, MaxGroups: 1, MaxRowsPerGroup: rows,
	}
	return q, &Alert[sale, int, string]{
		Query: q, Time: func(s sale) time.Time { return epoch.AddDate(0, 0, s.day) }, Zone: time.UTC,
		Step: Day, First: epoch, Periods: days, When: when, Most: most,
	}
}

func (p *AlertPlan[Row, Unit, Group]) svt() svt {
	b1, _ := p.threshold.Scale.Float64()
	b2, _ := p.numbers.Scale.Float64()
	return svt{b1: b1, b2: b2, most: p.alert.Most}
}

// The law of all answers, summed up by its definition, is as private as the plan says, and
// not much more: for random numbers and every history of a unit that was drawn.
func TestTheLawOfAllAnswersIsAsPrivateAsAnAlertSays(t *testing.T) {
	r := rand.New(rand.NewPCG(14, 1))
	reached := 0.0
	for range 400 {
		epsilon, most, rows := 0.2+2*r.Float64(), 1+r.IntN(3), 1+r.IntN(3)
		plan := alertPlan(t, dp.Pure{Epsilon: epsilon}, 1+r.IntN(50), most, rows, Above(100))
		m := plan.svt()
		numbers := make([]int, 1+r.IntN(6))
		with := make([]int, len(numbers))
		for i := range numbers {
			numbers[i] = r.IntN(int(4*m.b2)+4) - int(2*m.b2) - 2
			with[i] = numbers[i] + []int{0, rows, r.IntN(rows + 1)}[r.IntN(3)]
		}
		least, largest := losses(m.law(numbers), m.law(with))
		ranged := epsilon + float64(most*rows)/m.b2
		if size := max(-least, largest); size > epsilon*(1+1e-6) || largest-least > ranged*(1+1e-6) {
			t.Errorf("%+v: %v and %v differ by e^%v, of range %v; ε is %v and the range at most %v", m, numbers, with, size, largest-least, epsilon, ranged)
		} else {
			reached = max(reached, size/epsilon)
		}
	}
	if reached < 0.95 {
		t.Errorf("only %.3f of ε was reached, so the numbers attack nothing", reached)
	}
}

// The variants that Lyu, Su, Li 2017 found wrong in published work, and those that this
// library could have, are not as private as an alert says: their laws say so exactly.
func TestWrongVariantsOfAboveThresholdAreRefuted(t *testing.T) {
	const days, most = 6, 3
	one := alertPlan(t, dp.Pure{Epsilon: 1}, days, 1, 1, Above(100)).svt()
	right := alertPlan(t, dp.Pure{Epsilon: 1}, days, most, 1, Above(100)).svt()
	many := func(q, n int) []int {
		numbers := make([]int, n)
		for i := range numbers {
			numbers[i] = q
		}
		return numbers
	}
	for name, m := range map[string]svt{
		"":                                   right,
		"no noise on the numbers":            {b1: right.b1, b2: right.b2, most: most, noiseOf: "threshold"}, // Stoddard et al. 2014
		"noise of one alert for all":         {b1: one.b1, b2: one.b2, most: most},                           // Lee, Clifton 2014
		"no end of alerts":                   {b1: right.b1, b2: right.b2, most: days},                       // Chen et al. 2015
		"a threshold anew for every number":  {b1: right.b1, b2: right.b2, most: most, afresh: true},
		"no noise on the threshold":          {b1: 1e-3, b2: right.b2, most: most},
		"noise of a unit that moves by half": {b1: right.b1 / 2, b2: right.b2 / 2, most: most},
	} {
		worst := 0.0
		for q := -7; q <= 1; q++ {
			for n := 1; n <= days; n++ {
				for _, moved := range [][]int{many(q+1, n), append(many(q+1, n-1), q), append(many(q, n-1), q+1)} {
					least, largest := losses(m.law(many(q, n)), m.law(moved))
					worst = max(worst, largest, -least)
				}
			}
		}
		if refuted := worst > 1+1e-6; refuted != (name != "") {
			t.Errorf("%q: the loss is %v, claimed is 1", name, worst)
		}
	}
}

// What Watch answers has the law that the proof is about: the frequencies of all lists of answers, with
// a false alarm once in 10⁹ (the bound of Bretagnolle, Huber and Carol for multinomial laws).
func TestWatchHasTheLawOfTheProof(t *testing.T) {
	const days, runs = 3, 2000
	for _, below := range []bool{false, true} {
		when := Above(3)
		if below {
			when = Below(3)
		}
		plan := alertPlan(t, dp.Pure{Epsilon: 1}, days, 2, 1, when)
		sizes := []int{2, 4, 1}
		var rows []sale
		numbers := make([]int, days)
		for day, n := range sizes {
			for who := range n {
				rows = append(rows, sale{who, "a", day, 1})
			}
			if numbers[day] = n - 3; below {
				numbers[day] = 2 - n // below 3 is at most 2
			}
		}
		seen := make(map[string]int)
		for range runs {
			alerts, err := Watch(t.Context(), plan, newTill(), alertKey(t), report, days, Slice(rows))
			if err != nil {
				t.Fatal(err)
			}
			seen[answersOf(alerts, days)]++
		}
		law, distance := plan.svt().law(numbers), 0.0
		for a, p := range law {
			distance += math.Abs(float64(seen[a])/runs - p)
			delete(seen, a)
		}
		if limit := math.Sqrt(2 / float64(runs) * (float64(len(law))*math.Ln2 + 9*math.Ln10)); distance > limit || len(seen) > 0 {
			t.Errorf("%v: the answers are %v from the law, at most %v; others: %v", when, distance, limit, seen)
		}
	}
}

// answersOf writes answers as the law does.
func answersOf(a *Alerts[string], days int) string {
	text := []byte{}
	for range a.Periods {
		text = append(text, '.')
	}
	for _, g := range a.Given {
		text[g.Number] = '!'
	}
	return string(text)
}

// The margins hold, by the law: the odds of any alert at all, and of none where one is due.
func TestMarginsOfAlertsHold(t *testing.T) {
	for _, c := range []struct {
		days, most int
		epsilon    float64
	}{{1, 1, 1}, {365, 1, 1}, {104, 5, 0.5}, {3650, 1, 2}} {
		for _, confidence := range []float64{0.5, 0.95, 0.999} {
			plan := alertPlan(t, dp.Pure{Epsilon: c.epsilon}, c.days, c.most, 1, Above(1000))
			m := plan.svt()
			quiet, sure := plan.Margins(confidence)
			none, nearer, missed := 0.0, 0.0, 0.0
			for r := range int(60 * m.b1) {
				p := m.thresholdIs(r)
				none += p * math.Pow(1-m.crosses(-int(quiet)-r), float64(c.days))
				nearer += p * math.Pow(1-m.crosses(-int(quiet-m.b2)-r), float64(c.days))
				missed += p * (1 - m.crosses(int(sure)-r))
			}
			if nearer >= confidence && confidence > 0.9 {
				t.Errorf("%+v at %v: the margin of %v is wide: less by one scale has %v", c, confidence, quiet, nearer)
			}
			if none < confidence || missed > 1-confidence {
				t.Errorf("%+v at %v: none is given with probability %v, and one is missed with %v", c, confidence, none, missed)
			}
		}
		if q, s := alertPlan(t, dp.Pure{Epsilon: 1}, c.days, c.most, 1, Above(1)).Margins(1); !math.IsInf(q, 1) || !math.IsInf(s, 1) {
			t.Error(fmt.Sprint("margins at a confidence of 1: ", q, s))
		}
	}
}
