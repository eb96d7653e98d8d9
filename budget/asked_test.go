package budget

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// Charges that ask the same under one key are one request, whatever noise answers
// them; what differs in any part of the question is another.
func TestOneQuestionIsOneRequestWhateverItsNoise(t *testing.T) {
	asks := func(change func(*dp.Charge)) dp.Charge {
		c := laplaceCharge("k", dp.Pure{Epsilon: 0.1}, 10)
		c.Question, c.Plan, c.Analyst, c.Periods = "how many", "plan", "ann", []string{"2026"}
		change(&c)
		return c
	}
	nothing := func(*dp.Charge) {}
	for name, test := range map[string]struct {
		change func(*dp.Charge)
		same   bool
	}{
		"nothing":     {nothing, true},
		"noise":       {func(c *dp.Charge) { c.Plan = "other"; c.Events[0].Scale.SetInt64(20) }, true},
		"question":    {func(c *dp.Charge) { c.Question = "how much" }, false},
		"no question": {func(c *dp.Charge) { c.Question, c.Plan = "", "other" }, false},
		"loss":        {func(c *dp.Charge) { c.Loss = dp.Pure{Epsilon: 0.2} }, false},
		"purpose":     {func(c *dp.Charge) { c.Purpose = "ads" }, false},
		"analyst":     {func(c *dp.Charge) { c.Analyst = "bob" }, false},
		"periods":     {func(c *dp.Charge) { c.Periods = append(c.Periods, "2027") }, false},
	} {
		for _, kept := range []bool{true, false} {
			a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
			first := asks(nothing)
			if _, err := a.Spend(t.Context(), first); err != nil {
				t.Fatal(err)
			}
			if kept {
				if _, err := a.Keep(t.Context(), first, []byte("the answer")); err != nil {
					t.Fatal(err)
				}
			}
			b, err := Open(t.Context(), a.store, a.name)
			if err != nil {
				t.Fatal(err)
			}
			c := asks(test.change)
			drawn := name == "nothing" // what was paid covers it
			for _, a := range []*Account{a, b} {
				p, spendErr := a.Spend(t.Context(), c)
				release, keptErr := a.Kept(t.Context(), c)
				affordErr := a.Afford(t.Context(), c)
				switch {
				case test.same && kept:
					if string(p.Kept) != "the answer" || string(release) != "the answer" || affordErr != nil {
						t.Errorf("%s: Spend = %+v, %v; Kept = %q, %v; Afford: %v", name, p, spendErr, release, keptErr, affordErr)
					}
				case test.same:
					if other := !drawn; other != errors.Is(spendErr, dp.ErrOtherNoise) || other != errors.Is(affordErr, dp.ErrOtherNoise) || release != nil || keptErr != nil {
						t.Errorf("%s, not kept: Spend: %v, Afford: %v, Kept = %q, %v", name, spendErr, affordErr, release, keptErr)
					}
				case !errors.Is(spendErr, ErrKeyReused) || !errors.Is(keptErr, ErrKeyReused) || !errors.Is(affordErr, ErrKeyReused) || errors.Is(spendErr, dp.ErrOtherNoise):
					t.Errorf("another %s: Spend: %v, Kept: %v, Afford: %v", name, spendErr, keptErr, affordErr)
				}
			}
			if spent := spentOf(t, a); spent != (dp.Pure{Epsilon: 0.1}) {
				t.Errorf("%s: %v spent", name, spent)
			}
		}
	}
}

// A charge without its question and what it states is written as if it never had them,
// whatever its texts are; that is what two versions that choose others compare.
func TestAQuestionIsCutOutOfWhatIsWritten(t *testing.T) {
	states := []*dp.Statement{nil, {}}
	for _, text := range []string{"", "how many", `","question":"how many"`, `,"question":"<&>`, `,"states":{}`, "\\", "ü\u2028", strings.Repeat("q", 600)} {
		for _, other := range []string{"k", "k" + text, `,"question":"` + text + `","states":`} {
			with := testCharge(other, dp.Pure{Epsilon: 0.1})
			with.Plan, with.Analyst, with.Periods, with.Events[0].For = other, other, []string{other}, other
			without := with
			with.Question = text
			for _, with.States = range states {
				if got, want := noise(&with, mustMarshal(with)), mustMarshal(without); !bytes.Equal(got, want) {
					t.Errorf("question %q, other texts %q: %s, want %s", text, other, got, want)
				}
			}
		}
	}
}
