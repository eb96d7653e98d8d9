package budgettest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// Edits say how somebody who holds a store, and every right and trigger of it,
// changes what it has.
type Edits struct {
	// Open returns a new, empty store.
	Open func(*testing.T) budget.Store

	// Rewrite makes these records, and the releases beside them, all that a store has
	// of an account. What the store counts, sums up or forbids besides is made to fit,
	// as if it had never been otherwise.
	Rewrite func(t *testing.T, s budget.Store, account string, records []budget.Record)

	// Times is how many random edits are tried, such as 100, or 1000 at night.
	Times int
}

// TestEdits edits a ledger with releases at random: bits, records, releases, also
// with every sum, digest and link of the chain made anew. Each edit is found by
// [budget.Account.Verify], by an account that was open before without more, and by one
// that is opened after it with an anchor. Put back as it was, the ledger is sound, and
// as much is spent as before.
//
// Records that are added after an anchor are not edits: they are found to be sound,
// or not, as those that the library adds.
func TestEdits(t *testing.T, e Edits) {
	if e.Open == nil || e.Rewrite == nil || e.Times < 1 {
		t.Fatal("budgettest: Edits.Open, Rewrite and Times must be set")
	}
	s := e.Open(t)
	open := edited(t, s)
	whole, other := content(t, s), content(t, edited(t, e.Open(t)).store)
	anchor, err := open.Anchor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	seen := map[string]int{}
	for i := range e.Times {
		name, records := edit(r, whole, other)
		seen[name]++
		e.Rewrite(t, s, dataset, records)
		for who, err := range map[string]error{"that was open": reverify(t, open.Account), "with an anchor": anchored(t, s, anchor)} {
			if !errors.Is(err, budget.ErrTampered) && !errors.Is(err, budget.ErrVersion) {
				t.Errorf("edit %d, %s: an account %s: %v, want budget.ErrTampered", i, name, who, err)
			}
		}
		wantNoMoreLeft(t, fmt.Sprintf("edit %d, %s", i, name), open.Account)
		if a, err := budget.Open(t.Context(), s, dataset, anchor); err == nil { // only Verify looks at releases
			wantNoMoreLeft(t, fmt.Sprintf("edit %d, %s, opened again", i, name), a)
		}
	}
	e.Rewrite(t, s, dataset, whole)
	if err := errors.Join(reverify(t, open.Account), anchored(t, s, anchor)); err != nil {
		t.Errorf("put back as it was: %v", err)
	}
	wantSpent(t, s, editedLimit, editedSpends)
	if e.Times >= 100 && len(seen) != len(edits) {
		t.Errorf("%d kinds of edits were tried, want %d", len(seen), len(edits))
	}
}

// wantNoMoreLeft: whatever was edited, as much is spent as before, and more than was
// left is not given out, also by an account that cannot read its ledger any more.
func wantNoMoreLeft(t *testing.T, what string, a *budget.Account) {
	t.Helper()
	want := dp.Pure{Epsilon: editedSpends}
	if status, err := a.Status(t.Context()); err == nil && status.Whole.Spent != want {
		t.Errorf("%s: %v is spent, want %v", what, status.Whole.Spent, want)
	}
	c := charge("more than is left")
	c.Loss = dp.Pure{Epsilon: editedLimit - editedSpends + 1}
	c.Events[0].Epsilon.SetInt64(editedLimit - editedSpends + 1)
	_, err := a.Spend(t.Context(), c)
	if err == nil {
		t.Errorf("%s: more than was left is given out", what)
	}
	if r, ok := errors.AsType[*budget.RefusedError](err); ok && r.Spent != want {
		t.Errorf("%s: %v is spent says a refusal, want %v", what, r.Spent, want)
	}
}

const (
	editedLimit  = 12
	editedSpends = 6
)

type storeAccount struct {
	*budget.Account
	store budget.Store
}

// edited makes an account with releases, and an act between them.
func edited(t *testing.T, s budget.Store) storeAccount {
	t.Helper()
	a := create(t, s, editedLimit)
	for i := range editedSpends {
		c := charge(fmt.Sprint("paid ", i))
		if _, err := a.Spend(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if i%3 == 2 { // was paid and not kept
			continue
		}
		if _, err := a.Keep(t.Context(), c, fmt.Append(nil, "about ", 40+i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(a.Freeze(t.Context(), "incident", "officer"), a.Thaw(t.Context(), "it was nothing", "officer")); err != nil {
		t.Fatal(err)
	}
	return storeAccount{a, s}
}

// content returns all that a store has of the account.
func content(t *testing.T, s budget.Store) []budget.Record {
	t.Helper()
	records := read(t, s, dataset, 0)
	for r, err := range s.Releases(t.Context(), dataset) {
		if err != nil {
			t.Fatal(err)
		}
		records[r.Seq].Release = r.Release
	}
	return records
}

func reverify(t *testing.T, a *budget.Account) error {
	_, err := a.Verify(t.Context())
	return err
}

func anchored(t *testing.T, s budget.Store, anchor budget.Anchor) error {
	a, err := budget.Open(t.Context(), s, dataset, anchor)
	if err == nil {
		_, err = a.Verify(t.Context(), anchor)
	}
	return err
}

// edit returns the records of a ledger, edited in one way, and which way it was.
// Other has the records of another ledger under the same terms.
func edit(r *rand.Rand, whole, other []budget.Record) (string, []budget.Record) {
	for {
		way := edits[r.IntN(len(edits))]
		records := cloned(whole)
		if records = way.do(r, records, cloned(other)); !slices.EqualFunc(records, whole, sameRecord) {
			return way.name, records
		}
	}
}

func cloned(records []budget.Record) []budget.Record {
	records = slices.Clone(records)
	for i, r := range records {
		records[i].Data, records[i].Release = bytes.Clone(r.Data), bytes.Clone(r.Release)
	}
	return records
}

func sameRecord(a, b budget.Record) bool {
	return a.Seq == b.Seq && bytes.Equal(a.Data, b.Data) && bytes.Equal(a.Release, b.Release) && (a.Release == nil) == (b.Release == nil)
}

var edits = []struct {
	name string
	do   func(r *rand.Rand, records, other []budget.Record) []budget.Record
}{
	{"a bit of a record", func(r *rand.Rand, records, _ []budget.Record) []budget.Record {
		flip(r, records[r.IntN(len(records))].Data)
		return records
	}},
	{"a letter of a record, with its sum", func(r *rand.Rand, records, _ []budget.Record) []budget.Record {
		i := r.IntN(len(records))
		fields := unsealed(records[i].Data)
		fields[r.IntN(len(fields))] = "0123456789abcdef"[r.IntN(16)]
		records[i].Data = seal(fields)
		return records
	}},
	{"a field of a record, chained anew", func(r *rand.Rand, records, _ []budget.Record) []budget.Record {
		i := r.IntN(len(records))
		return forge(records, i, func(fields map[string]any) { forgeField(r, fields) })
	}},
	{"a record less", func(r *rand.Rand, records, _ []budget.Record) []budget.Record {
		return renumbered(without(r, records))
	}},
	{"a record less, chained anew", func(r *rand.Rand, records, _ []budget.Record) []budget.Record {
		return forge(renumbered(without(r, records)), -1, nil)
	}},
	{"the end less", func(r *rand.Rand, records, _ []budget.Record) []budget.Record {
		return records[:1+r.IntN(len(records)-1)]
	}},
	{"two records swapped", func(r *rand.Rand, records, _ []budget.Record) []budget.Record {
		i, j := r.IntN(len(records)), r.IntN(len(records))
		records[i], records[j] = records[j], records[i]
		return renumbered(records)
	}},
	{"two records swapped, chained anew", func(r *rand.Rand, records, _ []budget.Record) []budget.Record {
		i, j := 1+r.IntN(len(records)-1), 1+r.IntN(len(records)-1)
		records[i], records[j] = records[j], records[i]
		return forge(renumbered(records), -1, nil)
	}},
	{"a record of another ledger", func(r *rand.Rand, records, other []budget.Record) []budget.Record {
		i := r.IntN(len(records))
		records[i] = other[i]
		return records
	}},
	{"a record of another ledger, chained anew", func(r *rand.Rand, records, other []budget.Record) []budget.Record {
		i := r.IntN(len(records))
		records[i] = other[i]
		return forge(records, -1, nil)
	}},
	{"another ledger", func(_ *rand.Rand, _, other []budget.Record) []budget.Record { return other }},
	{"a bit of a release", func(r *rand.Rand, records, _ []budget.Record) []budget.Record {
		flip(r, records[kept(r, records)].Release)
		return records
	}},
	{"another number", func(r *rand.Rand, records, _ []budget.Record) []budget.Record {
		i := kept(r, records)
		records[i].Release = fmt.Append(records[i].Release[:32:32], "about ", r.IntN(100))
		return records
	}},
	{"another number with its digest, chained anew", func(r *rand.Rand, records, _ []budget.Record) []budget.Record {
		i := kept(r, records)
		records[i].Release = fmt.Append(records[i].Release[:32:32], "about ", 100+r.IntN(100))
		return forge(records, i, func(fields map[string]any) { fields["digest"] = digestOf(dataset, fields["from"], records[i].Release) })
	}},
	{"a release cut off", func(r *rand.Rand, records, _ []budget.Record) []budget.Record {
		i := kept(r, records)
		records[i].Release = records[i].Release[:r.IntN(len(records[i].Release))]
		return records
	}},
	{"a release less", func(r *rand.Rand, records, _ []budget.Record) []budget.Record {
		records[kept(r, records)].Release = nil
		return records
	}},
	{"a release less and its record, chained anew", func(r *rand.Rand, records, _ []budget.Record) []budget.Record {
		i := kept(r, records)
		return forge(renumbered(slices.Delete(records, i, i+1)), -1, nil)
	}},
	{"a release beside what keeps none", func(r *rand.Rand, records, _ []budget.Record) []budget.Record {
		if i := r.IntN(len(records)); records[i].Release == nil {
			records[i].Release = fmt.Append(nil, "about ", r.IntN(100))
		}
		return records
	}},
	{"two releases swapped", func(r *rand.Rand, records, _ []budget.Record) []budget.Record {
		i, j := kept(r, records), kept(r, records)
		records[i].Release, records[j].Release = records[j].Release, records[i].Release
		return records
	}},
	{"two releases with their digests swapped, chained anew", func(r *rand.Rand, records, _ []budget.Record) []budget.Record {
		i, j := kept(r, records), kept(r, records)
		records[i].Release, records[j].Release = records[j].Release, records[i].Release
		for _, k := range []int{i, j} {
			records = forge(records, k, func(fields map[string]any) { fields["digest"] = digestOf(dataset, fields["from"], records[k].Release) })
		}
		return records
	}},
}

func flip(r *rand.Rand, b []byte) { b[r.IntN(len(b))] ^= 1 << r.IntN(8) }

// kept returns the place of a record that keeps a release.
func kept(r *rand.Rand, records []budget.Record) int {
	for {
		if i := r.IntN(len(records)); records[i].Release != nil {
			return i
		}
	}
}

// without leaves out a record, but not the terms.
func without(r *rand.Rand, records []budget.Record) []budget.Record {
	i := 1 + r.IntN(len(records)-1)
	return slices.Delete(records, i, i+1)
}

func renumbered(records []budget.Record) []budget.Record {
	for i := range records {
		records[i].Seq = uint64(i)
	}
	return records
}
