package main

import (
	"bytes"
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

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/internal/pgtest"
)

const callers = 64

// A crowd is 64 callers who ask the instances of a service, at both at the same time under the same keys.
// A request that nobody answers is sent again, to whichever instance is there.
type crowd struct {
	t        *testing.T
	launch   func() *process
	tokens   []string
	answered chan bool

	mu        sync.Mutex
	instances []*process
	took      []time.Duration // until somebody answered
	statuses  map[int]int
	accepted  map[string]string // the token of whoever was told that a key is accepted
}

// gather starts so many instances on one ledger, with tokens for the crowd.
func gather(t *testing.T, ledger, folder string, instances int) *crowd {
	t.Helper()
	data := rowsIn(t, folder)
	tokens, policy := callersOf(t, folder, callers)
	c := &crowd{t: t, tokens: tokens, statuses: map[int]int{}, accepted: map[string]string{}}
	c.launch = func() *process {
		return launch(t, data, "-ledger", ledger, "-tokens", filepath.Join(folder, "tokens.json"), "-policy", policy)
	}
	for range instances {
		c.instances = append(c.instances, c.launch())
	}
	return c
}

// ask sends all requests, each caller as many, and closes answered when the last one was answered. Callers begin
// to ask one after the other, so that payments go on for a third of the time, and look for their release before
// and in between.
func (c *crowd) ask(requests int) {
	c.answered = make(chan bool, requests)
	var asking sync.WaitGroup
	for i, token := range c.tokens {
		for side := range c.instances {
			own := portion(requests, callers*len(c.instances), i*len(c.instances)+side)
			asking.Go(func() {
				for n := range own {
					c.one(side, token, fmt.Sprint("caller-", i, "/k"), n*callers >= own*i && n%4 != 3)
				}
			})
		}
	}
	go func() { asking.Wait(); close(c.answered) }()
}

// portion divides requests between so many, of which one is meant.
func portion(requests, of, one int) int { return requests*(one+1)/of - requests*one/of }

// one asks for a release or looks for it until somebody answers. What anybody was told is accepted is never
// refused or missing any more.
func (c *crowd) one(side int, token, key string, ask bool) {
	began := time.Now()
	c.mu.Lock()
	before := c.accepted[key] != ""
	c.mu.Unlock()
	for try := 0; ; try++ {
		c.mu.Lock()
		p := process{address: c.instances[(side+try)%len(c.instances)].address, tokens: []string{token}}
		c.mu.Unlock()
		send := func() (int, []byte) { return p.send(token, "GET", "/releases/k", "") }
		if ask {
			send = func() (int, []byte) { return p.post("k", "baskets") }
		}
		if status, answer := send(); status != 0 {
			c.note(key, token, status, before, time.Since(began), answer)
			return
		}
	}
}

func (c *crowd) note(key, token string, status int, before bool, took time.Duration, answer []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.took = append(c.took, took)
	c.statuses[status]++
	switch {
	case status == http.StatusAccepted || status == http.StatusOK:
		c.accepted[key] = token
	case status == http.StatusTooManyRequests, !before && (status == http.StatusForbidden || status == http.StatusNotFound):
	default:
		c.t.Errorf("%s, which was accepted: %v, is %d %s", key, before, status, answer)
	}
	c.answered <- true
}

// kill kills one instance after the other as answers come, so many times in all, and starts each again.
func (c *crowd) kill(requests, kills int) {
	n, killed := 0, 0
	for range c.answered {
		if n++; n*(kills+1) < (killed+1)*requests || killed == kills {
			continue
		}
		side := killed % len(c.instances)
		killed++
		if err := c.instances[side].cmd.Process.Kill(); err != nil {
			c.t.Fatal(err)
		}
		c.instances[side].cmd.Wait() //nolint:errcheck // it was killed
		again := c.launch()
		c.mu.Lock()
		c.instances[side] = again
		c.mu.Unlock()
	}
	if n != requests || killed != kills {
		c.t.Errorf("%d were answered and %d killed, want %d and %d", n, killed, requests, kills)
	}
}

// check finds every key that was accepted paid once and kept once in the ledger, nothing else paid for, and one
// release of each, whichever instance is asked and however often it has been started.
func (c *crowd) check(where string) {
	c.t.Helper()
	releases := c.releases()
	for i, p := range c.instances {
		p.end()
		c.instances[i] = c.launch()
	}
	for key, again := range c.releases() {
		if !bytes.Equal(again, releases[key]) {
			c.t.Errorf("release %s differs after a restart", key)
		}
	}
	if spent := c.instances[0].spentOn(research); spent != "ε=2" || len(c.accepted) != 20 { // at 0.1 each
		c.t.Errorf("%s is spent and %d were accepted, want ε=2 and 20", spent, len(c.accepted))
	}
	for _, p := range c.instances {
		p.end()
	}
	c.compare(paidIn(c.t, where))
}

// releases are those of all that was accepted, from every instance.
func (c *crowd) releases() map[string][]byte {
	c.t.Helper()
	all := map[string][]byte{}
	for name, token := range c.accepted {
		for _, p := range c.instances {
			p.tokens[0] = token
			one := p.finished("k")
			if before, ok := all[name]; ok && !bytes.Equal(one, before) {
				c.t.Errorf("two instances show different releases of %s", name)
			}
			all[name] = one
		}
	}
	return all
}

// compare compares what the ledger has with what was said.
func (c *crowd) compare(paid, kept map[string]int) {
	c.t.Helper()
	for key := range c.accepted {
		if paid[key] != 1 || kept[key] != 1 {
			c.t.Errorf("%s was accepted, paid %d times and kept %d times", key, paid[key], kept[key])
		}
	}
	for key := range paid {
		if c.accepted[key] == "" {
			c.t.Errorf("%s was paid for, and nobody was told", key)
		}
	}
}

// paidIn counts what the ledger was paid for and keeps of the crowd, by request key.
func paidIn(t *testing.T, where string) (paid, kept map[string]int) {
	t.Helper()
	l, err := openStore(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close() //nolint:errcheck // it was only read
	a, err := budget.Open(t.Context(), l.store, dataset)
	if err != nil {
		t.Fatal(err)
	}
	paid, kept = map[string]int{}, map[string]int{}
	keys := map[uint64]string{}
	for e, err := range a.Entries(t.Context()) {
		switch {
		case err != nil:
			t.Fatal(err)
		case e.Kind == budget.KindSpend && e.Charge.Purpose == research:
			keys[e.Seq] = e.Charge.Key
			paid[e.Charge.Key]++
		case e.Kind == budget.KindKeep && keys[e.From] != "":
			kept[keys[e.From]]++
		}
	}
	if _, err := a.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	return paid, kept
}

func (c *crowd) log() {
	slices.Sort(c.took)
	n := len(c.took)
	c.t.Logf("%d callers, %d requests, statuses %v, p50 %v, p99 %v, most %v", callers, n, c.statuses, c.took[n/2], c.took[n*99/100], c.took[n-1])
}

// 64 callers at once: whoever is told "accepted" gets the release, everybody else is told no, and no more
// is spent than the policy lets.
func TestManyCallersAtOnceSpendNoMoreThanThereIs(t *testing.T) {
	folder := t.TempDir()
	ledger := filepath.Join(folder, "service.db")
	c := gather(t, ledger, folder, 1)
	c.ask(640)
	c.kill(640, 0)
	c.check(ledger)
	c.log()
}

// The same at two instances on one PostgreSQL, either of which is killed again and again meanwhile.
func TestManyCallersAndTwoInstancesThatAreKilled(t *testing.T) {
	requests, kills := 640, 2
	if *long {
		requests, kills = 10000, 200
	}
	ledger := pgtest.Database(t)
	c := gather(t, ledger, t.TempDir(), 2)
	c.ask(requests)
	c.kill(requests, kills)
	c.check(ledger)
	c.log()
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
