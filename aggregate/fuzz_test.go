package aggregate

import (
	"context"
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// FuzzPlan: any numbers in a question give a plan that can be priced, run and
// read, or an error; within a few seconds, and never a panic.
func FuzzPlan(f *testing.F) {
	f.Add(uint8(0), 1.0, 1e-6, 0.0, 100.0, 0.0, int64(-10), int64(10), int64(0), 3, 2, 0.5)
	f.Add(uint8(1), 1.0, 1e-6, -1e150, 1e150, 0.0, int64(math.MinInt64), int64(math.MaxInt64), int64(4), math.MaxInt, math.MaxInt, 0.99)
	f.Add(uint8(2), 1e300, 5e-324, 0.0, 5e-324, 1e-300, int64(0), int64(1), int64(1), 1, 1, 1e-9)
	f.Add(uint8(3), 1e-300, 0.999, 0.0, 1e-150, 1e-170, int64(0), int64(1)<<62, int64(1)<<40, 1, 1, 1-1e-16)
	f.Add(uint8(4), math.Inf(1), math.NaN(), math.NaN(), math.Inf(1), math.NaN(), int64(5), int64(5), int64(3), -1, 0, math.NaN())
	f.Add(uint8(1), 50.0, 1e-15, 0.1, 0.3, 0.1, int64(3), int64(5), int64(1), 1000, 1, 0.01)
	f.Fuzz(func(t *testing.T, kind uint8, a, b, low, high, step float64, ilow, ihigh, istep int64, maxGroups, maxRows int, rank float64) {
		q := &Query[fact, int, int]{
			Dataset: "facts", UnitName: "unit", MaxGroups: maxGroups, MaxRowsPerGroup: maxRows,
			Unit: func(f fact) int { return f.who }, Group: func(f fact) int { return f.group },
		}
		if kind&4 != 0 {
			q.Groups = []int{0, 1}
		}
		loss := []dp.Loss{dp.Pure{Epsilon: a}, dp.Approx{Epsilon: a, Delta: b}, dp.Concentrated{Rho: a}, nil}[kind&3]
		x := PerRow(q, "x", func(f fact) float64 { return f.x }, Bounds[float64]{low, high, step})
		y := PerUnit(q, "y", func(f fact) int64 { return f.n }, Bounds[int64]{ilow, ihigh, istep})
		z := PerUnit(q, "z", func(f fact) float64 { return f.x }, Bounds[float64]{low, high, 0})
		start := time.Now()
		p, err := q.Plan(loss, q.Count(), q.Units(), x.Sum(), x.Variance(), x.StdDev(), x.Quantile(rank), y.Sum(), y.Mean(), z.Sum(), y.Quantile(0.5))
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("Plan took %v", took)
		}
		if err != nil {
			if !strings.Contains(err.Error(), ": ") || p != nil {
				t.Errorf("error %q with plan %v", err, p)
			}
			return
		}
		if text := p.String(); strings.Contains(text, "NaN") {
			t.Errorf("the price list has NaN:\n%s", text)
		}
		for _, e := range p.events() {
			if err := e.Check(); err != nil {
				t.Error(err)
			}
		}
		for _, m := range p.measures {
			if m.law.Family == core.Gaussian && m.law.Scale.Cmp(big.NewRat(4096, 1)) < 0 {
				t.Errorf("%v has scale %v, below the fine lattice", m, m.law.Scale)
			}
		}
		var rows []fact
		for _, f := range []fact{{1, 0, math.MaxInt64, math.Inf(1)}, {2, 0, math.MinInt64, math.NaN()}} {
			rows = append(rows, f, f)
		}
		charge := p.Charge(Request{Key: "k", Purpose: "p"})
		release, err := decode[int](p.compiled, written(p, charge, p.collectedFor(t, rows)))
		if err != nil {
			t.Fatal(err)
		}
		readAll(t, p.compiled, release)
	})
}

// written returns the stored form of a release.
func written[Row any, Unit comparable](p *Plan[Row, Unit, int], charge dp.Charge, exact *partial[int]) []byte {
	released, cells, _ := addNoise(context.Background(), p.compiled, exact)
	return encode(p.compiled, p.receipt(charge, dp.Payment{}), released, cells)
}

// twoOf returns two groups that nobody is in.
func twoOf(c *compiled) *partial[int] {
	two := &partial[int]{groups: []int{0, 1}, exacts: exacts{width: c.sums, sums: make([]exact.Int128, 2*c.sums)}}
	for range c.histograms {
		two.lists = append(two.lists, list{ends: make([]int, 2)})
	}
	return two
}

// readAll reads every column of every cell.
func readAll(t *testing.T, c *compiled, r *Release[int]) {
	for _, cell := range r.All() {
		for _, asked := range c.answers {
			e := typed[float64](cell.estimate(asked))
			for _, confidence := range []float64{math.NaN(), -1, 0, 0.5, 0.95, 0.9999, 1} {
				if lo, hi := e.Interval(confidence); !(lo <= e.Value && e.Value <= hi) && !(e.Unknown && lo <= hi) {
					t.Errorf("%v: %v is not in its interval %v, %v at %v", asked, e.Value, lo, hi, confidence)
				}
			}
			if math.IsNaN(e.StdDev) || e.StdDev < 0 {
				t.Errorf("%v has standard deviation %v", asked, e.StdDev)
			}
			typed[int64](cell.estimate(asked))
			typed[uint8](cell.estimate(asked))
		}
	}
}

// FuzzDecode: a stored release that was tampered with is an error, or can be read.
func FuzzDecode(f *testing.F) {
	p := facts(f, dp.Concentrated{Rho: 0.5}, limits{-10, 1, 1}, 2, 2)
	charge := p.Charge(Request{Key: "k", Purpose: "p"})
	text := written(p, charge, twoOf(p.compiled))
	f.Add(text)
	for old, hostile := range map[string]string{
		`"point":0`: `"point":-5`, `"lows":[0`: `"lows":[9223372036854775807`, `"highs":[`: `"highs":[-1,`,
		`"sums":[`: `"sums":[null,`, `"ranks":[`: `"ranks":[[],`, `"key":"[\"0\"]"`: `"key":"[\"1\"]"`, `"loss":{`: `"loss":{"rho":"1",`,
	} {
		f.Add([]byte(strings.Replace(string(text), old, hostile, 1)))
	}
	f.Add([]byte(`null`))
	f.Add([]byte(`{"format":"equipoise release 1","groups":[{"key":"null"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := decode[int](p.compiled, text)
		if err != nil {
			return
		}
		readAll(t, p.compiled, r)
	})
}

// D5: Hostile numbers, one at a time, are errors.
func TestHostileStoredReleasesAreRefused(t *testing.T) {
	p := facts(t, dp.Pure{Epsilon: 1}, limits{-10, 1, 1}, 2, 2)
	charge := p.Charge(Request{Key: "k", Purpose: "p"})
	text := written(p, charge, twoOf(p.compiled))
	for name, change := range map[string]func(*stored){
		"negative point": func(s *stored) { s.Groups[0].Ranks[0][0].Point = -1 },
		"huge point":     func(s *stored) { s.Groups[0].Ranks[0][0].Point = math.MaxInt64 },
		"low above high": func(s *stored) { r := &s.Groups[0].Ranks[0][0]; r.Lows[3], r.Highs[3] = 11, 0 },
		"no low":         func(s *stored) { s.Groups[0].Ranks[0][0].Lows = nil },
		"null sum":       func(s *stored) { s.Groups[1].Sums[0] = nil },
		"huge sum":       func(s *stored) { s.Groups[1].Sums[0].Lsh(s.Groups[1].Sums[0].SetInt64(1), 5000) },
		"missing sum":    func(s *stored) { s.Groups[1].Sums = s.Groups[1].Sums[1:] },
		"no ranks":       func(s *stored) { s.Groups[1].Ranks = nil },
		"key twice":      func(s *stored) { s.Groups[1].Key = s.Groups[0].Key },
		"bad key":        func(s *stored) { s.Groups[1].Key = `["x"]` },
		"other question": func(s *stored) { s.Plan, s.Question = "x", "x" },
		"other loss":     func(s *stored) { s.Plan, s.Question, s.Receipt.Loss = "x", "", dp.Pure{Epsilon: 2} },
		"no measures":    func(s *stored) { s.Plan, s.Receipt.Measures = "x", nil },
		"no values":      func(s *stored) { s.Plan, s.Receipt.Values = "x", nil },
		"a measure twice": func(s *stored) {
			s.Plan, s.Receipt.Measures = "x", append(s.Receipt.Measures[:1], s.Receipt.Measures...)
		},
		"no such measure": func(s *stored) { s.Plan, s.Receipt.Measures[0].Name = "x", "x" },
		"no such noise":   func(s *stored) { s.Plan, s.Receipt.Measures[0].Mechanism = "x", "x" },
		"no scale":        func(s *stored) { s.Plan, s.Receipt.Measures[0].Scale = "x", "" },
		"scale 1/0":       func(s *stored) { s.Plan, s.Receipt.Measures[0].Scale = "x", "1/0" },
		"scale 1e999999":  func(s *stored) { s.Plan, s.Receipt.Measures[0].Scale = "x", "1e999999" },
		"sensitivity":     func(s *stored) { s.Plan, s.Receipt.Measures[0].Sensitivity.LInf = "x", 7 },
		"step":            func(s *stored) { s.Plan, s.Receipt.Values[0].Step = "x", "0.3" },
		"threshold":       func(s *stored) { s.Plan, s.Receipt.Threshold = "x", 5 },
		"other format":    func(s *stored) { s.Format = "x" },
	} {
		var s stored
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(err)
		}
		change(&s)
		bad, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decode[int](p.compiled, bad); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
