package budgettest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/budget"
)

// A Durable is a kind of store that outlives its process.
type Durable struct {
	// Create makes a new, empty store that is removed when the test ends, and
	// returns where it is, such as a path or a DSN.
	Create func(*testing.T) (place string)

	// Open opens a store that Create made. It is called in this process and in
	// child processes. If the store is an io.Closer, it is closed after use.
	Open func(ctx context.Context, place string) (budget.Store, error)

	// Kills is how often a process that spends is killed at a random time, such as
	// 20, or 200 at night.
	Kills int

	test string // that calls TestDurable
}

// TestDurable runs the tests that need several processes. They are copies of
// the test binary that run the same test, so call it from a test that does
// nothing else before:
//
//	func TestDurable(t *testing.T) {
//		budgettest.TestDurable(t, budgettest.Durable{Create: …, Open: …, Kills: 20})
//	}
func TestDurable(t *testing.T, d Durable) {
	if isChild() {
		runChild(d) // does not return
	}
	if d.Create == nil || d.Open == nil || d.Kills < 1 {
		t.Fatal("budgettest: Durable.Create, Open and Kills must be set")
	}
	d.test = t.Name()
	t.Run("Reopen", func(t *testing.T) { testDurableReopen(t, d) })
	t.Run("Processes", func(t *testing.T) { testProcesses(t, d) })
	t.Run("ProcessesOneKey", func(t *testing.T) { testProcessesOneKey(t, d) })
	t.Run("Kill", func(t *testing.T) {
		shortTails(t) // so that many die while they write a checkpoint
		testKill(t, d)
	})
}

// open opens a store, which is closed when the test ends or by the function
// that is returned.
func (d Durable) open(t *testing.T, place string) (s budget.Store, done func()) {
	t.Helper()
	s, err := d.Open(t.Context(), place)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	closed := false
	done = func() {
		if c, ok := s.(io.Closer); ok && !closed {
			if err := c.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		closed = true
	}
	t.Cleanup(done)
	return s, done
}

func testDurableReopen(t *testing.T, d Durable) {
	place := d.Create(t)
	s, done := d.open(t, place)
	a := create(t, s, 3)
	mustSpend(t, a, "a")
	mustSpend(t, a, "b")
	if _, err := a.Keep(t.Context(), charge("b"), []byte("release")); err != nil {
		t.Fatal(err)
	}
	anchor, err := a.Anchor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	beside, _ := d.open(t, place) // while the first is open
	mustSpend(t, reopen(t, beside), "a")
	done()
	again, _ := d.open(t, place)
	if _, err := budget.Open(t.Context(), again, dataset, anchor); err != nil {
		t.Errorf("Open with the anchor of before: %v", err)
	}
	if p := mustSpend(t, reopen(t, again), "b"); string(p.Kept) != "release" {
		t.Errorf("Spend again returns release %q, want what was kept", p.Kept)
	}
	wantSpent(t, again, 3, 2)
}

// testProcesses lets processes race for the last units. All units are given
// out, none twice.
func testProcesses(t *testing.T, d Durable) {
	const processes, limit = 4, 10
	place := d.Create(t)
	s, done := d.open(t, place)
	create(t, s, limit)
	children := d.race(t, roleSpend, place, processes)
	paid := 0
	for _, c := range children {
		paid += len(c.rest(t)["paid"])
	}
	if paid != limit {
		t.Errorf("%d processes were told %d times that they paid, want %d", processes, paid, limit)
	}
	wantSpent(t, s, limit, limit)
	done()
}

// testProcessesOneKey lets processes ask the same. One pays, all get the
// release of one of them.
func testProcessesOneKey(t *testing.T, d Durable) {
	const processes = 3
	place := d.Create(t)
	s, done := d.open(t, place)
	create(t, s, 5)
	children := d.race(t, roleSame, place, processes)
	var got []string
	for _, c := range children {
		got = append(got, c.rest(t)["kept"]...)
	}
	if len(got) != processes || got[0] == "" {
		t.Errorf("%d processes got releases %q", processes, got)
	}
	for _, g := range got {
		if g != got[0] {
			t.Errorf("processes that asked under one key got %q; must be the same", got)
		}
	}
	wantSpent(t, s, 5, 1)
	done()
}

// race starts processes, and lets them go once all are ready.
func (d Durable) race(t *testing.T, role, place string, processes int) []*child {
	t.Helper()
	children := make([]*child, processes)
	for i := range children {
		children[i] = d.start(t, role, place, fmt.Sprint("process ", i))
	}
	for _, c := range children {
		c.wait(t, "ready")
	}
	for _, c := range children {
		c.send(t, "go")
	}
	return children
}

// testKill kills processes that spend: at a random moment after a random number
// of acknowledgements. What they were told is spent must be, and no entry may be
// half there.
func testKill(t *testing.T, d Durable) {
	const limit, most = 1_000_000, 8
	place := d.Create(t)
	s, done := d.open(t, place)
	keeps := terms(limit)
	keeps.Refusals = 3
	if _, err := budget.Create(t.Context(), s, keeps); err != nil {
		t.Fatal(err)
	}
	done()
	acknowledged, least := map[string]string{}, 0 // key to entry
	for i := range d.Kills {
		c := d.start(t, roleForever, place, fmt.Sprint("kill ", i))
		c.wait(t, "ready")
		c.send(t, "go")
		after := rand.N(most)
		least += after
		said := c.some(t, "paid", after)
		timer := time.AfterFunc(rand.N(5*time.Millisecond), c.kill)
		for _, ack := range append(said, c.rest(t)["paid"]...) {
			key, entry, _ := strings.Cut(ack, " entry ")
			acknowledged[key] = entry
		}
		timer.Stop()
		wantAcknowledged(t, d, place, acknowledged)
	}
	if len(acknowledged) < least {
		t.Errorf("%d acknowledgements, want at least %d", len(acknowledged), least)
	}
	refusals := wantExported(t, d, place)
	t.Logf("%d kills, %d acknowledgements, all of them spent, and %d refusals", d.Kills, len(acknowledged), refusals)
}

// wantExported exports what killed processes left and imports it elsewhere, and returns
// how many refusals there are.
func wantExported(t *testing.T, d Durable, place string) (refusals int) {
	t.Helper()
	s, done := d.open(t, place)
	defer done()
	a := reopen(t, s)
	var out bytes.Buffer
	if err := a.Export(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	anchor, err := a.Anchor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b, err := budget.Import(t.Context(), budget.Memory(), &out, anchor)
	if err != nil {
		t.Fatalf("Import of what was exported: %v", err)
	}
	checkpoints := 0
	for e, err := range b.Entries(t.Context()) {
		switch {
		case err != nil:
			t.Fatal(err)
		case e.Kind == budget.KindRefuse:
			refusals++
		case e.Kind == budget.KindCheckpoint:
			checkpoints++
		}
	}
	if checkpoints == 0 {
		t.Error("no checkpoint is in the ledger of processes that were to write many")
	}
	if refusals == 0 {
		t.Error("no refusal is in the ledger of processes that were refused")
	}
	return refusals
}

// wantAcknowledged opens the store and looks for every charge that was
// acknowledged.
func wantAcknowledged(t *testing.T, d Durable, place string, acknowledged map[string]string) {
	t.Helper()
	s, done := d.open(t, place)
	defer done()
	a := reopen(t, s)
	records := len(read(t, s, dataset, 0))
	if records-1 < len(acknowledged) {
		t.Fatalf("%d charges are there, %d were acknowledged", records-1, len(acknowledged))
	}
	for key, entry := range acknowledged {
		p, err := a.Spend(t.Context(), charge(key))
		if err != nil || fmt.Sprint(p.Entry) != entry {
			t.Fatalf("charge %q was acknowledged as entry %s, and is now %d: %v", key, entry, p.Entry, err)
		}
	}
	// The same entries, so nobody paid again. More may have come: a server
	// completes what the dead process asked for last, at its leisure.
	if _, err := a.Verify(t.Context()); err != nil {
		t.Fatalf("Verify: %v", err)
	}
	if now := len(read(t, s, dataset, 0)); now < records {
		t.Fatalf("%d records are there after %d were", now, records)
	}
}
