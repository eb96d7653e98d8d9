package policy_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/budget/policy"
	"github.com/equipoise-dp/equipoise/budget/policy/policyyaml"
	"github.com/equipoise-dp/equipoise/dp"
)

func visits(t testing.TB) *policy.Policy {
	t.Helper()
	text, err := os.ReadFile("testdata/visits.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := policyyaml.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// edited returns the document's JSON with one field set to a value, which is JSON, or taken
// away.
func edited(t *testing.T, path, value string) []byte {
	t.Helper()
	var root map[string]any
	if err := json.Unmarshal(visits(t).JSON(), &root); err != nil {
		t.Fatal(err)
	}
	at, names := root, strings.Split(path, "/")
	for _, n := range names[:len(names)-1] {
		at = at[n].(map[string]any)
	}
	last := names[len(names)-1]
	if value == "" {
		delete(at, last)
	} else {
		at[last] = json.RawMessage(value)
	}
	text, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestEveryMistakeNamesFieldValueAndRule(t *testing.T) {
	for _, c := range []struct{ path, value, want string }{
		{"version", `0`, "policy: version is 0, must be an integer from 1 on"},
		{"version", `1.5`, "version is 1.5, must be an integer"},
		{"about", `" "`, "about is empty, must say something"},
		{"about", `7`, "about is 7, must be text"},
		{"unit", ``, "unit is missing, must be given"},
		{"unit_is_event", `"no"`, `unit_is_event is "no", must be true or false`},
		{"more", `1`, "more is not a field that a policy has"},
		{"people/at_most", `10`, "people.at_most is 10, must be at least people.at_least, which is 1000"},
		{"people/stated_by", ``, "must have one"},
		{"people/paid_under", `"k"`, "must have one"},
		{"largest", `"epsilon=11,delta=1e-6"`, "protects nobody; ε must be at most 10"},
		{"largest", `{"epsilon": 1, "delta": 0.001}`, "it protects not all of them; δ must be at most a tenth"},
		{"largest", `"much"`, `largest is "much", must be a loss such as`},
		{"largest", `"epsilon=1"`, "largest has none; give it one"},
		{"decided_on", `"yesterday"`, `decided_on is "yesterday", must be a day such as`},
		{"least_group", `-1`, "least_group is -1, must be an integer from 0 on"},
		{"askers_authenticated", `1`, "askers_authenticated is 1, must be true or false"},
		{"modules", `[]`, "modules is a list of 0, must be a list of at least 1"},
		{"purposes", `{}`, "purposes is empty, which allows nothing"},
		{"purposes", `7`, "purposes is 7, must be an object"},
		{"purposes/teaching/askers", `[]`, `purposes["teaching"].askers is a list of 0`},
		{"purposes/teaching/askers", `["a", "a"]`, `purposes["teaching"].askers has "a" twice`},
		{"purposes/teaching/until", `"2025-01-01"`, "was never allowed"},
		{"purposes/teaching/keys", `"all"`, `keys is "all", must be one of`},
		{"purposes/teaching/keys", `"given"`, "groups that are given are shown however few are in them"},
		{"purposes/teaching/consent", `""`, `consent is "", must be one of`},
		{"purposes/teaching/limit", `"rho=1"`, "must be an ε, or an ε and a δ"},
		{"purposes/teaching/limit", `"epsilon=10.5,delta=1e-6"`, "purposes[\"teaching\"].limit is ε=10.5 δ=1e-06, which protects nobody; ε must be at most 10"},
		{"purposes/teaching/limit", `"epsilon=1,delta=0.02"`, "δ must be below 0.01"},
		{"purposes/teaching/limit", `"epsilon=1,delta=1.1e-5"`, "people.at_most is 10000, and δ must be at most a tenth of one in so many"},
		{"purposes/opening hours/columns/stay/lower", `"1x"`, `columns["stay"].lower is "1x", must be a number, or a duration`},
		{"purposes/opening hours/columns/stay/lower", `"25h"`, "must be below upper"},
	} {
		_, err := policy.Parse(edited(t, c.path, c.value))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s = %s: %v, want %q", c.path, c.value, err, c.want)
		}
	}
}

func TestAllMistakesComeBackTogether(t *testing.T) {
	_, err := policy.Parse([]byte(`{"version": 0, "x": 1, "purposes": {"p": {"askers": 1}}}`))
	for _, want := range []string{"version is 0", "x is not a field", `purposes["p"].askers is 1`, `purposes["p"].reason is missing`, "dataset is missing"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want also %q", err, want)
		}
	}
}

// asks is a charge that the policy allows.
func asks() dp.Charge {
	return dp.Charge{
		Dataset: "visits", Unit: "patient", Purpose: "opening hours", Key: "k", Analyst: "ann", Loss: dp.Approx{Epsilon: 0.5, Delta: 1e-6},
		States: &dp.Statement{
			Columns: []dp.StatedColumn{{Name: "stay", Per: "unit", Lower: "0", Upper: "14400000000000"}}, Grouped: true, Groups: "ward",
			LeastGroup: 20, Consent: "opt-out", RetainDays: 365,
		},
	}
}

var today = time.Date(2026, 5, 1, 23, 0, 0, 0, time.UTC)

func TestEachRuleRefusesByItself(t *testing.T) {
	p := visits(t)
	if why := p.Refuses(ptr(asks()), policy.Facts{Day: today}); why != nil {
		t.Fatalf("what is allowed is refused: %q", why)
	}
	for want, edit := range map[string]func(*dp.Charge, *policy.Facts){
		`purpose "ads" is none of the policy's`:              func(c *dp.Charge, _ *policy.Facts) { c.Purpose = "ads" },
		`purpose "opening hours" was withdrawn`:              func(_ *dp.Charge, f *policy.Facts) { f.Withdrawn = []string{"opening hours"} },
		`purpose "opening hours" ended on 2030-12-31`:        func(_ *dp.Charge, f *policy.Facts) { f.Day = time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC) },
		`it does not say who asks`:                           func(c *dp.Charge, _ *policy.Facts) { c.Analyst = "" },
		`"eve" may not ask for purpose "opening hours"`:      func(c *dp.Charge, _ *policy.Facts) { c.Analyst = "eve" },
		`ε=0.6 δ=1e-06 is more than ε=0.5 δ=1e-06`:           func(c *dp.Charge, _ *policy.Facts) { c.Loss = dp.Approx{Epsilon: 0.6, Delta: 1e-6} },
		`ε=0.5 δ=2e-06 is more than`:                         func(c *dp.Charge, _ *policy.Facts) { c.Loss = dp.Approx{Epsilon: 0.5, Delta: 2e-6} },
		`ρ=0.1 is more than`:                                 func(c *dp.Charge, _ *policy.Facts) { c.Loss = dp.Concentrated{Rho: 0.1} },
		`it does not say what it reads`:                      func(c *dp.Charge, _ *policy.Facts) { c.States = nil },
		`column "age" is none that purpose`:                  func(c *dp.Charge, _ *policy.Facts) { c.States.Columns[0].Name = "age" },
		`[0s, 24h0m0.000000001s], must be within [0s, 24h]`:  func(c *dp.Charge, _ *policy.Facts) { c.States.Columns[0].Upper = "86400000000001" },
		`is read with bounds [-1/3, 4h]`:                     func(c *dp.Charge, _ *policy.Facts) { c.States.Columns[0].Lower = "-1/3" },
		`is read with bounds [1e999999999, 4h]`:              func(c *dp.Charge, _ *policy.Facts) { c.States.Columns[0].Lower = "1e999999999" },
		`groups by "age" are none that purpose`:              func(c *dp.Charge, _ *policy.Facts) { c.States.Groups = "age" },
		`needs groups that are selected`:                     func(c *dp.Charge, _ *policy.Facts) { c.States.KeysGiven = true },
		`groups of fewer than 20 must not be shown`:          func(c *dp.Charge, _ *policy.Facts) { c.States.LeastGroup = 19 },
		`consent must be opt-out, and the question has none`: func(c *dp.Charge, _ *policy.Facts) { c.States.Consent = "" },
		`and the question reads all`:                         func(c *dp.Charge, _ *policy.Facts) { c.States.RetainDays = 0 },
		`protects every "device", and the policy every`:      func(c *dp.Charge, _ *policy.Facts) { c.Unit = "device" },
		`protects one patient as an event`:                   func(c *dp.Charge, _ *policy.Facts) { c.States.Event = true },
		`numbers of every week are groups by "week"`:         func(c *dp.Charge, _ *policy.Facts) { c.States.Step = "week" },
		`and the question reads the last 731 days`:           func(c *dp.Charge, _ *policy.Facts) { c.States.RetainDays = 731 },
	} {
		c, f := asks(), policy.Facts{Day: today}
		edit(&c, &f)
		why := p.Refuses(&c, f)
		if len(why) != 1 || !strings.Contains(why[0], want) {
			t.Errorf("refused by %q, want one reason with %q", why, want)
		}
	}
}

func TestThePeopleMayHaveToBePaidForFirst(t *testing.T) {
	p, err := policy.Parse([]byte(strings.Replace(string(visits(t).JSON()), `"stated_by":"the clinic's registrar"`, `"paid_under":"how many"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	c := asks()
	if why := p.Refuses(&c, policy.Facts{Day: today}); len(why) != 1 || !strings.Contains(why[0], `under request key "how many"`) {
		t.Errorf("%q", why)
	}
	if why := p.Refuses(&c, policy.Facts{Day: today, Paid: paidFor("how many", "patient")}); why != nil {
		t.Errorf("%q", why)
	}
	if why := p.Refuses(&c, policy.Facts{Day: today, Paid: paidFor("how many", "ward")}); len(why) != 1 {
		t.Errorf("the number of something else: %q", why)
	}
	c.Key = "how many"
	for name, edit := range map[string]func(*dp.Charge, *policy.Facts){
		"groups":         func(*dp.Charge, *policy.Facts) {},
		"no units":       func(c *dp.Charge, _ *policy.Facts) { c.States.Grouped, c.States.Units = false, false },
		"each week":      func(c *dp.Charge, _ *policy.Facts) { c.States.Grouped, c.States.Step = false, "week" },
		"a part":         func(c *dp.Charge, _ *policy.Facts) { c.States.Grouped, c.Dataset = false, "visits/2026" },
		"other units":    func(c *dp.Charge, _ *policy.Facts) { c.States.Grouped, c.Unit = false, "ward" },
		"a reservation":  func(c *dp.Charge, f *policy.Facts) { c.States.Grouped, f.Reserves = false, true },
		"nothing stated": func(c *dp.Charge, _ *policy.Facts) { c.States = nil },
	} {
		c, f := asks(), policy.Facts{Day: today}
		c.Key, c.States.Units = "how many", true
		edit(&c, &f)
		if why := p.Refuses(&c, f); !strings.Contains(strings.Join(why, "; "), "by a number of all units without groups") {
			t.Errorf("%s: %q", name, why)
		}
	}
	c.States.Grouped, c.States.Units = false, true
	if why := p.Refuses(&c, policy.Facts{Day: today}); why != nil {
		t.Errorf("the release that pays for it: %q", why)
	}
	c.States.Units, c.Events = false, []dp.Event{{For: "units"}} // as earlier versions said it
	if why := p.Refuses(&c, policy.Facts{Day: today}); why != nil {
		t.Errorf("the release of an earlier version: %q", why)
	}
}

func paidFor(key, unit string) func(string) string {
	return func(asked string) string {
		if asked == key {
			return unit
		}
		return ""
	}
}

// Periods are groups that are given: a policy that has other groups, selected ones, or a least
// number in each refuses numbers of every period. What is left of a series that was paid for
// before that was stated can be drawn.
func TestPeriodsAreGroupsThatAreGiven(t *testing.T) {
	text := string(visits(t).JSON())
	withWeek := strings.ReplaceAll(text, `"groups":["ward"]`, `"groups":["ward","week"]`)
	free := strings.ReplaceAll(strings.Replace(withWeek, `"least_group":20,`, "", 1), `"selected"`, `"any"`)
	for name, p := range map[string]struct{ text, want string }{
		"another group":  {text, `numbers of every week are groups by "week", which are none`},
		"selected":       {withWeek, `needs groups that are selected, and every week is given`},
		"selected alone": {strings.Replace(withWeek, `"least_group":20,`, "", 1), `needs groups that are selected, and every week is given`},
		"listed":         {free, ""},
		"given":          {strings.ReplaceAll(free, `"any"`, `"given"`), ""},
	} {
		doc, err := policy.Parse([]byte(p.text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		c := asks()
		c.Question, c.States.Grouped, c.States.Step = "q", false, "week"
		why := doc.Refuses(&c, policy.Facts{Day: today})
		if p.want == "" && why != nil || p.want != "" && (len(why) != 1 || !strings.Contains(why[0], p.want)) {
			t.Errorf("%s: %q, want %q", name, why, p.want)
		}
		earlier := asks()
		earlier.Question = "q"
		if why := doc.Refuses(&c, policy.Facts{Day: today, Reserved: &earlier}); why != nil {
			t.Errorf("%s, of a series of an earlier version: %q", name, why)
		}
		for whole, edit := range map[string]func(*dp.Charge){
			"a list":         func(c *dp.Charge) { c.Question = "" },
			"nothing stated": func(c *dp.Charge) { c.States = nil },
			"a series":       func(c *dp.Charge) { c.States.Step = "week" },
		} {
			reserved := asks()
			reserved.Question = "q"
			edit(&reserved)
			if got := doc.Refuses(&c, policy.Facts{Day: today, Reserved: &reserved}); fmt.Sprint(got) != fmt.Sprint(why) {
				t.Errorf("%s, drawn from %s: %q, want %q", name, whole, got, why)
			}
		}
	}
}

// A limit that protects nobody is a mistake of a new document, and one that is on record stays
// readable.
func TestWhatIsOnRecordStaysReadable(t *testing.T) {
	text := edited(t, "purposes/teaching/limit", `"epsilon=20,delta=1e-5"`)
	if _, err := policy.Parse(text); err == nil {
		t.Error("it is read as a new document")
	}
	if p, err := policy.ParseRecorded(text); err != nil || p.Purposes["teaching"].Limit != dp.Loss(dp.Approx{Epsilon: 20, Delta: 1e-5}) {
		t.Errorf("%v, %v", p, err)
	}
	if _, err := policy.ParseRecorded(edited(t, "largest", `"epsilon=20,delta=1e-6"`)); err == nil {
		t.Error("what was never accepted is read")
	}
}

// A reservation is decided by who asks and why, and by what it says that it is for; how much a
// release may cost is decided when it is drawn.
func TestAReservationIsNoRelease(t *testing.T) {
	c := asks()
	c.Loss = dp.Approx{Epsilon: 3, Delta: 1e-5}
	if why := visits(t).Refuses(&c, policy.Facts{Day: today, Reserves: true}); why != nil {
		t.Errorf("%q", why)
	}
	c.States.Columns[0].Name, c.States.Consent = "age", ""
	if why := visits(t).Refuses(&c, policy.Facts{Day: today, Reserves: true}); len(why) != 2 {
		t.Errorf("%q, want the column and consent", why)
	}
	c.States = nil
	if why := visits(t).Refuses(&c, policy.Facts{Day: today, Reserves: true}); why != nil {
		t.Errorf("%q", why)
	}
}

// What is exactly at a limit is allowed, and what is beyond it by the least is not.
func TestLimitsHoldToTheEdge(t *testing.T) {
	pure := edited(t, "largest", `"epsilon=0.5"`)
	pure = []byte(strings.ReplaceAll(strings.Replace(string(pure), `"least_group":20,`, "", 1), `"selected"`, `"any"`))
	rho := []byte(strings.Replace(string(pure), `"largest":"epsilon=0.5"`, `"largest":"rho=0.125"`, 1))
	whole := visits(t).JSON()
	for name, c := range map[string]struct {
		text  []byte
		day   time.Time
		loss  dp.Loss
		allow bool
	}{
		"the last day, at its end":     {whole, time.Date(2030, 12, 31, 23, 59, 0, 0, time.UTC), dp.Approx{Epsilon: 0.5, Delta: 1e-6}, true},
		"the day after":                {whole, time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC), dp.Approx{Epsilon: 0.5, Delta: 1e-6}, false},
		"a ρ that is less":             {whole, today, dp.Concentrated{Rho: 0.004}, true},
		"a ρ, and no δ":                {pure, today, dp.Concentrated{Rho: 1e-9}, false},
		"an ε for the ρ":               {rho, today, dp.Pure{Epsilon: 0.5}, true},
		"an ε that is more than the ρ": {rho, today, dp.Pure{Epsilon: 0.51}, false},
		"a δ where a ρ is the largest": {rho, today, dp.Approx{Epsilon: 0.1, Delta: 1e-9}, false},
		"the ρ itself":                 {rho, today, dp.Concentrated{Rho: 0.125}, true},
	} {
		p, err := policy.Parse(c.text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		charge := asks()
		charge.Loss = c.loss
		if why := p.Refuses(&charge, policy.Facts{Day: c.day}); (why == nil) != c.allow {
			t.Errorf("%s: refused by %q", name, why)
		}
	}
}

// A document that is at the edge of a rule is a policy.
func TestDocumentsAtTheEdgeAreRead(t *testing.T) {
	for _, e := range []struct {
		path, value string
		ok          bool
	}{
		{"people/at_most", `1000`, true},
		{"largest", `"epsilon=10,delta=1e-5"`, true},
		{"largest", `"epsilon=1,delta=1.1e-5"`, false},
		{"purposes/teaching/limit", `"epsilon=10,delta=1e-5"`, true},
		{"purposes/teaching/until", `"2026-01-15"`, true},
		{"purposes/teaching/until", `"2026-01-14"`, false},
		{"purposes/opening hours/columns/stay", `{"lower": 1, "upper": 1}`, false},
		{"purposes/opening hours/columns/stay", `{"lower": -0.1, "upper": 0}`, true},
	} {
		if _, err := policy.Parse(edited(t, e.path, e.value)); (err == nil) != e.ok {
			t.Errorf("%s = %s: %v", e.path, e.value, err)
		}
	}
	given := strings.ReplaceAll(strings.Replace(string(visits(t).JSON()), `"least_group":20,`, "", 1), `"selected"`, `"given"`)
	if _, err := policy.Parse([]byte(given)); err != nil {
		t.Errorf("groups that are given, without a least: %v", err)
	}
}

func ptr[T any](x T) *T { return &x }

func ExamplePolicy_Refuses() {
	text, err := os.ReadFile("testdata/visits.yaml")
	if err != nil {
		panic(err)
	}
	p, err := policyyaml.Parse(text)
	if err != nil {
		panic(err)
	}
	charge := dp.Charge{Purpose: "ads", Loss: dp.Pure{Epsilon: 1}}
	for _, reason := range p.Refuses(&charge, policy.Facts{Day: today}) {
		fmt.Println(reason)
	}
	// Output:
	// purpose "ads" is none of the policy's
	// ε=1 is more than ε=0.5 δ=1e-06, the largest of one release
	// it does not say what it reads (dp.Charge.States); a plan of package aggregate says so
}
