package pld

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// number is a JSON number, null meaning +Inf.
type number float64

func (n *number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*n = number(math.Inf(1))
		return nil
	}
	return json.Unmarshal(b, (*float64)(n))
}

type goldenMechanism struct {
	Type            string  `json:"type"`
	B               float64 `json:"b"`
	A               float64 `json:"a"`
	Sigma           float64 `json:"sigma"`
	Sensitivity     float64 `json:"sensitivity"`
	Epsilon         float64 `json:"epsilon"`
	Delta           float64 `json:"delta"`
	Rho             float64 `json:"rho"`
	NoiseParameter  float64 `json:"noise_parameter"`
	NoiseMultiplier float64 `json:"noise_multiplier"`
	NumBuckets      int     `json:"num_buckets"`
	Count           int     `json:"count"`
}

func (g goldenMechanism) mechanism(t *testing.T) Mechanism {
	t.Helper()
	switch g.Type {
	case "laplace":
		if g.NoiseMultiplier > 0 {
			return Laplace(1 / g.NoiseMultiplier)
		}
		return Laplace(g.Sensitivity / g.B)
	case "gaussian":
		if g.NoiseMultiplier > 0 {
			return Gaussian(1 / g.NoiseMultiplier)
		}
		return Gaussian(g.Sensitivity / g.Sigma)
	case "discrete_laplace":
		return DiscreteLaplace(1/g.A, g.Sensitivity)
	case "discrete_gaussian":
		return DiscreteGaussian(g.Sigma, g.Sensitivity)
	case "eps_delta":
		return Declared(g.Epsilon, g.Delta)
	case "randomized_response":
		return KRandomizedResponse(g.NoiseParameter, g.NumBuckets)
	case "zcdp":
		return Zcdp(g.Rho)
	}
	t.Fatalf("unknown mechanism type %q", g.Type)
	return Mechanism{}
}

type goldenRow struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Mechanism  *goldenMechanism  `json:"mechanism"`
	Mechanisms []goldenMechanism `json:"mechanisms"`
	K          int               `json:"k"`
	Delta      float64           `json:"delta"`
	Deltas     []float64         `json:"deltas"`
	EpsTrue    json.RawMessage   `json:"eps_true"`
	Method     json.RawMessage   `json:"true_method"`
	EpsGrid    []float64         `json:"eps_grid"`
	DeltaGrid  []number          `json:"delta_true_at_eps_grid"`
}

func (r goldenRow) composition(t *testing.T) *Composition {
	c := new(Composition)
	if r.Mechanism != nil {
		c.Add(r.Mechanism.mechanism(t), r.K)
	}
	for _, m := range r.Mechanisms {
		c.Add(m.mechanism(t), m.Count)
	}
	return c
}

func (r goldenRow) truth(t *testing.T) (deltas []float64, eps []number) {
	if len(r.Deltas) > 0 {
		if err := json.Unmarshal(r.EpsTrue, &eps); err != nil {
			t.Fatal(err)
		}
		return r.Deltas, eps
	}
	var one number
	if err := json.Unmarshal(r.EpsTrue, &one); err != nil {
		t.Fatal(err)
	}
	return []float64{r.Delta}, []number{one}
}

// readGolden fails the test if the file is missing, unreadable or holds no rows.
func readGolden(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "golden", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

func TestGoldenCompositionsAreMet(t *testing.T) {
	for _, name := range []string{"single_mechanism.json", "self_composition.json", "heterogeneous.json", "prv_accountant.json"} {
		t.Run(name, func(t *testing.T) {
			var file struct{ Results []goldenRow }
			readGolden(t, name, &file)
			if len(file.Results) < 30 {
				t.Fatalf("%d rows, want at least 30", len(file.Results))
			}
			worst := 0.0
			for i, row := range file.Results {
				worst = math.Max(worst, checkRow(t, i, row))
			}
			t.Logf("%d rows, largest excess is %.3g of the tolerance", len(file.Results), worst)
		})
	}
}

// checkRow applies the acceptance rule and returns the largest excess as a part of
// the tolerance.
func checkRow(t *testing.T, i int, row goldenRow) float64 {
	worst := 0.0
	c := row.composition(t)
	deltas, truth := row.truth(t)
	below := 1e-9
	if strings.Contains(string(row.Method), "grid_split") {
		below = 1e-7
	}
	for j, delta := range deltas {
		got, want := c.Epsilon(delta), float64(truth[j])
		if math.IsInf(got, 1) && math.IsInf(want, 1) {
			continue
		}
		over := math.Max(2e-7, 3e-5*want)
		if len(c.entries) == 1 && c.entries[0].count == 1 {
			over = 1e-9 * math.Max(1, want) // closed forms
		}
		if !(got >= want-below*math.Max(1, want) && got <= want+over) {
			t.Errorf("row %d %s %s: epsilon at %g is %.12g, want %.12g (off by %g)", i, row.ID, row.Name, delta, got, want, got-want)
		}
		worst = math.Max(worst, (got-want)/over)
	}
	for j, eps := range row.EpsGrid {
		if math.IsInf(float64(row.DeltaGrid[j]), 1) {
			continue // no reference
		}
		got, want := c.Delta(eps), math.Min(1, float64(row.DeltaGrid[j]))
		if !(got >= want*(1-1e-9)-1e-12) {
			t.Errorf("row %d %s %s: delta at %g is %.12g, below %.12g", i, row.ID, row.Name, eps, got, want)
		}
		if got > want*1.005+1e-10 {
			t.Errorf("row %d %s %s: delta at %g is %.12g, want %.12g", i, row.ID, row.Name, eps, got, want)
		}
	}
	return worst
}
