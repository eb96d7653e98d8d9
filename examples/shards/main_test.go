package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// The program of this test is a worker too, and one that fails.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "work" {
		if err := workBadly(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) == 3 && (os.Args[1] == "place" || os.Args[1] == "pipe") { // under Spark
		if err := run(context.Background(), os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// workBadly is what can go wrong with the first attempt at a shard, a thing for each.
func workBadly(description string) error {
	var j job
	if err := json.Unmarshal([]byte(description), &j); err != nil {
		return err
	}
	if os.Getenv("SHARDS_TEST_FAULTS") == "" || j.Attempt > 1 {
		return work(context.Background(), os.Stdout, description)
	}
	switch j.Shard.Number {
	case 0: // dies after it left a part that is cut off, and before it said so
		var said bytes.Buffer
		if err := work(context.Background(), &said, description); err != nil {
			return err
		}
		var part aggregate.Part
		if err := json.Unmarshal(said.Bytes(), &part); err != nil {
			return err
		}
		if err := os.Truncate(partFile(j.Folder, part), 1000); err != nil {
			return err
		}
		self, err := os.FindProcess(os.Getpid())
		if err != nil {
			return err
		}
		self.Kill()
		signal.Notify(make(chan os.Signal, 1))
		select {}
	case 1, 3: // hang
		wait := make(chan os.Signal, 1)
		signal.Notify(wait, os.Interrupt)
		<-wait
	case 2: // does its work twice, and leaves both parts
		if err := work(context.Background(), io.Discard, description); err != nil {
			return err
		}
	}
	return work(context.Background(), os.Stdout, description)
}

func released(t testing.TB, faults string) string {
	t.Helper()
	t.Setenv("SHARDS_TEST_FAULTS", faults)
	folder := t.TempDir()
	var b bytes.Buffer
	if err := report(t.Context(), &b, folder, madeUp(5000), thisProgram); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(folder, "*.sealed"))
	want := shards
	if faults != "" {
		want += 2 // one that is cut off, and one that is there twice
	}
	if err != nil || len(left) < want {
		t.Errorf("%d parts are in the folder, want %d", len(left), want)
	}
	return b.String()
}

// Workers that are killed, hang, or do their work twice change nothing: the release is that
// of one process that reads all rows, and caps cut.
func TestWhateverHappensToWorkersTheReleaseIsThatOfOneProcess(t *testing.T) {
	dptest.NoNoise(t)
	t.Setenv(secretName, strings.Repeat("0123456789abcdef", 2))
	q, err := ask()
	if err != nil {
		t.Fatal(err)
	}
	all, err := q.plan.CollectShard(t.Context(), aggregate.Shard{Number: 0, Of: 1, Secret: "env:" + secretName}, aggregate.Slice(madeUp(5000)))
	if err != nil {
		t.Fatal(err)
	}
	account, err := budget.Create(t.Context(), budget.Memory(), budget.Terms{Dataset: "rides", Unit: "rider", Limit: dp.Pure{Epsilon: 1}})
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := show(t.Context(), &want, q, account, all); err != nil {
		t.Fatal(err)
	}
	for _, faults := range []string{"", "all"} {
		if got := released(t, faults); got != want.String() {
			t.Errorf("with faults %q released is\n%s, of one process\n%s", faults, got, &want)
		}
	}
	type cell struct {
		rider uint64
		city  string
	}
	inCell, inCities, cut := map[cell]int{}, map[uint64]int{}, [2]bool{}
	for _, r := range madeUp(5000) {
		at := cell{r.rider, r.city}
		if inCell[at]++; inCell[at] == 1 {
			inCities[r.rider]++
		}
		cut = [2]bool{cut[0] || inCell[at] > 3, cut[1] || inCities[r.rider] > 2}
	}
	if cut != [2]bool{true, true} {
		t.Errorf("caps cut off rows and cities: %v", cut)
	}
}

// A shard that fails again and again ends the report, and nobody is left running.
func TestAShardThatKeepsFailingEndsTheReport(t *testing.T) {
	t.Setenv(secretName, strings.Repeat("0123456789abcdef", 2))
	fails := func(ctx context.Context, description string) *exec.Cmd {
		return exec.CommandContext(ctx, os.Args[0], "work", strings.Replace(description, `"number":3`, `"number":9`, 1))
	}
	var b bytes.Buffer
	err := report(t.Context(), &b, t.TempDir(), madeUp(100), fails)
	if err == nil || !strings.Contains(err.Error(), "shard 3 failed 3 times") || b.Len() > 0 {
		t.Errorf("%q, %v", &b, err)
	}
}

// Four workers collect, and one release is made.
func Example() {
	folder, err := os.MkdirTemp("", "shards")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	var b bytes.Buffer
	if err := newSecret(); err != nil {
		fmt.Println(err)
	}
	if err := report(context.Background(), &b, folder, madeUp(5000), thisProgram); err != nil {
		fmt.Println(err)
	}
	for line := range strings.Lines(b.String()) {
		city, _, _ := strings.Cut(line, " ")
		if city == "released" {
			fmt.Print(line)
		} else {
			fmt.Println(city, "and its numbers")
		}
	}
	// Output:
	// released rides: 3 groups of 3 columns, ε=1
	// Bern and its numbers
	// Graz and its numbers
	// Lyon and its numbers
}
