package main

import (
	"bytes"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"testing"

	"github.com/equipoise-dp/equipoise/internal/pgtest"
)

// Whatever kills the service: what it said it accepted is finished, and no key is paid twice.
func TestKilledWhileItIsAskedNothingIsLost(t *testing.T) {
	kills := 10
	if *long {
		kills = 200
	}
	const perLedger, perKill = 10, 2 // 20 keys, which is what research has
	for k := 0; k < kills; k += perLedger {
		t.Run(fmt.Sprint(k), func(t *testing.T) {
			folder := t.TempDir()
			data, ledger := rowsIn(t, folder), filepath.Join(folder, "service.db")
			accepted := map[string]bool{}
			for round := range perLedger {
				killWhileAsked(t, launch(t, data, "-ledger", ledger), round, perKill, accepted)
			}
			p := launch(t, data, "-ledger", ledger)
			once := map[string][]byte{}
			for key, said := range accepted {
				if status, answer := p.post(key, "baskets"); status != http.StatusAccepted {
					t.Errorf("%s, which was accepted: %v, is %d %s", key, said, status, answer)
				}
				once[key] = p.finished(key)
			}
			if spent, want := p.spentOn(research), written(float64(len(accepted))*0.1, 0); spent != want {
				t.Errorf("%d keys were asked and %s is spent, want %s", len(accepted), spent, want)
			}
			p.end()
			p = launch(t, data, "-ledger", ledger)
			for key, release := range once {
				if !bytes.Equal(p.finished(key), release) {
					t.Errorf("release %s differs after a restart", key)
				}
			}
			p.end()
			officer(t, "--ledger", ledger, "verify")
		})
	}
}

// killWhileAsked asks under several keys at the same time, each of them again and again, and kills the service
// when so many answers have come as the round says.
func killWhileAsked(t *testing.T, p *process, round, keys int, accepted map[string]bool) {
	t.Helper()
	answers := make(chan bool, keys)
	var asking sync.WaitGroup
	var mu sync.Mutex
	for i := range keys {
		key := fmt.Sprintf("r%d-k%d", round, i)
		accepted[key] = false
		asking.Go(func() {
			for range 50 {
				status, _ := p.post(key, "baskets")
				if status == 0 {
					return
				}
				mu.Lock()
				accepted[key] = accepted[key] || status == http.StatusAccepted
				mu.Unlock()
				select {
				case answers <- true:
				default:
				}
			}
		})
	}
	for range round { // round 0 is killed at once
		<-answers
	}
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	asking.Wait()
	p.cmd.Wait() //nolint:errcheck // it was killed
}

// Two instances on one database are one service: a key is paid once, either shows what the other
// accepted, and one finishes what the other left.
func TestTwoInstancesOnOnePostgreSQLAreOne(t *testing.T) {
	dsn, folder := pgtest.Database(t), t.TempDir()
	data := rowsIn(t, folder)
	a, b := launch(t, data, "-ledger", dsn), launch(t, data, "-ledger", dsn)
	var asking sync.WaitGroup
	for _, p := range []*process{a, b, a, b} {
		asking.Go(func() {
			if status, answer := p.post("same", "baskets"); status != http.StatusAccepted {
				t.Errorf("%d %s", status, answer)
			}
		})
	}
	asking.Wait()
	if x, y := a.finished("same"), b.finished("same"); !bytes.Equal(x, y) {
		t.Errorf("two answers to one payment:\n%s\n%s", x, y)
	}
	if status, answer := a.post("left", "weekdays"); status != http.StatusAccepted {
		t.Fatalf("%d %s", status, answer)
	}
	if err := a.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	b.finished("left")
	if spent := b.spentOn(research); spent != "ε=0.2" {
		t.Errorf("%s is spent", spent)
	}
	if x, y := b.spentOn(trend), "ε=1 δ=1e-07"; x != y {
		t.Errorf("the series of both cost %s, want %s", x, y)
	}
	b.end()
}
