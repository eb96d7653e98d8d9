package budget

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// golden is a folder with a ledger that an earlier version wrote; its README says
// how.
const golden = "testdata/d90b317"

// goldenFacts are what that version said of an account.
type goldenFacts struct {
	Account, Anchor, Spent, Left string
	Entries                      uint64
	Frozen                       bool
	Keys                         map[string]*string
}

func readGolden(t *testing.T) []goldenFacts {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(golden, "facts.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []goldenFacts
	if err := json.Unmarshal(text, &all); err != nil || len(all) != 4 {
		t.Fatalf("%d accounts, %v", len(all), err)
	}
	return all
}

// importGolden imports an account as that version exported it, and returns its
// charges too.
func importGolden(t *testing.T, f goldenFacts) (*Account, map[string]dp.Charge) {
	t.Helper()
	anchor, err := ParseAnchor(f.Anchor)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(filepath.Join(golden, f.Account+".export"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	a, err := Import(t.Context(), Memory(), file, anchor)
	if err != nil {
		t.Fatal(err)
	}
	charges := map[string]dp.Charge{}
	for e, err := range a.Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Charge != nil && e.Kind != KindReserve {
			charges[e.Charge.Key] = *e.Charge
		}
	}
	return a, charges
}

func amountOf(l dp.Loss) string {
	if l == nil {
		return "nothing"
	}
	return l.String()
}

func TestALedgerOfFormat1IsReadAndVerified(t *testing.T) {
	for _, f := range readGolden(t) {
		a, _ := importGolden(t, f)
		r, err := a.Verify(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", f.Account, err)
		}
		kept := 0
		for _, release := range f.Keys {
			if release != nil {
				kept++
			}
		}
		if r.Releases != 0 || len(r.Uncovered) != kept || r.NotRepeated != nil || r.Backdated != nil {
			t.Errorf("%s: %d releases, and %d without digest, want 0 and %d; later %v, clock %v", f.Account, r.Releases, len(r.Uncovered), kept, r.NotRepeated, r.Backdated)
		}
		s := r.Status
		if amountOf(s.Whole.Spent) != f.Spent || amountOf(s.Whole.Left) != f.Left || s.Entries != f.Entries || s.Frozen != f.Frozen {
			t.Errorf("%s: %+v, want %+v", f.Account, s, f)
		}
	}
}

// Every way to a release gives what was kept, and gets it a digest.
func TestReleasesOfFormat1AreGivenOutAndCovered(t *testing.T) {
	for way, read := range map[string]func(*Account, dp.Charge) ([]byte, error){
		"Kept": func(a *Account, c dp.Charge) ([]byte, error) { return a.Kept(t.Context(), c) },
		"Payment": func(a *Account, c dp.Charge) ([]byte, error) {
			p, err := a.Payment(t.Context(), c.Key)
			return p.Kept, err
		},
		"Keep": func(a *Account, c dp.Charge) ([]byte, error) { return a.Keep(t.Context(), c, []byte("another")) },
	} {
		for _, f := range readGolden(t) {
			a, charges := importGolden(t, f)
			for key, want := range f.Keys {
				c, ok := charges[key]
				if !ok || want == nil {
					continue
				}
				for range 2 { // the second time it has a digest
					got, err := read(a, c)
					if err != nil || got == nil || string(got) != *want {
						t.Errorf("%s: %s of %q = %q, %v, want %q", f.Account, way, key, got, err, *want)
					}
				}
			}
			r, err := a.Verify(t.Context())
			if err != nil || r.Uncovered != nil {
				t.Errorf("%s: after %s of each, %v are not covered, %v", f.Account, way, r, err)
			}
		}
	}
}

// What was paid and not kept can be kept now, once, and stands in the new form.
func TestAKeyOfFormat1ThatWasNotKeptIsKeptOnce(t *testing.T) {
	a, charges := importGolden(t, readGolden(t)[0])
	c := charges["paid and not kept"]
	p, err := a.Spend(t.Context(), c)
	if err != nil || p.Kept != nil || !p.Repeated {
		t.Fatalf("Spend again: %+v, %v", p, err)
	}
	for _, release := range []string{"first", "second"} {
		if kept, err := a.Keep(t.Context(), c, []byte(release)); string(kept) != "first" || err != nil {
			t.Errorf("Keep of %q = %q, %v", release, kept, err)
		}
	}
}

func TestCoverRecordsTheDigestsOfFormat1(t *testing.T) {
	for _, f := range readGolden(t) {
		a, _ := importGolden(t, f)
		before, err := a.Verify(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []int{len(before.Uncovered), 0} {
			if n, err := a.Cover(t.Context()); n != want || err != nil {
				t.Errorf("%s: covered %d, %v, want %d", f.Account, n, err, want)
			}
		}
		after, err := a.Verify(t.Context())
		if err != nil || after.Uncovered != nil || after.Releases != len(before.Uncovered) || after.Backdated != nil {
			t.Errorf("%s: %+v, %v", f.Account, after, err)
		}
		if got, want := after.Status.Whole, before.Status.Whole; amountOf(got.Spent) != amountOf(want.Spent) {
			t.Errorf("%s: %v is spent, was %v", f.Account, got.Spent, want.Spent)
		}
		var out bytes.Buffer
		if err := a.Export(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		if _, err := Import(t.Context(), Memory(), &out, after.Anchor); err != nil {
			t.Errorf("%s: export and import after that: %v", f.Account, err)
		}
	}
}

// A ledger of format 1 that cannot be written gives out its releases.
func TestAReadOnlyLedgerOfFormat1GivesOutItsReleases(t *testing.T) {
	f := readGolden(t)[0]
	a, charges := importGolden(t, f)
	b, err := Open(t.Context(), locked{a.store}, f.Account)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := b.Kept(t.Context(), charges["by hand"])
	if err != nil || string(kept) != "41" {
		t.Errorf("Kept = %q, %v", kept, err)
	}
	if _, err := b.Cover(t.Context()); !errors.Is(err, ErrNotAppended) {
		t.Errorf("Cover: %v", err)
	}
}

// What was spent counts, the limit ends what is new, and a freeze holds.
func TestALedgerOfFormat1IsSpentFurther(t *testing.T) {
	for _, f := range readGolden(t) {
		a, _ := importGolden(t, f)
		c := testCharge("new", dp.Pure{Epsilon: 0.01})
		c.Dataset, c.Unit, c.Purpose, c.Analyst, c.Periods = f.Account, "customer", "report", "dee", []string{"2026-11"}
		c.Events = []dp.Event{declared(dp.Pure{Epsilon: 0.01})}
		p, err := a.Spend(t.Context(), c)
		if f.Frozen != isRefused(err) || !f.Frozen && (err != nil || p.Entry != f.Entries || p.Repeated) {
			t.Errorf("%s: Spend: %+v, %v", f.Account, p, err)
		}
		c.Key, c.Loss, c.Events = "too much", dp.Pure{Epsilon: 8}, []dp.Event{declared(dp.Pure{Epsilon: 8})}
		if _, err := a.Spend(t.Context(), c); !isRefused(err) {
			t.Errorf("%s: more than is left: %v", f.Account, err)
		}
		if _, err := a.Verify(t.Context()); err != nil {
			t.Errorf("%s: %v", f.Account, err)
		}
	}
}

// What a program of format 1 paid and did not keep, a program that also says which
// question it asks draws and keeps, if the noise is the same.
func TestAQuestionIsAnsweredUnderAPaymentOfFormat1(t *testing.T) {
	a, charges := importGolden(t, readGolden(t)[0])
	c := charges["paid and not kept"]
	c.Question = "how many"
	p, err := a.Spend(t.Context(), c)
	if err != nil || !p.Repeated || p.Kept != nil {
		t.Fatalf("Spend: %+v, %v", p, err)
	}
	if kept, err := a.Keep(t.Context(), c, []byte("43")); string(kept) != "43" || err != nil {
		t.Errorf("Keep: %q, %v", kept, err)
	}
}

// A charge that says which question it asks is a request of format 1 if all is equal
// that both say, and no other.
func TestAQuestionIsFoundAmongThoseOfFormat1(t *testing.T) {
	a, charges := importGolden(t, readGolden(t)[0])
	for name, test := range map[string]struct {
		change func(*dp.Charge)
		same   bool
	}{
		"noise":   {func(c *dp.Charge) { c.Plan = "another"; c.Events[0].Scale.SetInt64(9) }, true},
		"purpose": {func(c *dp.Charge) { c.Purpose = "research" }, false},
		"analyst": {func(c *dp.Charge) { c.Analyst = "bob" }, false},
		"loss":    {func(c *dp.Charge) { c.Loss = dp.Pure{Epsilon: 0.25} }, false},
		"columns": {func(c *dp.Charge) { c.Events[0].For = "another" }, false},
	} {
		c := charges["by hand"]
		c.Events = []dp.Event{c.Events[0].Clone()}
		c.Question, c.Plan = "how many", "another"
		test.change(&c)
		kept, err := a.Kept(t.Context(), c)
		if test.same && (string(kept) != "41" || err != nil) || !test.same && !errors.Is(err, ErrKeyReused) {
			t.Errorf("another %s: %q, %v", name, kept, err)
		}
	}
}

// A ledger of format 2 that keeps refusals says what was refused, is exported as it
// was, and keeps more.
func TestALedgerOfFormat2KeepsItsRefusals(t *testing.T) {
	const folder = "testdata/05bdbf8"
	text, err1 := os.ReadFile(filepath.Join(folder, "refusals.export"))
	line, err2 := os.ReadFile(filepath.Join(folder, "anchor.txt"))
	anchor, err3 := ParseAnchor(strings.TrimSpace(string(line)))
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	a, err := Import(t.Context(), Memory(), bytes.NewReader(text), anchor)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := a.Verify(t.Context(), anchor); err != nil || r.Charges != 1 || r.Releases != 1 || r.NotRepeated != nil {
		t.Errorf("Verify = %+v, %v", r, err)
	}
	want := []Refusal{
		{Purpose: "report", Key: "two", Analyst: "ann", Asked: dp.Pure{Epsilon: 0.75}, Scope: "account", Left: dp.Approx{Epsilon: 0.5, Delta: 2.5e-7}, Binds: []string{"epsilon"}},
		{Purpose: "ads", Key: "three", Analyst: "ann", Asked: dp.Pure{Epsilon: 0.5}, Scope: `purpose "ads"`, Left: dp.Pure{Epsilon: 0.25}, Binds: []string{"epsilon"}},
		{Purpose: "report", Key: "five", Analyst: "ann", Asked: dp.Pure{Epsilon: 0.25}, Scope: "account", Frozen: true, Reason: "an incident"},
		{Purpose: "research", Key: "six", Analyst: "ann", Asked: dp.Pure{Epsilon: 0.25}, Scope: `purpose "research"`, Reason: "the account does not allow this purpose"},
	}
	if got := refusalsOf(t, a); !reflect.DeepEqual(got, want) {
		t.Errorf("refusals %+v, want %+v", got, want)
	}
	var out bytes.Buffer
	if err := a.Export(t.Context(), &out); err != nil || !bytes.Equal(out.Bytes(), text) {
		t.Errorf("it is exported as\n%s%v, want\n%s", out.Bytes(), err, text)
	}
	c := testCharge("seven", dp.Pure{Epsilon: 3})
	c.Purpose = "report"
	if _, err := a.Spend(t.Context(), c); !isRefused(err) {
		t.Errorf("Spend of more than is left: %v", err)
	}
	if got := refusalsOf(t, a); len(got) != len(want)+1 || got[len(want)].Key != "seven" {
		t.Errorf("refusals %+v after one more", got)
	}
	if _, err := a.Verify(t.Context(), anchor); err != nil {
		t.Error(err)
	}
}

func refusalsOf(t *testing.T, a *Account) (all []Refusal) {
	t.Helper()
	for e, err := range a.Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Refused != nil {
			all = append(all, *e.Refused)
		}
	}
	return all
}

// Ledgers with parts, and those without a limit, are read, exported as they were, and
// spent further.
func TestLedgersOfFormat4AreReadAndSpentFurther(t *testing.T) {
	for name, want := range map[string]dp.Loss{"parts": dp.Pure{Epsilon: 1.5}, "odometer": dp.Concentrated{Rho: 0.375}} {
		text, err := os.ReadFile(filepath.Join("testdata/format4", name+".export"))
		if err != nil {
			t.Fatal(err)
		}
		a, err := Import(t.Context(), Memory(), bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if r, err := a.Verify(t.Context()); err != nil || r.Charges != 3 || r.Releases != 3 || r.NotRepeated != nil || r.Status.Whole.Spent != want {
			t.Errorf("%s: Verify = %+v, %v", name, r, err)
		}
		var out bytes.Buffer
		if err := a.Export(t.Context(), &out); err != nil || !bytes.Equal(out.Bytes(), text) {
			t.Errorf("%s: it is exported as\n%s%v, want\n%s", name, out.Bytes(), err, text)
		}
		c := testCharge("more", dp.Pure{Epsilon: 0.75})
		if name == "odometer" {
			c = testCharge("more", dp.Concentrated{Rho: 0.2})
		}
		c.Dataset, c.Unit, c.Periods = "shop", "customer", []string{"2026-01"}
		if _, err := a.Spend(t.Context(), c); !isRefused(err) {
			t.Errorf("%s: more than a part or a period has is accepted: %v", name, err)
		}
	}
}
