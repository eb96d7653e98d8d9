package budget

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// shopParts are a company's datasets.
var shopParts = []string{"shop/eu", "shop/eu/returns", "shop/eu/sales", "shop/us/sales", "shop/europe"}

func shopTerms(r *rand.Rand) Terms {
	quarters := func(most int) dp.Loss { return dp.Pure{Epsilon: float64(1+r.IntN(most)) / 4} }
	t := Terms{Dataset: "shop", Unit: "patient", Rule: Basic, Limit: quarters(40), Parts: map[string]dp.Loss{}}
	for _, p := range shopParts {
		if r.IntN(4) > 0 {
			t.Parts[p] = quarters(16)
		}
	}
	if len(t.Parts) == 0 {
		t.Parts["shop/eu"] = quarters(16)
	}
	if r.IntN(3) == 0 {
		t.Analyst = quarters(16)
	}
	return t
}

// A charge for a part counts in it, in all that it is within and in all that is within
// it, or nowhere: random accounts and random charges against sums that are written down
// here, with accounts that are opened again from a checkpoint on the way.
func TestAChargeForAPartCountsInAllThatItTouchesOrNowhere(t *testing.T) {
	tails(t, 7)
	histories, refused, refusers := 60, 0, map[string]bool{}
	for seed := range histories {
		r := rand.New(rand.NewPCG(uint64(seed), 17))
		terms := shopTerms(r)
		store := Memory()
		a, err := Create(t.Context(), store, terms)
		if err != nil {
			t.Fatal(err)
		}
		// What each part is told of, in words: the reference knows no paths.
		touches := map[string][]string{
			"shop":            shopParts,
			"shop/eu":         {"shop/eu", "shop/eu/returns", "shop/eu/sales"},
			"shop/eu/returns": {"shop/eu", "shop/eu/returns"},
			"shop/eu/sales":   {"shop/eu", "shop/eu/sales"},
			"shop/us/sales":   {"shop/us/sales"},
			"shop/europe":     {"shop/europe"},
		}
		sums := map[string]*big.Rat{}
		sum := func(name string) *big.Rat {
			if sums[name] == nil {
				sums[name] = new(big.Rat)
			}
			return sums[name]
		}
		for n := range 30 {
			c := testCharge(fmt.Sprint(n), dp.Pure{Epsilon: float64(1+r.IntN(4)) / 4})
			c.Dataset, c.Analyst = append(shopParts, "shop")[r.IntN(6)], "ann"
			limits := map[string]dp.Loss{"account": terms.Limit}
			for _, p := range touches[c.Dataset] {
				if l := terms.Parts[p]; l != nil {
					limits[fmt.Sprintf("part %q", p)] = l
				}
			}
			if terms.Analyst != nil {
				limits[`analyst "ann"`] = terms.Analyst
			}
			_, named := terms.Parts[c.Dataset]
			want := named || c.Dataset == "shop"
			for name, l := range limits {
				if new(big.Rat).Add(sum(name), c.Events[0].Epsilon).Cmp(exact.Decimal(l.(dp.Pure).Epsilon)) > 0 {
					want = false
				}
			}
			_, err := a.Spend(t.Context(), c)
			if (err == nil) != want {
				t.Fatalf("history %d: charge %d for %s: %v, and the reference says %t", seed, n, c.Dataset, err, want)
			}
			if err == nil {
				for name := range limits {
					sums[name] = new(big.Rat).Add(sum(name), c.Events[0].Epsilon)
				}
			} else if e, ok := errors.AsType[*RefusedError](err); ok {
				refused++
				refusers[strings.Fields(e.Scope)[0]] = true
			}
			if r.IntN(5) == 0 {
				if a, err = Open(t.Context(), store, "shop"); err != nil {
					t.Fatalf("history %d: %v", seed, err)
				}
			}
		}
		s, err := a.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range append(s.Parts, s.Whole) {
			name := scope{one.Scope, one.Name}.String()
			if got, _, _ := dp.PartsOf(one.Spent).Exact(); got.Cmp(sum(name)) != 0 {
				t.Errorf("history %d: %s has spent %v, and the reference says %v", seed, name, one.Spent, sum(name))
			}
		}
		report, err := a.Verify(t.Context())
		if err != nil || report.NotRepeated != nil || fmt.Sprint(report.Status) != fmt.Sprint(s) {
			t.Errorf("history %d: %+v, %v", seed, report, err)
		}
	}
	if refused < histories || !refusers["account"] || !refusers["part"] {
		t.Errorf("%d charges were refused, by %v; the test asks nothing", refused, slices.Collect(maps.Keys(refusers)))
	}
}

// Two teams that spend at the same time through accounts of their own never take more
// than the company has.
func TestTeamsShareTheTotal(t *testing.T) {
	store := Memory()
	terms := Terms{
		Dataset: "shop", Unit: "patient", Limit: dp.Pure{Epsilon: 2}, Rule: Basic,
		Parts: map[string]dp.Loss{"shop/eu": dp.Pure{Epsilon: 1.5}, "shop/us": dp.Pure{Epsilon: 1.5}},
	}
	if _, err := Create(t.Context(), store, terms); err != nil {
		t.Fatal(err)
	}
	paid := make([]int, 2)
	var wg sync.WaitGroup
	for i, team := range []string{"shop/eu", "shop/us"} {
		wg.Go(func() {
			a, err := Open(t.Context(), store, "shop")
			if err != nil {
				t.Error(err)
				return
			}
			for n := range 40 {
				c := testCharge(fmt.Sprint(team, n), dp.Pure{Epsilon: 0.0625})
				c.Dataset = team
				if _, err := a.Spend(t.Context(), c); err == nil {
					paid[i]++
				} else if _, ok := errors.AsType[*RefusedError](err); !ok {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if paid[0]+paid[1] != 32 || paid[0] > 24 || paid[1] > 24 {
		t.Errorf("the teams were paid %d and %d charges, must be 32 together and at most 24 each", paid[0], paid[1])
	}
}

func TestAPartDrawsFromNoReservationOfAnother(t *testing.T) {
	a := newAccount(t, Terms{Dataset: "shop", Limit: dp.Pure{Epsilon: 2}, Parts: map[string]dp.Loss{"shop/eu": dp.Pure{Epsilon: 1}, "shop/us": dp.Pure{Epsilon: 1}}})
	whole := testCharge("whole", dp.Pure{Epsilon: 0.5})
	whole.Dataset = "shop/eu"
	v, err := a.Reserve(t.Context(), whole)
	if err != nil {
		t.Fatal(err)
	}
	draw := testCharge("draw", dp.Pure{Epsilon: 0.5})
	draw.Dataset = "shop/us"
	if _, err := v.Spend(t.Context(), draw); err == nil || !strings.Contains(err.Error(), `the reservation is for dataset "shop/eu"`) {
		t.Errorf("another part draws from it: %v", err)
	}
	draw.Dataset = "shop/eu"
	if _, err := v.Spend(t.Context(), draw); err != nil {
		t.Error(err)
	}
	// A key that one part paid is not the other's.
	draw.Dataset = "shop/us"
	if _, err := a.Spend(t.Context(), draw); !errors.Is(err, ErrKeyReused) {
		t.Errorf("the key of another part: %v", err)
	}
}

func TestMistakesOfPartsAndOdometersAreNamed(t *testing.T) {
	whole := dp.Pure{Epsilon: 1}
	for want, terms := range map[string]Terms{
		`Terms.Parts is empty`:                         {Dataset: "shop", Limit: whole, Parts: map[string]dp.Loss{}},
		`has "eu", must be a path from`:                {Dataset: "shop", Limit: whole, Parts: map[string]dp.Loss{"eu": whole}},
		`has "shop", must be a path from`:              {Dataset: "shop", Limit: whole, Parts: map[string]dp.Loss{"shop": whole}},
		`has "shop/", must be a path from`:             {Dataset: "shop", Limit: whole, Parts: map[string]dp.Loss{"shop/": whole}},
		`has "shop//eu", must be a path from`:          {Dataset: "shop", Limit: whole, Parts: map[string]dp.Loss{"shop//eu": whole}},
		`limit of part "shop/eu": dp: no loss given`:   {Dataset: "shop", Limit: whole, Parts: map[string]dp.Loss{"shop/eu": nil}},
		`limit of part "shop/eu" is ρ=1`:               {Dataset: "shop", Limit: whole, Rule: Basic, Parts: map[string]dp.Loss{"shop/eu": dp.Concentrated{Rho: 1}}},
		`Terms.Limit is ε=1 and Terms.Odometer is tru`: {Dataset: "shop", Limit: whole, Odometer: true, Rule: Basic},
		`Terms.Rule is default, and an odometer's mus`: {Dataset: "shop", Odometer: true},
		`limit of account: dp: no loss given`:          {Dataset: "shop"},
	} {
		if err := terms.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	a := newAccount(t, Terms{Dataset: "shop", Limit: whole, Parts: map[string]dp.Loss{"shop/eu": whole}})
	c := testCharge("k", dp.Pure{Epsilon: 0.5})
	c.Dataset = "shop/us"
	if _, err := a.Spend(t.Context(), c); err == nil || !strings.Contains(err.Error(), `"shop" with the parts ["shop/eu"]`) {
		t.Errorf("a part that is none: %v", err)
	}
	other := a.Terms()
	other.Parts["shop/eu"] = dp.Pure{Epsilon: 2}
	if _, err := OpenOrCreate(t.Context(), a.store, other); err == nil || !strings.Contains(err.Error(), `Terms.Parts["shop/eu"] is ε=1, not ε=2`) {
		t.Errorf("other terms: %v", err)
	}
}
