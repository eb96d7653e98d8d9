package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/policy"
	"github.com/equipoise-dp/equipoise/dp"
)

func logCommand() *command {
	return &command{
		name: "log", short: "list every entry: what was asked, why, by whom, at what price, and what was decided",
		long: `
DECLARED is what the charge says of itself. COST is by how much the account's total
rose, which is often less, because its rule adds up better; costs add up to SPENT,
and the last SPENT is that of show. What is drawn from a reservation was paid by it.
With --json there is one object for each entry, with its mechanisms and hash.`,
		run: runLog,
	}
}

// A logged is one entry as JSON.
type logged struct {
	Seq     uint64            `json:"entry"`
	Kind    string            `json:"kind"`
	At      time.Time         `json:"at"`
	Hash    string            `json:"hash"`
	Terms   *budget.Terms     `json:"terms,omitempty"`
	Charge  *dp.Charge        `json:"charge,omitempty"`
	Took    map[string]string `json:"took,omitempty"`
	From    uint64            `json:"from,omitempty"`
	Limit   dp.Loss           `json:"limit,omitempty"`
	Reason  string            `json:"reason,omitempty"`
	By      string            `json:"by,omitempty"`
	Refused *budget.Refusal   `json:"refused,omitempty"`
	Policy  *policy.Policy    `json:"policy,omitempty"`
	Purpose string            `json:"withdrawn,omitempty"`
	Outside *budget.Outside   `json:"outside,omitempty"`
	Cost    string            `json:"cost,omitempty"` // by which the account's total rose
	Spent   dp.Loss           `json:"spent"`          // the total
}

func runLog(ctx context.Context, e *env) error {
	return e.withStore(ctx, func(s *store) error {
		a, err := e.only(ctx, s)
		if err != nil {
			return err
		}
		entries, err := collect(ctx, a)
		if err != nil {
			return err
		}
		totals, err := totalsOf(ctx, s, a.Terms().Dataset)
		if err != nil {
			return err
		}
		if e.json {
			return e.printJSON(loggedOf(entries, totals))
		}
		t := &table{}
		t.row("ENTRY", "TIME", "KIND", "DECLARED", "COST", "SPENT", "WHAT")
		for i, l := range loggedOf(entries, totals) {
			t.row(fmt.Sprint(l.Seq), l.At.UTC().Format("2006-01-02 15:04:05"), l.Kind, declares(entries[i]), l.Cost, dp.FormatLoss(l.Spent), what(entries[i]))
		}
		return t.write(e.stdout)
	})
}

func collect(ctx context.Context, a *budget.Account) ([]budget.Entry, error) {
	var entries []budget.Entry
	for entry, err := range a.Entries(ctx) {
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

func loggedOf(entries []budget.Entry, totals []dp.Loss) []logged {
	out := make([]logged, len(entries))
	before := dp.Loss(nil)
	for i, e := range entries {
		out[i] = logged{Seq: e.Seq, Kind: e.Kind, At: e.At, Hash: hex.EncodeToString(e.Hash[:]), Terms: e.Terms, Charge: e.Charge, Took: e.Decisions, From: e.From, Limit: e.Limit, Reason: e.Reason, By: e.By, Refused: e.Refused, Policy: e.Policy, Purpose: e.Purpose, Outside: e.Outside, Cost: rise(before, totals[i]), Spent: totals[i]}
		before = totals[i]
	}
	return out
}

// refusalWords says who was refused what, and why.
func refusalWords(f budget.Refusal) string {
	by := ""
	if f.Analyst != "" {
		by = ", by " + f.Analyst
	}
	why := f.Reason
	if why == "" {
		why = fmt.Sprintf("%s had %s left", f.Scope, dp.FormatLoss(f.Left))
	}
	return fmt.Sprintf("refused: %s (%s)%s: %s", f.Purpose, f.Key, by, why)
}

// declares is what an entry declares to cost.
func declares(e budget.Entry) string {
	switch e.Kind {
	case budget.KindSpend, budget.KindReserve:
		return e.Charge.Loss.String()
	case budget.KindDraw:
		return "paid"
	case budget.KindRefuse:
		return e.Refused.Asked.String()
	}
	return ""
}

// what says what an entry is about, in a few words.
func what(e budget.Entry) string {
	switch {
	case e.Terms != nil:
		return fmt.Sprintf("dataset %q, limit %s", e.Terms.Dataset, limitText(e.Terms.Limit))
	case e.Limit != nil:
		return fmt.Sprintf("limit %v, by %s: %s", e.Limit, e.By, e.Reason)
	case e.Policy != nil:
		return fmt.Sprintf("policy %d with digest %x, by %s: %s", e.Policy.Version, e.Policy.Digest(), e.By, e.Reason)
	case e.Kind == budget.KindWithdraw:
		return fmt.Sprintf("purpose %q ends, by %s: %s", e.Purpose, e.By, e.Reason)
	case e.Kind == budget.KindOutside:
		return fmt.Sprintf("made elsewhere: %s, by %s on %s, %s; recorded by %s: %s", e.Outside.What, e.Outside.By, e.Outside.On, guarantee(e.Outside), e.By, e.Reason)
	case e.Refused != nil:
		return refusalWords(*e.Refused)
	case e.Kind == budget.KindKeep:
		return fmt.Sprintf("the release of entry %d", e.From)
	case e.Kind == budget.KindCheckpoint:
		return "what all entries before come to"
	case e.Charge == nil:
		return fmt.Sprintf("by %s: %s", e.By, e.Reason)
	}
	words := []string{fmt.Sprintf("%s (%s)", e.Charge.Purpose, e.Charge.Key)}
	if e.Charge.Analyst != "" {
		words = append(words, "by "+e.Charge.Analyst)
	}
	if e.Charge.Periods != nil {
		words = append(words, "on "+strings.Join(e.Charge.Periods, " "))
	}
	if e.From != 0 {
		words = append(words, fmt.Sprintf("from entry %d", e.From))
	}
	return strings.Join(words, ", ")
}
