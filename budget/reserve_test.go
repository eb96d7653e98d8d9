package budget

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// reserved returns an account with a reservation of three draws, which asks what is given.
func reserved(t *testing.T, question string) (*Account, *Reservation) {
	t.Helper()
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 2}))
	whole := laplaceCharge("whole", dp.Pure{Epsilon: 0.75}, 4)
	whole.Events[0].Count, whole.Question, whole.Analyst, whole.Periods = 3, question, "ann", []string{"2026", "2027"}
	v, err := a.Reserve(t.Context(), whole)
	if err != nil {
		t.Fatal(err)
	}
	return a, v
}

func drawn(key, question string) dp.Charge {
	c := laplaceCharge(key, dp.Pure{Epsilon: 0.25}, 4)
	c.Question, c.Analyst, c.Periods = question, "ann", []string{"2027"}
	return c
}

// What is drawn is bound to what was reserved, and says no less than it costs.
func TestWhatIsDrawnIsBoundToWhatWasReserved(t *testing.T) {
	for name, test := range map[string]struct {
		reserved string // the question
		change   func(*dp.Charge)
		want     string // "" if it is drawn
	}{
		"the same":                          {"how many", func(*dp.Charge) {}, ""},
		"no period":                         {"how many", func(c *dp.Charge) { c.Periods = nil }, ""},
		"another question":                  {"how many", func(c *dp.Charge) { c.Question = "how much" }, "the reservation is for another question"},
		"no question":                       {"how many", func(c *dp.Charge) { c.Question = "" }, "the reservation is for another question"},
		"another question than none":        {"", func(c *dp.Charge) { c.Question = "how much" }, ""},
		"another purpose":                   {"", func(c *dp.Charge) { c.Purpose = "ads" }, `the reservation is for purpose "research"`},
		"another analyst":                   {"", func(c *dp.Charge) { c.Analyst = "ben" }, `the reservation is for analyst "ann"`},
		"another period":                    {"", func(c *dp.Charge) { c.Periods = []string{"2026", "2028"} }, `the reservation does not cover period "2028"`},
		"another scale":                     {"", func(c *dp.Charge) { c.Events[0].Scale.SetInt64(5) }, "its events are not among those that are left"},
		"for something else":                {"", func(c *dp.Charge) { c.Events[0].For = "teaching" }, ""},
		"more than is left":                 {"", func(c *dp.Charge) { c.Events[0].Count, c.Loss = 4, dp.Pure{Epsilon: 1} }, "its events are not among those that are left"},
		"all that is left":                  {"", func(c *dp.Charge) { c.Events[0].Count, c.Loss = 3, dp.Pure{Epsilon: 0.75} }, ""},
		"a larger loss":                     {"", func(c *dp.Charge) { c.Loss = dp.Pure{Epsilon: 9} }, ""},
		"a loss that is too small":          {"", func(c *dp.Charge) { c.Loss = dp.Pure{Epsilon: 0.125} }, `the events of the charge under key "draw" cost more than ε=0.125`},
		"a loss that is too small for two":  {"", func(c *dp.Charge) { c.Events[0].Count = 2 }, `the events of the charge under key "draw" cost more than ε=0.25`},
		"a key that paid for a reservation": {"", func(c *dp.Charge) { c.Key = "whole" }, "was used for another charge"},
	} {
		a, v := reserved(t, test.reserved)
		c := drawn("draw", test.reserved)
		test.change(&c)
		afford := v.Afford(t.Context(), c)
		p, err := v.Spend(t.Context(), c)
		for who, err := range map[string]error{"Afford": afford, "Spend": err} {
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s, %s: %v, want %q", name, who, err, test.want)
			}
		}
		if test.want == "" && p.Entry != 2 || test.want != "" && len(stored(a)) != 2 {
			t.Errorf("%s: entry %d, and %d records", name, p.Entry, len(stored(a)))
		}
		if l := spentOf(t, a); l != (dp.Pure{Epsilon: 0.75}) {
			t.Errorf("%s: %v is spent, want what was reserved", name, l)
		}
		if r, err := a.Verify(t.Context()); err != nil || len(r.NotRepeated) > 0 {
			t.Errorf("%s: Verify: %+v, %v", name, r, err)
		}
	}
}

// A draw that an earlier version accepted is read and given, and Verify says that this one
// would not have.
func TestADrawOfAnotherQuestionOfBeforeIsReadAndReported(t *testing.T) {
	for name, change := range map[string]func(map[string]any){
		"another question": func(c map[string]any) { c["question"] = "how much" },
		"a smaller loss":   func(c map[string]any) { c["loss"] = map[string]any{"epsilon": "0.1"} },
		"nothing":          func(map[string]any) {},
	} {
		a, v := reserved(t, "how many")
		if _, err := v.Spend(t.Context(), drawn("draw", "how many")); err != nil {
			t.Fatal(err)
		}
		records := forge(t, stored(a), 2, func(m map[string]any) { change(m["charge"].(map[string]any)) })
		s := Memory()
		if err := s.Append(t.Context(), "visits", records...); err != nil {
			t.Fatal(err)
		}
		b, err := Open(t.Context(), s, "visits")
		if err != nil {
			t.Fatal(err)
		}
		want := []uint64{2}
		if name == "nothing" {
			want = nil
		}
		if r, err := b.Verify(t.Context()); err != nil || !slices.Equal(r.NotRepeated, want) {
			t.Errorf("%s: Verify: %+v, %v, want that it does not repeat %d", name, r, err, want)
		}
		if p, err := b.Payment(t.Context(), "draw"); err != nil || p.Entry != 2 {
			t.Errorf("%s: Payment: %+v, %v", name, p, err)
		}
	}
}

// A reservation pays, keeps and gives like the account.
func TestAReservationPaysKeepsAndGives(t *testing.T) {
	a, v := reserved(t, "")
	first, second := drawn("first", ""), drawn("second", "")
	if kept, err := v.Kept(t.Context(), first); kept != nil || err != nil {
		t.Errorf("Kept of what is not drawn: %q, %v", kept, err)
	}
	if _, err := v.Keep(t.Context(), first, []byte("x")); !errors.Is(err, ErrNotPaid) {
		t.Errorf("Keep of what is not drawn: %v", err)
	}
	for range 2 {
		if got, err := v.Once(t.Context(), first, func() ([]byte, error) { return []byte("about 41"), nil }); err != nil || string(got) != "about 41" {
			t.Errorf("Once: %q, %v", got, err)
		}
	}
	if _, err := v.Spend(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	if got, err := v.Keep(t.Context(), second, []byte("about 42")); err != nil || string(got) != "about 42" {
		t.Errorf("Keep: %q, %v", got, err)
	}
	if got, err := v.Kept(t.Context(), second); err != nil || string(got) != "about 42" {
		t.Errorf("Kept: %q, %v", got, err)
	}
	bad := drawn("", "")
	if _, err := v.Spend(t.Context(), bad); err == nil || isRefused(err) {
		t.Errorf("Spend of a charge without a key: %v", err)
	}
	if err := v.Afford(t.Context(), bad); err == nil || isRefused(err) {
		t.Errorf("Afford of a charge without a key: %v", err)
	}
	if got := maps.Collect(maps.All(a.state.plans[1].left)); len(got) != 1 || got[memberKey(first.Events[0])] != 1 {
		t.Errorf("left are %v, want one", got)
	}
}

// A reservation of which a checkpoint lacks what is left cannot be drawn from.
func TestAReservationThatACheckpointLacksIsTampering(t *testing.T) {
	a, v := reserved(t, "")
	delete(a.state.plans, 1)
	whole := *v.plan.charge
	if _, err := a.Reserve(t.Context(), whole); !errors.Is(err, ErrTampered) {
		t.Errorf("Reserve again: %v, want ErrTampered", err)
	}
}

// What tells members apart is stored in checkpoints, so it is always the same text.
func TestMembersHaveTheTextThatCheckpointsHave(t *testing.T) {
	e := laplaceCharge("k", dp.Pure{}, 4).Events[0]
	e.Count, e.For = 7, "teaching"
	const want = `{"mechanism":"laplace","sensitivity":{"l0":1,"linf":1},"scale":"4","count":1}`
	if got := memberKey(e); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if e.Count != 7 || e.For != "teaching" {
		t.Errorf("the event became %+v", e)
	}
}
