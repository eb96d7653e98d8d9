package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A program that is killed with SIGKILL at random moments publishes every day of a
// series exactly once: the next run goes on, and what was once shown stays what is
// shown. With -long it is killed 200 times.
func TestASeriesWhoseProgramIsKilledPublishesEveryDayOnce(t *testing.T) {
	everyDayOnce(t, "day", "-out", "")
}

// So does an alert: a day that was answered for has that answer for ever. Which days are on the
// wrong side is as good as chance here, so that noise drawn anew is seen.
func TestAnAlertWhoseProgramIsKilledAnswersForEveryDayOnce(t *testing.T) {
	everyDayOnce(t, "2026", "-alert", "customers below 3", "-most-alerts", "12", "-epsilon", "0.5")
}

// everyDayOnce kills and runs the program. Lines that begin like this are about a day.
func everyDayOnce(t *testing.T, begins string, args ...string) {
	const days = 12
	kills := 6
	if *long {
		kills = 200
	}
	dir := t.TempDir()
	var rows strings.Builder
	rows.WriteString("customer,date\n")
	for unit := range 30 {
		fmt.Fprintf(&rows, "u%d,2026-03-%02d\n", unit, unit%days+1)
	}
	if err := os.WriteFile(filepath.Join(dir, "rows.csv"), []byte(rows.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	undisturbed := time.Now()
	if _, killed := runDay(t, dir, "other.db", 1, 0, begins, args...); killed {
		t.Fatal("nobody killed it")
	}
	span := time.Since(undisturbed)

	ledger, shown, dead := 0, map[string]string{}, 0
	for through := 1; through <= days || dead < kills; through++ {
		if through > days { // all are published; another series takes its turn
			ledger, shown, through = ledger+1, map[string]string{}, 1
		}
		lines, killed := runDay(t, dir, fmt.Sprintf("%d.db", ledger), through, rand.N(2*span), begins, args...)
		if killed {
			dead, through = dead+1, through-1
			continue
		}
		if len(lines) != through {
			t.Fatalf("%d days are shown, must be %d", len(lines), through)
		}
		for day, line := range lines {
			if before, ok := shown[day]; ok && before != line {
				t.Fatalf("%s was %q and is %q, after %d kills", day, before, line, dead)
			}
			shown[day] = line
		}
	}
}

// runDay runs the program up to a day, and kills it after a while, if that is not 0. It returns
// what is shown of each day.
func runDay(t *testing.T, dir, ledger string, through int, while time.Duration, begins string, args ...string) (lines map[string]string, killed bool) {
	t.Helper()
	c := exec.Command("trends", append([]string{"-series", "12 days", "-input", "rows.csv", "-from", "2026-03-01", "-to", fmt.Sprintf("2026-03-%02d", through),
		"-ledger", ledger, "-csv", "-"}, args...)...)
	c.Dir = dir
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if while > 0 {
		defer time.AfterFunc(while, func() { _ = c.Process.Kill() }).Stop()
	}
	err := c.Wait()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && !exit.Exited() {
		return nil, true
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	lines = make(map[string]string)
	for line := range strings.Lines(stdout.String()) {
		if strings.HasPrefix(line, begins) {
			day, rest, _ := strings.Cut(strings.TrimPrefix(line, "day,"), ",")
			lines[day] = rest
		}
	}
	return lines, false
}
