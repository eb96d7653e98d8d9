package budget

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/budget/policy"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/filter"
	"github.com/equipoise-dp/equipoise/internal/pld"
)

// raced is a store in which somebody else creates the account just before.
type raced struct {
	Store
	first func()
}

func (s *raced) Append(ctx context.Context, account string, records ...Record) error {
	if first := s.first; first != nil {
		s.first = nil
		first()
	}
	return s.Store.Append(ctx, account, records...)
}

// Whoever comes second opens what the first one created, if it is what was asked for.
func TestOpenOrCreateOpensWhatAnotherCreatedMeanwhile(t *testing.T) {
	for other, opens := range map[dp.Loss]bool{pureOne: true, dp.Pure{Epsilon: 2}: false} {
		s := &raced{Store: Memory()}
		s.first = func() { newAccountIn(t, s.Store, testTerms(other)) }
		a, err := OpenOrCreate(t.Context(), s, testTerms(pureOne))
		if (err == nil) != opens || !opens && !errors.As(err, new(*TermsError)) {
			t.Errorf("with a limit of %v: %v", other, err)
		}
		if opens && a.Terms().Limit != pureOne {
			t.Errorf("the limit is %v", a.Terms().Limit)
		}
	}
}

func newAccountIn(t *testing.T, s Store, terms Terms) *Account {
	t.Helper()
	a, err := Create(t.Context(), s, terms)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A creation whose acknowledgement is lost is one; one that did not happen is none.
func TestACreationIsWhatIsThereAfterIt(t *testing.T) {
	for _, there := range []bool{true, false} {
		s := &faulty{Store: Memory(), faults: []fault{{there, errDisk}}}
		a, err := Create(t.Context(), s, testTerms(pureOne))
		if (err == nil) != there || !there && (!errors.Is(err, errDisk) || errors.Is(err, ErrExists)) {
			t.Errorf("there %v: %v", there, err)
		}
		if there && a.state.next != 1 {
			t.Errorf("it has %d records", a.state.next)
		}
	}
}

// What was kept in format 1 stands beside its payment also for those who start from a
// checkpoint.
func TestReleasesOfFormat1AreGivenOutAfterACheckpoint(t *testing.T) {
	tails(t, 4)
	f := readGolden(t)[0]
	a, charges := importGolden(t, f)
	if n, err := a.Cover(t.Context()); err != nil || n == 0 {
		t.Fatalf("Cover: %d, %v", n, err)
	}
	b, err := Open(t.Context(), a.store, a.name)
	if err != nil {
		t.Fatal(err)
	}
	if b.state.old == nil {
		t.Fatal("it was not opened from a checkpoint; the test tests nothing")
	}
	given := 0
	for key, want := range f.Keys {
		c, ok := charges[key]
		if !ok || want == nil {
			continue
		}
		if got, err := b.Kept(t.Context(), c); err != nil || string(got) != *want {
			t.Errorf("%q: %q, %v, want %q", key, got, err, *want)
		}
		given++
	}
	if given == 0 {
		t.Error("nothing was kept; the test tests nothing")
	}
	if n, err := b.Cover(t.Context()); n != 0 || err != nil {
		t.Errorf("Cover again: %d, %v", n, err)
	}
}

// Cover goes on after a release that has its digest.
func TestCoverCoversWhatIsLeft(t *testing.T) {
	f := readGolden(t)[0]
	a, charges := importGolden(t, f)
	before, err := a.Verify(t.Context())
	if err != nil || len(before.Uncovered) < 2 {
		t.Fatalf("%+v, %v", before, err)
	}
	for _, c := range charges {
		if a.state.keys[c.Key].seq == before.Uncovered[0] {
			if _, err := a.Kept(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n, err := a.Cover(t.Context()); n != len(before.Uncovered)-1 || err != nil {
		t.Errorf("Cover: %d, %v, want %d", n, err, len(before.Uncovered)-1)
	}
	if after, err := a.Verify(t.Context()); err != nil || after.Uncovered != nil || after.Releases != len(before.Uncovered) {
		t.Errorf("after it: %+v, %v", after, err)
	}
}

// A release without a digest is given out where its digest cannot be recorded, and not
// where nobody knows whether it was.
func TestAnUncoveredReleaseIsGivenOutOrItsErrorIs(t *testing.T) {
	f := readGolden(t)[0]
	for name, test := range map[string]struct {
		store func(Store) Store
		want  error
	}{
		"a store that cannot be written": {func(s Store) Store { return locked{s} }, nil},
		"a store that may have written":  {func(s Store) Store { return lost{s} }, errLost},
		"releases that cannot be read":   {func(s Store) Store { return diskGone{s, true} }, errUnread},
	} {
		a, charges := importGolden(t, f)
		a.store = test.store(a.store)
		for key, want := range f.Keys {
			c, ok := charges[key]
			if !ok || want == nil {
				continue
			}
			got, err := a.Kept(t.Context(), c)
			if !errors.Is(err, test.want) || (err == nil) != (got != nil) || string(got) != map[bool]string{true: *want}[err == nil] {
				t.Errorf("%s: %q, %v, want %v", name, got, err, test.want)
			}
		}
	}
}

// Other noise under a key whose release was not kept is told from another question.
func TestOtherNoiseIsNamed(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 4}))
	c := laplaceCharge("k", pureOne, 1)
	c.Question = "how many"
	if _, err := a.Spend(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	noise, question := c, c
	noise.Events = []dp.Event{c.Events[0].Clone()}
	noise.Events[0].Scale.SetInt64(2)
	question.Question = "how much"
	const asks = `budget: account "visits": request key "k" was `
	for name, test := range map[string]struct {
		charge dp.Charge
		is     error
		text   string
	}{
		"other noise":      {noise, dp.ErrOtherNoise, asks + "paid in entry 1 for the same question with other noise, and no release was kept; run the version of the library that paid, which the entry names, or use a new key"},
		"another question": {question, dp.ErrOtherQuestion, asks + "used for another charge in entry 1; use a new key for a new question"},
	} {
		_, spend := a.Spend(t.Context(), test.charge)
		_, keep := a.Keep(t.Context(), test.charge, []byte("x"))
		for who, err := range map[string]error{"Spend": spend, "Keep": keep, "Afford": a.Afford(t.Context(), test.charge)} {
			if !errors.Is(err, test.is) || !errors.Is(err, ErrKeyReused) || err.Error() != test.text {
				t.Errorf("%s, %s: %v", name, who, err)
			}
		}
	}
	if kept, err := a.Kept(t.Context(), noise); kept != nil || err != nil {
		t.Errorf("Kept of other noise: %q, %v, want nothing", kept, err)
	}
}

// An import of which the lines are none, or whose reader fails, is refused; so is one that
// an anchor does not know.
func TestImportsThatAreNoneAreRefused(t *testing.T) {
	a := busy(t)
	var out bytes.Buffer
	if err := a.Export(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	anchor, err := a.Anchor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	early := Anchor{"visits", 2, hashOf(stored(a)[2].Data)}
	lines := strings.SplitAfter(out.String(), "\n")
	changed := func(at int, line string) string {
		l := slices.Clone(lines)
		l[at] = line + "\n"
		return strings.Join(l, "")
	}
	release := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, `{"kept":`) })
	later, other, foreign := anchor, anchor, anchor
	later.Seq++
	other.Hash[3] ^= 1
	foreign.Account = "orders"
	for name, test := range map[string]struct {
		from    io.Reader
		anchors []Anchor
		want    string // "" if it is imported
	}{
		"anchors that fit":            {strings.NewReader(out.String()), []Anchor{anchor, early}, ""},
		"an anchor of a later record": {strings.NewReader(out.String()), []Anchor{early, later}, "the store was rolled back"},
		"an anchor of another record": {strings.NewReader(out.String()), []Anchor{early, other}, "is not the one of the anchor"},
		"another account's anchor":    {strings.NewReader(out.String()), []Anchor{foreign}, `anchor is of account "orders"`},
		"a reader that fails":         {io.MultiReader(strings.NewReader(lines[0]), badReader{}), nil, errDisk.Error()},
		"no header":                   {strings.NewReader(changed(0, "header")), nil, "line 1: budget: the ledger is not intact: the header is not JSON"},
		"a release that is none":      {strings.NewReader(changed(release, `{"kept":"x"}`)), nil, fmt.Sprintf("line %d: budget: the ledger is not intact: json", release+1)},
		"an end that is none":         {strings.NewReader(changed(len(lines)-2, `{"end":"x"}`)), nil, "the ledger is not intact: json"},
		"a release of no record":      {strings.NewReader(changed(release, `{"kept":99,"release":""}`)), nil, "a release beside record 99, which is not there"},
		"a release of the next one":   {strings.NewReader(changed(release, fmt.Sprintf(`{"kept":%d,"release":""}`, len(stored(a))))), nil, "which is not there"},
	} {
		s := Memory()
		b, err := Import(t.Context(), s, test.from, test.anchors...)
		if (err == nil) != (test.want == "") || err != nil && (!strings.HasPrefix(err.Error(), "budget: import: ") || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
		names, _ := s.Accounts(t.Context())
		if (b == nil) != (test.want != "") || (len(names) == 0) != (test.want != "") {
			t.Errorf("%s: %v is there", name, names)
		}
	}
}

// badReader is a reader that fails.
type badReader struct{}

func (badReader) Read([]byte) (int, error) { return 0, errDisk }

// An observer that was removed sees nothing more, and what it would have seen is counted.
func TestAnObserverCanBeRemoved(t *testing.T) {
	a := newAccount(t, testTerms(pureOne))
	var seen recorder
	a.Observe(&seen)
	for _, key := range []string{"a", "b"} {
		if _, err := a.Spend(t.Context(), testCharge(key, dp.Pure{Epsilon: 0.25})); err != nil {
			t.Fatal(err)
		}
		a.Observe(nil)
	}
	if len(seen) != 1 || a.Counts().Spent != 2 {
		t.Errorf("%d were seen, want 1; %+v", len(seen), a.Counts())
	}
}

// A policy that is none is not recorded, and one that somebody else recorded is tampering.
func TestOnlyAPolicyComesIntoForce(t *testing.T) {
	a := newAccount(t, policyTerms())
	if in, err := a.Policy(t.Context()); in != nil || err != nil {
		t.Errorf("without one: %+v, %v", in, err)
	}
	if err := a.SetPolicy(t.Context(), &policy.Policy{}, "why", "who"); err == nil || len(stored(a)) != 1 {
		t.Errorf("an empty one: %v, and %d records", err, len(stored(a)))
	}
	a, _ = policyAccount(t)
	if err := a.WithdrawPurpose(t.Context(), "teaching", "why", "who"); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		at     int
		change func(map[string]any)
		want   string
	}{
		"a policy that is none":     {1, func(m map[string]any) { m["policy"] = map[string]any{} }, "record 1: "},
		"a policy of others":        {1, func(m map[string]any) { m["policy"].(map[string]any)["dataset"] = "orders" }, `record 1: budget: the policy has dataset "orders"`},
		"a policy of no time":       {1, func(m map[string]any) { m["at"] = "noon" }, "record 1: time: "},
		"a withdrawal of no policy": {2, func(m map[string]any) { m["purpose"] = "ads" }, `record 2: budget: purpose "ads" is none of the policy's`},
	} {
		err := judge(t, forge(t, stored(a), test.at, test.change))
		if !errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want ErrTampered and %q", name, err, test.want)
		}
	}
}

// What the limit of a policy would have refused is against it, and not a matter of bounds.
func TestVerifyFindsWhatIsBeyondTheLimitOfThePolicy(t *testing.T) {
	a, s := policyAccount(t)
	a.state.policy = nil // as a program that does not know of policies
	delete(a.state.filters, scope{scopePolicy, "opening hours"})
	for _, key := range []string{"k", "l"} {
		if _, err := a.Spend(t.Context(), policyCharge(key, "opening hours", 1)); err != nil {
			t.Fatal(err)
		}
	}
	again, err := Open(t.Context(), s, "visits")
	if err != nil {
		t.Fatal(err)
	}
	if r, err := again.Verify(t.Context()); err != nil || !slices.Equal(r.AgainstPolicy, []uint64{3}) || r.NotRepeated != nil {
		t.Errorf("%+v, %v, want entry 3 against the policy", r, err)
	}
}

// An index whose record is not a payment that can be read is found when its key is asked for.
func TestAnIndexThatLeadsToNoPaymentIsFound(t *testing.T) {
	for name, test := range map[string]struct {
		change func(map[string]any)
		want   string
	}{
		"a record of no kind":    {func(m map[string]any) { m["kind"] = "pay" }, `is of kind "pay"`},
		"a charge that is none":  {func(m map[string]any) { m["charge"] = []any{} }, "record 1: "},
		"a time that is none":    {func(m map[string]any) { m["at"] = "noon" }, "record 1: time: "},
		"a charge under no key":  {func(m map[string]any) { m["charge"].(map[string]any)["key"] = "" }, "record 1: "},
		"a charge of other keys": {func(m map[string]any) { m["charge"].(map[string]any)["key"] = "x" }, "record 1 paid for another key"},
	} {
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
		records := forge(t, stored(a), 1, test.change)
		b.store = replaced{a.store, records}
		at := b.state.old.keys[hashOf([]byte("0"))]
		forged := hashOf(records[1].Data)
		copy(b.state.old.read(at)[len(digest{})+8:], forged[:])
		_, payment := b.Payment(t.Context(), "0")
		_, spend := b.Spend(t.Context(), testCharge("0", dp.Pure{Epsilon: 0.125}))
		for who, err := range map[string]error{"Payment": payment, "Spend": spend, "by number": b.recallEntry(t.Context(), 1)} {
			if !errors.Is(err, ErrTampered) && !(who == "by number" && strings.HasPrefix(name, "a charge of other keys")) || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s, %s: %v, want ErrTampered and %q", name, who, err, test.want)
			}
		}
	}
}

// Whoever waits for a key that was paid before can give up.
func TestWaitingForAnEarlierPaymentCanEnd(t *testing.T) {
	a := longLived(t)
	b, err := Open(t.Context(), a.store, a.name)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b.turn <- struct{}{}
	if _, err := b.Payment(ctx, "kept"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	<-b.turn
	if p, err := b.Payment(t.Context(), "kept"); err != nil || string(p.Kept) != "about kept" {
		t.Errorf("%q, %v", p.Kept, err)
	}
}

// A key that somebody else paid is found, without being asked for before.
func TestAKeyThatAnotherPaidIsFound(t *testing.T) {
	a := newAccount(t, testTerms(pureOne))
	b, err := Open(t.Context(), a.store, a.name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Spend(t.Context(), testCharge("k", dp.Pure{Epsilon: 0.5})); err != nil {
		t.Fatal(err)
	}
	if p, err := b.Payment(t.Context(), "k"); err != nil || p.Entry != 1 || !p.Repeated {
		t.Errorf("%+v, %v", p, err)
	}
}

// Under Basic a share of δ means nothing, so it is no other one.
func TestASharesMeaningIsCompared(t *testing.T) {
	s := Memory()
	terms := testTerms(dp.Approx{Epsilon: 1, Delta: 1e-6})
	terms.Rule, terms.EventShare = Basic, 0.5
	newAccountIn(t, s, terms)
	terms.EventShare = 0.25
	if _, err := OpenOrCreate(t.Context(), s, terms); err != nil {
		t.Error(err)
	}
}

// other is a store with other releases.
type other struct {
	Store
	keep func(Record) bool
	more []Record
}

func (s other) Releases(ctx context.Context, account string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for r, err := range s.Store.Releases(ctx, account) {
			if (err != nil || s.keep(r)) && !yield(r, err) {
				return
			}
		}
		for _, r := range s.more {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// What is kept while Verify reads is no release too many, and what is not there is missed.
func TestVerifyComparesWhatThereWasWhenItBegan(t *testing.T) {
	a := longLived(t)
	whole, n, checkpoint := a.store, a.state.next, a.state.checkpoint
	all := func(Record) bool { return true }
	for name, test := range map[string]struct {
		keep func(Record) bool
		more []Record
		want string // "" if it is sound
	}{
		"as it is":                   {all, nil, ""},
		"one of a record to come":    {all, []Record{{Seq: n, Release: []byte("x")}}, ""},
		"one of the last record":     {all, []Record{{Seq: n - 1, Release: []byte("x")}}, "which keeps none"},
		"a checkpoint less":          {func(r Record) bool { return r.Seq != checkpoint }, nil, fmt.Sprintf("checkpoint %d is missing", checkpoint)},
		"a release less":             {func(r Record) bool { return r.Seq != n-1 }, nil, "is missing"},
		"none":                       {func(Record) bool { return false }, nil, "is missing"},
		"a release of no checkpoint": {func(r Record) bool { return r.Seq != n-1 }, []Record{{Seq: n - 1, Release: []byte("x")}}, "is not the one that was kept"},
	} {
		a.store = other{whole, test.keep, test.more}
		_, err := a.Verify(t.Context())
		if (err == nil) != (test.want == "") || err != nil && (!errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want ErrTampered and %q", name, err, test.want)
		}
	}
}

// Verify reads every record anew, whatever was read before.
func TestVerifyReadsWhatIsThereNow(t *testing.T) {
	for name, test := range map[string]struct {
		change func(map[string]any)
		want   string
	}{
		"a time that is none":   {func(m map[string]any) { m["at"] = "noon" }, "record 1: time: "},
		"a charge that is none": {func(m map[string]any) { m["charge"] = []any{} }, "record 1: "},
		"a kind that is none":   {func(m map[string]any) { m["kind"] = "pay" }, `of kind "pay"`},
	} {
		a := busy(t)
		a.store = replaced{a.store, forge(t, stored(a), 1, test.change)}
		if _, err := a.Verify(t.Context()); !errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want ErrTampered and %q", name, err, test.want)
		}
	}
}

// A checkpoint whose record has no digest is none, wherever it is read.
func TestACheckpointWithoutADigestIsFound(t *testing.T) {
	a := longLived(t)
	const want = "must be 64 lower-case hexadecimal digits"
	first := slices.IndexFunc(stored(a), func(r Record) bool { return bytes.Contains(r.Data, []byte(`"kind":"checkpoint"`)) })
	for seq, longest := range map[uint64]uint64{uint64(first): 1 << 40, a.state.checkpoint: 3} { // all is read, or what is new
		s := Memory()
		records := forge(t, stored(a), int(seq), func(m map[string]any) { m["digest"] = strings.Repeat("z", 64) })
		if err := s.Append(t.Context(), a.name, records...); err != nil {
			t.Fatal(err)
		}
		tails(t, longest)
		if _, err := Open(t.Context(), s, a.name); !errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), want) {
			t.Errorf("checkpoint %d: %v, want ErrTampered and %q", seq, err, want)
		}
	}
}

// A record that was there and is not is missed by whoever looks for the last.
func TestARecordThatVanishesIsMissed(t *testing.T) {
	a := longLived(t)
	looks := 0
	s := otherwise{a.store, stored(a), func(records []Record, from uint64) []Record {
		if from == 3 {
			if looks++; looks > 1 {
				return nil
			}
		}
		if from > 3 {
			return nil
		}
		return records[from:]
	}}
	if _, err := Open(t.Context(), s, a.name); !errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), "record 3 is missing, which was there") {
		t.Errorf("%v, want ErrTampered", err)
	}
}

// The least ε of a history at a δ is nothing where δ alone was spent, and none where more δ
// was.
func TestTheExactLossOfAHistoryHasTwoEnds(t *testing.T) {
	for delta, want := range map[float64]dp.Loss{1e-3: nil, 1e-5: nil} {
		var whole pld.Composition
		c := testCharge("k", dp.Approx{Epsilon: 1, Delta: 1e-4})
		c.Events[0].Epsilon = nil
		filter.Compose(&whole, &c)
		if got := exactAt(&whole, delta); got != want {
			t.Errorf("at δ=%v: %v, want %v", delta, got, want)
		}
	}
	var whole pld.Composition
	c := laplaceCharge("k", pureOne, 1)
	filter.Compose(&whole, &c)
	if got, ok := exactAt(&whole, 1e-6).(dp.Approx); !ok || got.Delta != 1e-6 || got.Epsilon < 0.999 || got.Epsilon > 1.001 {
		t.Errorf("of one Laplace: %v, want ε=1", got)
	}
}

// JSON of what is no release made outside is not read.
func TestAnOutsideReleaseIsReadWholeOrNot(t *testing.T) {
	var o Outside
	for text, want := range map[string]string{
		`{"what":"a table","by":"us","on":"2026-01-01","loss":{"epsilon":"1"}}`: "",
		`{"what":"a table","by":"us","on":"2026-01-01","loss":null}`:            "",
		`{"what":"a table","by":"us","on":"2026-01-01","loss":{"epsilon":"x"}}`: "outside release",
		`{"what":"a table","by":"us","on":"2026-01-01","x":1}`:                  "unknown field",
		`{"what":"","by":"us","on":"2026-01-01"}`:                               "Outside.What is empty",
		`{"what":"a table","by":"","on":"2026-01-01"}`:                          "Outside.By is empty",
		`{"what":"a table","by":"us","on":"01-01"}`:                             "Outside.On is",
		`{"what":"a table","by":"us","on":"2026-01-01","loss":{"epsilon":"0"}}`: "",
	} {
		err := o.UnmarshalJSON([]byte(text))
		if (err == nil) != (want == "") && !strings.Contains(text, `"0"`) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		if strings.Contains(text, `"0"`) && err == nil {
			t.Errorf("%s: no error, want one: a loss of nothing is no loss", text)
		}
	}
}
