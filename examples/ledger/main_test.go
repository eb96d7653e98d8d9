package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"log"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ledger": main, "spend": spend, "backdate": backdate, "edit": edit})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", RequireExplicitExec: true, RequireUniqueNames: true, Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "anchor": anchor}})
}

// anchor sets $ANCHOR to the one that verify printed into a file: anchor file
func anchor(ts *testscript.TestScript, neg bool, args []string) {
	_, after, ok := strings.Cut(ts.ReadFile(args[0]), "anchor: ")
	if neg || !ok {
		ts.Fatalf("usage: anchor file-with-what-verify-printed")
	}
	ts.Setenv("ANCHOR", strings.TrimSpace(after))
}

// exits checks the exit status of a command: exits 3 ledger whatif …
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits status command…")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		_, after, ok := strings.Cut(err.Error(), "exit status ")
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = after
	}
	if got != args[0] {
		ts.Fatalf("exit status is %s, must be %s", got, args[0])
	}
}

// spend is a service that spends: spend [flags] loss…
func spend() {
	path := flag.String("ledger", os.Getenv(envLedger), "")
	account := flag.String("account", "visits", "")
	part := flag.String("part", "", "")
	purpose := flag.String("purpose", "opening hours", "")
	analyst := flag.String("analyst", "", "")
	periods := flag.String("periods", "", "")
	what := flag.String("for", "visits", "")
	key := flag.String("key", "k", "")
	reserved := flag.Int("reserve", 0, "how many charges like the first are reserved at once")
	drawn := flag.Int("draw", 0, "how many of them are drawn")
	flag.Parse()
	ctx := context.Background()
	s, err := open(ctx, *path)
	must(err)
	a, err := budget.Open(ctx, s, *account)
	must(err)
	if *reserved > 0 {
		reserve(ctx, a, *reserved, *drawn, dp.Charge{
			Dataset: *account, Unit: a.Terms().Unit, Purpose: *purpose, Key: *key, Analyst: *analyst, Periods: strings.Fields(*periods),
		})
		must(s.close())
		return
	}
	for i, text := range flag.Args() {
		loss, err := dp.ParseLoss(text)
		must(err)
		event := declared(loss)
		event.For = *what
		charge := dp.Charge{
			Dataset: cmp.Or(*part, *account), Unit: a.Terms().Unit, Purpose: *purpose, Key: fmt.Sprintf("%s%d", *key, i), Analyst: *analyst,
			Periods: strings.Fields(*periods), Loss: loss, Events: []dp.Event{event},
		}
		_, err = a.Spend(ctx, charge)
		must(err)
		_, err = a.Keep(ctx, charge, []byte("the release"))
		must(err)
	}
	must(s.close())
}

// reserve pays for n mechanisms like the one of the flags, and draws some.
func reserve(ctx context.Context, a *budget.Account, n, drawn int, c dp.Charge) {
	loss, err := dp.ParseLoss(flag.Arg(0))
	must(err)
	epsilon, _, _ := dp.PartsOf(loss).Exact()
	c.Events = []dp.Event{{Mechanism: dp.Declared, For: "visits", Count: n, Epsilon: epsilon}}
	c.Loss = dp.Pure{Epsilon: dp.PartsOf(loss).Epsilon * float64(n)}
	v, err := a.Reserve(ctx, c)
	must(err)
	key := c.Key
	for i := range drawn {
		c.Key, c.Loss = fmt.Sprint(key, i), loss
		c.Events = []dp.Event{{Mechanism: dp.Declared, For: "visits", Count: 1, Epsilon: epsilon}}
		_, err = v.Spend(ctx, c)
		must(err)
	}
}

// backdate rewrites an export as if its entries were days apart and the last was
// made today, with a sound chain: backdate days < export > export.
func backdate() {
	var days int
	_, err := fmt.Sscan(os.Args[1], &days)
	must(err)
	var in bytes.Buffer
	_, err = in.ReadFrom(os.Stdin)
	must(err)
	lines := strings.Split(strings.TrimSpace(in.String()), "\n")
	kept := func(l string) bool { return strings.Contains(l, `"kind":"keep"`) } // dated like the entry before it, which paid
	prev, records, dated, n := "", 0, 0, 0
	for _, l := range lines[1:] {
		if !strings.HasPrefix(l, `{"kept"`) && !strings.HasPrefix(l, `{"end"`) {
			records++
			if !kept(l) {
				dated++
			}
		}
	}
	at, before := regexp.MustCompile(`"at":"[^"]*"`), regexp.MustCompile(`"prev":"[^"]*"`)
	ending, whole := regexp.MustCompile(`"sum":"[^"]*"`), sha256.New()
	own := regexp.MustCompile(`,"sum":"[^"]*"}$`)
	for i, l := range lines {
		if i > 0 && i <= records {
			if !kept(l) {
				n++
			}
			ago := time.Duration((dated-n)*days) * 24 * time.Hour
			l = at.ReplaceAllString(l, `"at":"`+time.Now().Add(-ago-time.Hour).UTC().Format(time.RFC3339)+`"`)
			l = before.ReplaceAllString(l, `"prev":"`+prev+`"`)
			open := own.ReplaceAllString(l, "}")
			own := sha256.Sum256([]byte(open))
			l = strings.TrimSuffix(open, "}") + `,"sum":"` + hex.EncodeToString(own[:]) + `"}`
			sum := sha256.Sum256([]byte(l))
			prev = hex.EncodeToString(sum[:])
		}
		if strings.HasPrefix(l, `{"end":`) {
			l = ending.ReplaceAllString(l, `"sum":"`+hex.EncodeToString(whole.Sum(nil))+`"`)
		}
		fmt.Println(l)
		fmt.Fprintln(whole, l)
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// Every command has --json, and says what it does.
func TestEveryCommandHasJSON(t *testing.T) {
	e := &env{}
	for _, c := range commands() {
		if cmd := e.cobra(c); cmd.Flags().Lookup("json") == nil || cmd.Short == "" {
			t.Errorf("%s has no --json, or says nothing", c.name)
		}
	}
}
