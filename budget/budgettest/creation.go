package budgettest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/budget"
)

// A Creation is how a kind of store that outlives its process comes to be.
type Creation struct {
	// Place returns where no store is yet, such as a path or the DSN of an empty
	// database. What is made there is removed when the test ends, or when Place is
	// called again.
	Place func(*testing.T) (place string)

	// Create makes a new, empty store. It returns an error that wraps
	// [fs.ErrExist] if there is one. OpenOrCreate opens the store that is there,
	// or makes one. They are called in this process and in child processes. A
	// store that is an io.Closer is closed after use.
	Create, OpenOrCreate func(ctx context.Context, place string) (budget.Store, error)

	// Check, if it is set, looks at what creations left at a place where a store
	// is open.
	Check func(t *testing.T, place string)

	// Kills is how often a process that creates a store is killed at a random
	// time, such as 50, or 1,000 at night.
	Kills int
}

// TestCreation races processes that create one store, and kills them. Whatever
// happens, there is one store or none, and OpenOrCreate opens it. The processes
// are copies of the test binary that run the same test, so call it from a test
// that does nothing else before.
func TestCreation(t *testing.T, c Creation) {
	if isChild() {
		c.runChild() // does not return
	}
	if c.Place == nil || c.Create == nil || c.OpenOrCreate == nil || c.Kills < 1 {
		t.Fatal("budgettest: Creation.Place, Create, OpenOrCreate and Kills must be set")
	}
	test := t.Name()
	t.Run("Race", func(t *testing.T) { c.testRace(t, test, roleCreate) })
	t.Run("RaceToOpen", func(t *testing.T) { c.testRace(t, test, roleOpenOrCreate) })
	t.Run("Kill", func(t *testing.T) { c.testKill(t, test) })
}

const (
	roleCreate       = "create"
	roleOpenOrCreate = "open or create"
)

func (c Creation) runChild() {
	if err := c.act(context.Background()); err != nil {
		say("error", err.Error())
		os.Exit(1)
	}
	os.Exit(0)
}

// act makes or opens the store, and says whether this process was the first one
// in it.
func (c Creation) act(ctx context.Context) error {
	say("ready", "")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil { // "go"
		return err
	}
	do := c.OpenOrCreate
	if os.Getenv(envRole) == roleCreate {
		do = c.Create
	}
	s, err := do(ctx, os.Getenv(envPlace))
	if errors.Is(err, fs.ErrExist) && os.Getenv(envRole) == roleCreate {
		say("late", "")
		return nil
	}
	if err != nil {
		return err
	}
	say("opened", "")
	switch err := s.Append(ctx, dataset, budget.Record{Data: []byte(os.Getenv(envName))}); {
	case err == nil:
		say("first", "")
	case !errors.Is(err, budget.ErrConflict):
		return err
	}
	return shut(s)
}

func shut(s budget.Store) error {
	if c, ok := s.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// testRace lets processes create one store. One does, and whoever opens a store
// opens that one.
func (c Creation) testRace(t *testing.T, test, role string) {
	const processes = 8
	place := c.Place(t)
	children := make([]*child, processes)
	for i := range children {
		children[i] = startChild(t, test, role, place, fmt.Sprint("process ", i))
	}
	for _, child := range children {
		child.wait(t, "ready")
	}
	for _, child := range children {
		child.send(t, "go")
	}
	said := map[string]int{}
	for _, child := range children {
		for what, lines := range child.rest(t) {
			said[what] += len(lines)
		}
	}
	opened := map[string]int{roleCreate: 1, roleOpenOrCreate: processes}[role]
	if said["opened"] != opened || said["late"] != processes-opened || said["first"] != 1 {
		t.Errorf("of %d processes %d opened a store, %d found one, and %d were the first in it, want %d, %d, 1",
			processes, said["opened"], said["late"], said["first"], opened, processes-opened)
	}
	c.wantOne(t, place, 1)
}

// testKill kills processes that create a store, at random times up to a bit
// longer than that takes. Every second time this process creates it as well.
func (c Creation) testKill(t *testing.T, test string) {
	span, dead := c.took(t, test)*5/4, 0
	for i := range c.Kills {
		place := c.Place(t)
		child := startChild(t, test, roleOpenOrCreate, place, fmt.Sprint("kill ", i))
		child.wait(t, "ready")
		child.send(t, "go")
		timer := time.AfterFunc(rand.N(span), child.kill)
		if i%2 == 1 {
			c.wantOne(t, place, 0)
		}
		said := child.rest(t)
		timer.Stop()
		if len(said["opened"]) == 0 {
			dead++
			span += span / 16
		} else {
			span -= span / 8
		}
		c.wantOne(t, place, len(said["first"]))
	}
	t.Logf("%d of %d processes were killed before they had a store", dead, c.Kills)
	if dead == 0 {
		t.Error("no process was killed before it had a store; the test tests nothing")
	}
}

// took returns how long it takes to create a store.
func (c Creation) took(t *testing.T, test string) time.Duration {
	t.Helper()
	child := startChild(t, test, roleOpenOrCreate, c.Place(t), "not killed")
	child.wait(t, "ready")
	start := time.Now()
	child.send(t, "go")
	child.wait(t, "opened")
	defer child.rest(t)
	return time.Since(start)
}

// wantOne opens the store, or makes it, and wants at least so many records.
func (c Creation) wantOne(t *testing.T, place string, records int) {
	t.Helper()
	s, err := c.OpenOrCreate(t.Context(), place)
	if err != nil {
		t.Fatalf("OpenOrCreate: %v", err)
	}
	if have := len(read(t, s, dataset, 0)); have < records || have > 1 {
		t.Errorf("the store has %d records, want %d", have, records)
	}
	if c.Check != nil && records > 0 {
		c.Check(t, place)
	}
	if err := shut(s); err != nil {
		t.Errorf("Close: %v", err)
	}
}
