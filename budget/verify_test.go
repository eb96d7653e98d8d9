package budget

import (
	"errors"
	"slices"
	"testing"
)

// A program that decides otherwise than this one is not taken for a forger; one that
// breaks what every version holds to is.
func TestVerifyRepeatsEveryDecision(t *testing.T) {
	a := busy(t)
	records := stored(a)
	charge := func(m map[string]any) map[string]any { return m["charge"].(map[string]any) }
	for name, f := range map[string]struct {
		at          int
		change      func(map[string]any)
		tampered    bool
		notRepeated []uint64
	}{
		"what was paid while frozen":          {8, func(m map[string]any) { m["kind"] = KindFreeze }, true, nil},
		"a charge of another dataset":         {1, func(m map[string]any) { charge(m)["dataset"] = "orders" }, true, nil},
		"a charge of another unit":            {1, func(m map[string]any) { charge(m)["unit"] = "visit" }, true, nil},
		"a loss that its events exceed":       {1, func(m map[string]any) { charge(m)["loss"] = map[string]any{"epsilon": "0.001"} }, true, nil},
		"a reservation that its draws exceed": {10, func(m map[string]any) { charge(m)["loss"] = map[string]any{"epsilon": "0.001"} }, true, nil},
		"a charge that was taken otherwise":   {3, func(m map[string]any) { m["took"].([]any)[0] = "declared" }, false, []uint64{3}},
		"nothing":                             {-1, nil, false, nil},
	} {
		s := Memory()
		if err := s.Append(t.Context(), "visits", forge(t, records, f.at, f.change)...); err != nil {
			t.Fatal(err)
		}
		a, err := Open(t.Context(), s, "visits")
		var r *Report
		if err == nil {
			r, err = a.Verify(t.Context())
		}
		if errors.Is(err, ErrTampered) != f.tampered || (err != nil) != f.tampered {
			t.Errorf("%s: %v, want tampered: %v", name, err, f.tampered)
		}
		if r != nil && !slices.Equal(r.NotRepeated, f.notRepeated) {
			t.Errorf("%s: decisions on %d are not repeated, want %d", name, r.NotRepeated, f.notRepeated)
		}
	}
}
