package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// 64 callers at once: whoever is told "accepted" gets the release, everybody else is told no, and no more
// is spent than the policy lets.
func TestManyCallersAtOnceSpendNoMoreThanThereIs(t *testing.T) {
	requests := 640
	if *long {
		requests = 10000
	}
	const callers = 64
	folder := t.TempDir()
	data := rowsIn(t, folder)
	tokens, policy := callersOf(t, folder, callers)
	p := launch(t, data, "-ledger", filepath.Join(folder, "service.db"), "-tokens", filepath.Join(folder, "tokens.json"), "-policy", policy)
	var mu sync.Mutex
	var took []time.Duration
	statuses, accepted := map[int]int{}, map[string]string{}
	var asking sync.WaitGroup
	for c, token := range tokens {
		asking.Go(func() {
			for i := range requests / callers {
				key := fmt.Sprint("k", i%3) // each key again and again
				began := time.Now()
				status, answer := p.send(token, "POST", "/releases", `{"question":"baskets"}`, "Idempotency-Key", key, "Content-Type", "application/json")
				d := time.Since(began)
				mu.Lock()
				took = append(took, d)
				statuses[status]++
				if status == http.StatusAccepted {
					accepted[fmt.Sprint(c, "/", key)] = token
				} else if status != http.StatusForbidden && status != http.StatusTooManyRequests {
					t.Errorf("%d %s", status, answer)
				}
				mu.Unlock()
			}
		})
	}
	asking.Wait()
	if len(accepted) != 20 { // ε = 2 at 0.1 each
		t.Errorf("%d were accepted, want 20", len(accepted))
	}
	for name, token := range accepted {
		_, key, _ := strings.Cut(name, "/")
		p.tokens[0] = token
		p.finished(key)
	}
	if spent := p.spentOn(research); spent != "ε=2" {
		t.Errorf("%s is spent", spent)
	}
	slices.Sort(took)
	t.Logf("%d requests, statuses %v, median %v, p99 %v", len(took), statuses, took[len(took)/2], took[len(took)*99/100])
	p.end()
}

// callersOf writes a file of tokens and the policy of so many callers.
func callersOf(t *testing.T, folder string, n int) (said []string, policy string) {
	t.Helper()
	var all []grant
	var names []string
	for i := range n {
		name, token := fmt.Sprintf("caller-%d", i), ""
		all, token = give(all, grant{Name: name, Purposes: []string{research}, Until: time.Now().Add(day)})
		said, names = append(said, token), append(names, name)
	}
	if err := replace(filepath.Join(folder, "tokens.json"), all); err != nil {
		t.Fatal(err)
	}
	list, err := json.Marshal(names)
	if err != nil {
		t.Fatal(err)
	}
	policy = filepath.Join(folder, "policy.yaml")
	text := strings.Replace(string(examplePolicy), "askers: [demo]", "askers: "+string(list), 1)
	if err := os.WriteFile(policy, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return said, policy
}
