package pld

import (
	"math"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"testing"
)

// within checks that got is on the safe side of want and no further than tol from
// it, relatively; safe is +1 where got must not be below, -1 where it must not be
// above. References carry 1e-15 of rounding.
func within(t *testing.T, what string, got, want, tol, safe float64) {
	t.Helper()
	off := (got - want) / want * safe
	if !(off >= -4e-15 && off <= tol) {
		t.Errorf("%s = %.16g, want %.16g (off by %.3g)", what, got, want, off)
	}
}

func TestGoldenGaussianCalibration(t *testing.T) {
	var file struct {
		Sigma []struct {
			Epsilon, Delta float64
			Sigma          float64 `json:"sigma_exact_f64"`
		} `json:"sigma_from_eps_delta"`
		Epsilon []struct {
			Sigma, Delta float64
			Epsilon      float64 `json:"epsilon_exact_f64"`
		} `json:"epsilon_from_sigma_delta"`
		Delta []struct {
			Sigma, Epsilon float64
			Delta          float64 `json:"delta_exact_f64"`
		} `json:"delta_from_sigma_epsilon"`
	}
	readGolden(t, "gaussian_calibration.json", &file)
	if len(file.Sigma) < 50 || len(file.Epsilon) < 50 || len(file.Delta) < 50 {
		t.Fatal("rows are missing")
	}
	for _, r := range file.Sigma {
		within(t, "sigma", 1/GaussianMu(r.Epsilon, r.Delta), r.Sigma, 1e-9, +1)
	}
	for _, r := range file.Epsilon {
		if r.Epsilon > 0 {
			within(t, "epsilon", GaussianEpsilon(1/r.Sigma, r.Delta), r.Epsilon, 1e-9, +1)
		}
	}
	for _, r := range file.Delta {
		if r.Delta > 0 {
			within(t, "delta", GaussianDelta(1/r.Sigma, r.Epsilon), r.Delta, 1e-9, +1)
		}
	}
}

func TestGoldenCurvesOfZCDPAreMet(t *testing.T) {
	var file struct {
		Eps []struct {
			Rho, Delta float64
			Epsilon    float64 `json:"eps_cks20"`
		} `json:"eps_from_rho_delta"`
		Delta []struct {
			Rho, Epsilon float64
			Delta        float64 `json:"delta_cks20"`
		} `json:"delta_from_rho_eps"`
		Rho []struct {
			Epsilon, Delta float64
			Rho            float64 `json:"rho_max_cks20"`
		} `json:"rho_from_eps_delta"`
	}
	readGolden(t, "zcdp_conversion.json", &file)
	if len(file.Eps) < 50 || len(file.Delta) < 50 || len(file.Rho) < 30 {
		t.Fatal("rows are missing")
	}
	for _, r := range file.Eps {
		within(t, "epsilon", RhoEpsilon(r.Rho, r.Delta), r.Epsilon, 1e-9, +1)
	}
	for _, r := range file.Delta {
		if r.Delta > 0 {
			within(t, "delta", RhoDelta(r.Rho, r.Epsilon), math.Min(1, r.Delta), 1e-9, +1)
		}
	}
	for _, r := range file.Rho {
		within(t, "rho", RhoMax(r.Epsilon, r.Delta), r.Rho, 1e-9, -1)
	}
}

func TestGoldenRényiCurvesAreMet(t *testing.T) {
	var file struct {
		Results []struct {
			Events []goldenMechanism
			Rdp    map[string]float64 `json:"rdp_at_orders"`
			Extra  float64            `json:"extra_delta"`
			Eps    []struct {
				Delta   float64
				Epsilon number
				Order   number `json:"optimal_order"`
			} `json:"eps_at_delta"`
		}
	}
	readGolden(t, "rdp_accountant.json", &file)
	if len(file.Results) < 10 {
		t.Fatal("rows are missing")
	}
	for i, r := range file.Results {
		for order, want := range r.Rdp {
			alpha, err := strconv.ParseFloat(order, 64)
			if err != nil {
				t.Fatal(err)
			}
			got := 0.0
			for _, e := range r.Events {
				e.Delta = 0
				got += float64(e.Count) * e.mechanism(t).Renyi(alpha)
			}
			if !(got >= want*(1-1e-9) && got <= want*(1+1e-8)) {
				t.Errorf("row %d: divergence of order %s is %.12g, want %.12g", i, order, got, want)
			}
		}
		c := new(Composition)
		for _, e := range r.Events {
			c.Add(e.mechanism(t), e.Count)
		}
		p := newProfile(c.entries, false)
		for _, e := range r.Eps {
			left := (e.Delta - r.Extra) * (1 - 1e-12)
			if got := c.renyiEpsilon(p, left); left > 0 && !(got <= float64(e.Epsilon)*(1+1e-9)) {
				t.Errorf("row %d: epsilon at %g is %g, above %g of a finite list of orders", i, e.Delta, got, e.Epsilon)
			}
		}
	}
}

// TestGoldenFilesAreAllThere fails if a file was lost, emptied or added without a test.
func TestGoldenFilesAreAllThere(t *testing.T) {
	want := []string{"README.md", "adaptive_counterexamples.json", "filter_decisions.json", "gaussian_calibration.json",
		"heterogeneous.json", "prv_accountant.json", "rdp_accountant.json", "self_composition.json",
		"single_mechanism.json", "zcdp_conversion.json"}
	files, err := filepath.Glob(filepath.Join("testdata", "golden", "*"))
	if err != nil || len(files) != len(want) {
		t.Fatalf("%d golden files, want %d (%v)", len(files), len(want), err)
	}
	sort.Strings(files)
	for i, f := range files {
		info, err := os.Stat(f)
		if err != nil || filepath.Base(f) != want[i] || info.Size() < 1000 {
			t.Errorf("golden file %s, want %s with content (%v)", f, want[i], err)
		}
	}
}
