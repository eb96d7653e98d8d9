package budget

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/filter"
)

// Of the record that a later one names as a checkpoint, all must be that of one.
func TestOnlyACheckpointIsTakenForOne(t *testing.T) {
	made := func(change func(*record)) *Record {
		r := record{Seq: 8, Kind: KindCheckpoint, At: "2026-11-25T22:00:00Z", Digest: hexOf(digest{}), Checkpoint: 4}
		change(&r)
		data, _, err := r.encode()
		if err != nil {
			t.Fatal(err)
		}
		return &Record{Seq: 8, Data: data}
	}
	if _, err := checkpointAt(8, made(func(*record) {})); err != nil {
		t.Error(err)
	}
	for name, rec := range map[string]*Record{
		"none":                 nil,
		"another kind":         made(func(r *record) { r.Kind, r.Digest, r.Reason, r.By = KindFreeze, "", "r", "b" }),
		"another number":       made(func(r *record) { r.Seq = 9 }),
		"itself named":         made(func(r *record) { r.Checkpoint = 8 }),
		"a later one named":    made(func(r *record) { r.Checkpoint = 9 }),
		"what is not readable": {Seq: 8, Data: []byte("{}")},
	} {
		if _, err := checkpointAt(8, rec); !errors.Is(err, ErrTampered) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whoever writes a checkpoint knows that it did: nobody was faster.
func TestWhoeverWritesACheckpointHasNoConflict(t *testing.T) {
	tails(t, 3)
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 10}))
	for i := range 12 {
		if _, err := a.Spend(t.Context(), testCharge(fmt.Sprint(i), dp.Pure{Epsilon: 0.125})); err != nil {
			t.Fatal(err)
		}
		if n := len(stored(a)); a.state.next != uint64(n) {
			t.Fatalf("%d records are known of %d", a.state.next, n)
		}
	}
	if c := a.Counts(); c != (Counts{Spent: 12}) || a.state.checkpoint == 0 {
		t.Errorf("%+v, and the last checkpoint is %d", c, a.state.checkpoint)
	}
}

// An index that leads to the payment of another key is found.
func TestAnIndexThatLeadsToAnotherKeyIsFound(t *testing.T) {
	tails(t, 3)
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 10}))
	for i := range 5 {
		if _, err := a.Spend(t.Context(), testCharge(fmt.Sprint(i), dp.Pure{Epsilon: 0.125})); err != nil {
			t.Fatal(err)
		}
	}
	b, err := Open(t.Context(), a.store, a.name)
	if err != nil {
		t.Fatal(err)
	}
	b.state.old.keys[hashOf([]byte("x"))] = b.state.old.keys[hashOf([]byte("0"))]
	if _, err := b.Payment(t.Context(), "x"); !errors.Is(err, ErrTampered) {
		t.Errorf("Payment: %v", err)
	}
}

// What Kept finds is counted as repeated, and what it does not find is not counted.
func TestKeptCountsWhatItGives(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	c := testCharge("k", dp.Pure{Epsilon: 0.25})
	for _, step := range []struct {
		do   func() error
		want Counts
	}{
		{func() error { _, err := a.Kept(t.Context(), c); return err }, Counts{}},
		{func() error { _, err := a.Spend(t.Context(), c); return err }, Counts{Spent: 1}},
		{func() error { _, err := a.Kept(t.Context(), c); return err }, Counts{Spent: 1}},
		{func() error { _, err := a.Keep(t.Context(), c, []byte("41")); return err }, Counts{Spent: 1}},
		{func() error { _, err := a.Kept(t.Context(), c); return err }, Counts{Spent: 1, Repeated: 1}},
	} {
		if err := step.do(); err != nil || a.Counts() != step.want {
			t.Errorf("%v, counted as %+v, want %+v", err, a.Counts(), step.want)
		}
	}
}

func TestAnOrderOfAMillionIsNone(t *testing.T) {
	records := stored(newAccount(t, testTerms(dp.Approx{Epsilon: 1, Delta: 1e-6})))
	for order, sound := range map[float64]bool{1: false, 1.5: true, 999_999: true, 1e6: false} {
		err := judge(t, forge(t, records, 0, func(m map[string]any) { m["orders"].(map[string]any)["account"] = order }))
		if sound != (err == nil) {
			t.Errorf("order %v: %v", order, err)
		}
	}
}

// A checkpoint of which any part is not what it must be is found when an account starts
// from it, also with its digest and the chain made anew.
func TestEveryPartOfACheckpointIsCheckedBeforeItIsUsed(t *testing.T) {
	a := everyKind(t)
	at := a.state.checkpoint
	if at == 0 {
		t.Fatal("there is no checkpoint; the test tests nothing")
	}
	loss := func(l dp.Loss) json.RawMessage { return mustMarshal(l) }
	bad := json.RawMessage(`{"epsilon":"x"}`)
	for name, test := range map[string]struct {
		change func(*checkpointHead)
		want   string // "" if it is sound
	}{
		"nothing":                        {func(*checkpointHead) {}, ""},
		"fewer keys than none":           {func(h *checkpointHead) { h.Keys = -1 }, "does not have the keys that it says"},
		"fewer releases than none":       {func(h *checkpointHead) { h.Kept = -1 }, "does not have the keys that it says"},
		"a key less":                     {func(h *checkpointHead) { h.Keys-- }, "does not have the keys that it says"},
		"a key more":                     {func(h *checkpointHead) { h.Keys++ }, "does not have the keys that it says"},
		"a release more":                 {func(h *checkpointHead) { h.Kept++ }, "does not have the keys that it says"},
		"so many keys that they wrap":    {func(h *checkpointHead) { h.Keys += 1 << 60 }, "does not have the keys that it says"},
		"releases that wrap":             {wrap, "does not have the keys that it says"},
		"itself before it":               {func(h *checkpointHead) { h.Before, h.Sum = at, hexOf(digest{}) }, fmt.Sprintf("checkpoint %d names one that is not before it", at)},
		"no digest of the one before":    {func(h *checkpointHead) { h.Before, h.Sum = 1, "00" }, "does not have the digest of the one before it"},
		"no hexadecimal digest":          {func(h *checkpointHead) { h.Before, h.Sum = 1, "x" }, "does not have the digest of the one before it"},
		"one before that is none":        {func(h *checkpointHead) { h.Before, h.Sum = 1, hexOf(digest{}) }, "checkpoint 1 is missing"},
		"no limit":                       {func(h *checkpointHead) { h.Limit = nil }, "checkpoint"},
		"a limit of nothing":             {func(h *checkpointHead) { h.Limit = loss(dp.Pure{}) }, "checkpoint"},
		"a limit that is none":           {func(h *checkpointHead) { h.Limit = bad }, "checkpoint"},
		"a lower limit":                  {func(h *checkpointHead) { h.Limit = loss(dp.Pure{Epsilon: 0.5}) }, "it can only be raised"},
		"the limit of the terms":         {func(h *checkpointHead) { h.Limit = loss(dp.Pure{Epsilon: 1}) }, ""},
		"an analyst's limit":             {func(h *checkpointHead) { h.Filters = append(h.Filters, checkpointSpent{Kind: "analyst", Name: "ann"}) }, "the terms have none"},
		"no state of a filter":           {func(h *checkpointHead) { h.Filters[0].State = filter.State{} }, "checkpoint"},
		"no charge of a reservation":     {func(h *checkpointHead) { h.Plans[0].Charge = nil }, "has no charge"},
		"no loss of a reservation":       {func(h *checkpointHead) { h.Plans[0].Charge.Loss = dp.Pure{} }, "checkpoint"},
		"less than nothing left":         {func(h *checkpointHead) { leave(h, -1) }, "are left, which has"},
		"more left than was reserved":    {func(h *checkpointHead) { leave(h, 2) }, "are left, which has"},
		"all left that was reserved":     {func(h *checkpointHead) { leave(h, 1) }, ""},
		"another mechanism left":         {func(h *checkpointHead) { h.Plans[0].Left = map[string]int{"x": 1} }, "are left, which has"},
		"a member that is not left":      {func(h *checkpointHead) { h.Plans[0].Left = nil }, "has 0 members, must have 1"},
		"a loss that is none":            {func(h *checkpointHead) { h.Bought[0].Loss = bad }, "checkpoint"},
		"a loss of nothing":              {func(h *checkpointHead) { h.Bought[0].Loss = loss(dp.Pure{}) }, "checkpoint"},
		"a loss that was never bought":   {func(h *checkpointHead) { h.Bought[0].Times = -2 }, "was bought -2 times"},
		"a loss that was bought in vain": {func(h *checkpointHead) { h.Bought[0].Times = 0 }, "was bought 0 times"},
		"a policy of others":             {func(h *checkpointHead) { h.Policy = &checkpointPolicy{Policy: otherPolicy(t)} }, `the policy has dataset "orders"`},
		"a policy that is none":          {func(h *checkpointHead) { h.Policy = &checkpointPolicy{Policy: json.RawMessage(`{}`)} }, "checkpoint"},
	} {
		err := openWithHead(t, a, at, test.change)
		if (err == nil) != (test.want == "") || err != nil && (!errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want ErrTampered and %q", name, err, test.want)
		}
	}
	for name, stored := range map[string][]byte{
		"no head":                 []byte("\n"),
		"a field that none knows": []byte(`{"limit":{"epsilon":"1"},"keys":0,"kept":0,"x":1}` + "\n"),
	} {
		if err := openWithCheckpoint(t, a, at, stored); !errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), "cannot be read") {
			t.Errorf("%s: %v, want ErrTampered", name, err)
		}
	}
}

// Whoever reads all compares every part of a checkpoint with what the records come to.
func TestEveryPartOfACheckpointIsComparedWithTheRecords(t *testing.T) {
	a := busy(t)
	if err := a.Freeze(t.Context(), "to be sure", "officer"); err != nil {
		t.Fatal(err)
	}
	tails(t, 1)
	a.keepUp(t.Context())
	at := a.state.checkpoint
	if at == 0 || len(a.state.filters) < 4 {
		t.Fatalf("the last checkpoint is %d, and it has %d limits; the test tests nothing", at, len(a.state.filters))
	}
	tails(t, 1<<40)
	sorted := func(h *checkpointHead) {
		if !slices.IsSortedFunc(h.Filters, func(a, b checkpointSpent) int {
			return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
		}) {
			t.Errorf("limits are in no order: %v", h.Filters)
		}
	}
	for name, change := range map[string]func(*checkpointHead){
		"nothing":                     sorted,
		"a limit's state":             func(h *checkpointHead) { h.Filters[0].State = filter.State{} },
		"a limit's name":              func(h *checkpointHead) { h.Filters[1].Name += "x" },
		"a limit's kind":              func(h *checkpointHead) { h.Filters[1].Kind = "purpose" },
		"a limit less":                func(h *checkpointHead) { h.Filters = h.Filters[1:] },
		"the limit of all":            func(h *checkpointHead) { h.Limit = mustMarshal(dp.Approx{Epsilon: 3, Delta: 1e-6}) },
		"why it is frozen":            func(h *checkpointHead) { h.Frozen = "" },
		"refusals that stand last":    func(h *checkpointHead) { h.Refused++ },
		"what is left":                func(h *checkpointHead) { leave(h, 4) },
		"whom a reservation is for":   func(h *checkpointHead) { h.Plans[0].Charge.Analyst = "ben" },
		"how often a loss was bought": func(h *checkpointHead) { h.Bought[0].Times++ },
		"for what it was bought":      func(h *checkpointHead) { h.Bought[0].Purpose = "ads" },
	} {
		err := openAllWithHead(t, a, change)
		if name == "nothing" && err == nil {
			continue
		}
		if name == "nothing" || !errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), "is not what the records before it come to") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// openAllWithHead opens an account whose last record is a checkpoint, with another head.
func openAllWithHead(t *testing.T, a *Account, change func(*checkpointHead)) error {
	t.Helper()
	records := slices.Clone(stored(a))
	last := &records[len(records)-1]
	text, body, _ := bytes.Cut(last.Release, []byte("\n"))
	var head checkpointHead
	if err := json.Unmarshal(text, &head); err != nil {
		t.Fatal(err)
	}
	change(&head)
	before := hexOf(sumOfCheckpoint(a.name, last.Seq, last.Release))
	last.Release = slices.Concat(mustMarshal(head), []byte("\n"), body)
	after := hexOf(sumOfCheckpoint(a.name, last.Seq, last.Release))
	last.Data = seal(bytes.Replace(must2(unseal(last.Data)), []byte(before), []byte(after), 1))
	s := Memory()
	if err := s.Append(t.Context(), a.name, records...); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), s, a.name)
	return err
}

func leave(h *checkpointHead, n int) {
	for member := range h.Plans[0].Left {
		h.Plans[0].Left[member] = n
	}
}

func otherPolicy(t *testing.T) json.RawMessage {
	t.Helper()
	p := visitsPolicy()
	p["dataset"] = "orders"
	return p.policy(t).JSON()
}

// openWithHead opens an account whose checkpoint has another head.
func openWithHead(t *testing.T, a *Account, at uint64, change func(*checkpointHead)) error {
	t.Helper()
	text, body, _ := bytes.Cut(stored(a)[at].Release, []byte("\n"))
	var head checkpointHead
	if err := json.Unmarshal(text, &head); err != nil {
		t.Fatal(err)
	}
	change(&head)
	return openWithCheckpoint(t, a, at, slices.Concat(mustMarshal(head), []byte("\n"), body))
}

// openWithCheckpoint opens an account of which other bytes are stored beside a checkpoint,
// with their digest, and the records after it chained anew.
func openWithCheckpoint(t *testing.T, a *Account, at uint64, beside []byte) error {
	t.Helper()
	records := forge(t, stored(a), int(at), func(m map[string]any) { m["digest"] = hexOf(sumOfCheckpoint(a.name, at, beside)) })
	records[at].Release = beside
	s := Memory()
	if err := s.Append(t.Context(), a.name, records...); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), s, a.name)
	return err
}

// Of a store that lost its first record, or gives others than were asked for, no account
// is opened.
func TestACheckpointIsNotAllThatAnAccountNeeds(t *testing.T) {
	a := everyKind(t)
	for name, test := range map[string]struct {
		read func(records []Record, from uint64) []Record
		want string
	}{
		"no first record": {func(records []Record, from uint64) []Record {
			if from == 0 {
				return nil
			}
			return records[from:]
		}, "the store has no record 0"},
		"another first record": {func(records []Record, from uint64) []Record { return records[max(from, 1):] }, "the store gives record 1 where record 0 belongs"},
		"a later record": {func(records []Record, from uint64) []Record {
			if from == 0 {
				return records
			}
			return records[min(from+1, uint64(len(records))):]
		}, "where record 8 belongs"},
		"a first record that is none": {func(records []Record, from uint64) []Record {
			records = slices.Clone(records)
			records[0].Data = []byte("{}")
			return records[from:]
		}, "record format is 0"},
	} {
		s := otherwise{a.store, stored(a), test.read}
		if b, err := Open(t.Context(), s, a.name); !errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, %v, want ErrTampered and %q", name, b, err, test.want)
		}
	}
}

// otherwise is a store that reads what it likes.
type otherwise struct {
	Store
	records []Record
	read    func(records []Record, from uint64) []Record
}

func (s otherwise) Read(_ context.Context, _ string, from uint64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		if from > uint64(len(s.records)) {
			return
		}
		for _, r := range s.read(s.records, from) {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// wrap says that there are fewer keys, and so many releases that the bytes of all together
// are what they are, in the arithmetic of an int.
func wrap(h *checkpointHead) {
	inverse := uint64(indexedKeptSize)
	for range 6 {
		inverse *= 2 - uint64(indexedKeptSize)*inverse
	}
	size := h.Keys*indexedSize + h.Kept*indexedKeptSize
	for {
		h.Keys--
		if h.Kept = int(uint64(size-h.Keys*indexedSize) * inverse); h.Kept > size {
			return
		}
	}
}
