package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/policy"
	"github.com/equipoise-dp/equipoise/dp"
)

// A statement is what the page says.
type statement struct {
	Title      string `json:"title"`
	Dataset    string `json:"dataset"`
	Unit       string `json:"unit"`
	Controller string `json:"controller,omitempty"`
	Contact    string `json:"contact,omitempty"`
	Written    string `json:"written"`
	Since      string `json:"since"`
	Frozen     string `json:"frozen,omitempty"`

	Published int           `json:"published"`
	Declared  int           `json:"taken_as_declared"` // of those, whose noise the ledger does not know
	Purposes  []purposeFact `json:"purposes"`
	Allowed   []string      `json:"purposes_allowed,omitempty"` // and not used yet
	Askers    []askerFact   `json:"asked_by"`
	List      []publication `json:"publications"` // the latest, newest first
	Acts      []actFact     `json:"decisions,omitempty"`

	Spent      string `json:"spent"`
	Limit      string `json:"limit"`
	FactorNow  string `json:"odds_factor_now"`
	FactorMost string `json:"odds_factor_limit,omitempty"` // if there is a limit
	Rows       []row  `json:"odds"`
	Delta      string `json:"delta,omitempty"` // of the limit, as one in so many
	Rho        bool   `json:"converted_from_rho,omitempty"`
	Anchor     string `json:"anchor"`

	Event   bool        `json:"unit_is_event,omitempty"`
	Risk    string      `json:"risk,omitempty"` // if the limit protects hardly anybody
	Promise *promise    `json:"policy,omitempty"`
	Values  []valueTold `json:"values,omitempty"`
	Pace    []string    `json:"pace"`
	Life    *life       `json:"life,omitempty"`
	Outside []elsewhere `json:"made_elsewhere,omitempty"`
	Before  string      `json:"compared_with,omitempty"`
	Changes []string    `json:"changes,omitempty"`
}

// An elsewhere is a publication that no account paid for.
type elsewhere struct {
	What      string `json:"what"`
	By        string `json:"by"`
	On        string `json:"on"`
	Guarantee string `json:"guarantee"`
}

type purposeFact struct {
	Name    string `json:"name"`
	Count   int    `json:"publications"`
	Results string `json:"results"` // what was computed
	Periods string `json:"periods,omitempty"`
	First   string `json:"first"`
	Last    string `json:"last"`
}

type askerFact struct {
	Name  string `json:"name"`
	Count int    `json:"publications"`
}

type publication struct {
	Date    string `json:"date"`
	Day     string `json:"-"` // for machines
	Purpose string `json:"purpose"`
	Results string `json:"results"`
	Periods string `json:"periods,omitempty"`
	Asker   string `json:"asked_by,omitempty"`
	Cost    string `json:"declared"`
}

type actFact struct {
	Date   string `json:"date"`
	What   string `json:"what"`
	By     string `json:"by"`
	Reason string `json:"reason"`
}

// mostListed bounds the page.
const mostListed = 200

// statement gathers the facts from the ledger.
func (e *env) statement(ctx context.Context, store budget.Store, a *budget.Account) (*statement, error) {
	d, err := e.dossier(ctx, a)
	if err != nil {
		return nil, err
	}
	totals, err := totalsOf(ctx, store, d.terms.Dataset)
	if err != nil {
		return nil, err
	}
	t := d.terms
	s := &statement{
		Title: cmp.Or(e.title, "What is published about “"+t.Dataset+"”"), Dataset: t.Dataset, Unit: d.unit(),
		Controller: e.controller, Contact: e.contact, Written: date(d.now), Since: date(d.entries[0].At), Anchor: d.anchor.String(),
		Promise: promiseOf(d.policy), Values: valuesOf(d.published()), Pace: d.pace(), Life: lifeOf(d.entries, totals, d.status.Whole, d.forecast().Out, d.now), Event: d.event(), Risk: d.risk(),
	}
	for _, o := range d.outside() {
		s.Outside = append(s.Outside, elsewhere{o.What, o.By, o.On, guarantee(o)})
	}
	if d.status.Frozen {
		s.Frozen = strings.Join(frozenFor(d.entries), "; ")
	}
	s.publications(d.entries)
	s.summaries(d.entries, t)
	s.decisions(d.entries)
	s.odds(d.status.Whole)
	if e.compare != "" {
		return s, s.changes(e.compare)
	}
	return s, nil
}

// published says whether an entry is of something that was published. What a
// reservation pays for is published by the entries that draw from it.
func published(e budget.Entry) bool { return e.Kind == budget.KindSpend || e.Kind == budget.KindDraw }

func (s *statement) publications(entries []budget.Entry) {
	s.List = []publication{}
	for _, e := range slices.Backward(entries) {
		if !published(e) {
			continue
		}
		s.Published++
		if slices.ContainsFunc(e.Charge.Events, func(v dp.Event) bool { return v.Mechanism == dp.Declared }) {
			s.Declared++
		}
		if s.Published > mostListed {
			continue
		}
		c := e.Charge
		s.List = append(s.List, publication{
			Date: date(e.At), Day: e.At.UTC().Format(time.DateOnly), Purpose: c.Purpose, Results: results([]dp.Charge{*c}, s.Unit), Periods: span(c.Periods), Asker: c.Analyst, Cost: c.Loss.String(),
		})
	}
}

// summaries groups publications by purpose and by who asked, in the order of
// first use.
func (s *statement) summaries(entries []budget.Entry, t budget.Terms) {
	s.Purposes, s.Askers = []purposeFact{}, []askerFact{}
	charges, periods := map[string][]dp.Charge{}, map[string][]string{}
	for _, e := range entries {
		if !published(e) {
			continue
		}
		c := e.Charge
		i := slices.IndexFunc(s.Purposes, func(p purposeFact) bool { return p.Name == c.Purpose })
		if i < 0 {
			i = len(s.Purposes)
			s.Purposes = append(s.Purposes, purposeFact{Name: c.Purpose, First: date(e.At)})
		}
		s.Purposes[i].Count++
		s.Purposes[i].Last = date(e.At)
		charges[c.Purpose] = append(charges[c.Purpose], *c)
		periods[c.Purpose] = append(periods[c.Purpose], c.Periods...)
		s.asked(c.Analyst)
	}
	for i, p := range s.Purposes {
		s.Purposes[i].Results, s.Purposes[i].Periods = results(charges[p.Name], s.Unit), span(periods[p.Name])
	}
	for p := range t.Purposes {
		if charges[p] == nil {
			s.Allowed = append(s.Allowed, p)
		}
	}
	slices.Sort(s.Allowed)
}

func (s *statement) asked(name string) {
	if name == "" {
		return
	}
	i := slices.IndexFunc(s.Askers, func(a askerFact) bool { return a.Name == name })
	if i < 0 {
		i = len(s.Askers)
		s.Askers = append(s.Askers, askerFact{Name: name})
	}
	s.Askers[i].Count++
}

func (s *statement) decisions(entries []budget.Entry) {
	for _, e := range entries {
		what := map[string]string{
			budget.KindRaise:  raised(e.Limit),
			budget.KindFreeze: "All publication was stopped",
			budget.KindThaw:   "Publication was allowed again",

			budget.KindWithdraw: fmt.Sprintf("The purpose “%s” was ended", e.Purpose),
			budget.KindPolicy:   policyActed(e.Policy),
		}[e.Kind]
		if what != "" {
			s.Acts = append(s.Acts, actFact{date(e.At), what, e.By, e.Reason})
		}
	}
}

// raised says what a limit allows since it was raised.
func raised(to dp.Loss) string {
	most, _ := pairOf(to)
	return fmt.Sprintf("The limit was raised to %v: all results together can multiply the odds by at most %s", to, times(most))
}

func policyActed(p *policy.Policy) string {
	if p == nil {
		return ""
	}
	return fmt.Sprintf("Version %d of the rules came into force", p.Version)
}

// odds says the bound of the account, and its limit.
func (s *statement) odds(of budget.ScopeStatus) {
	now, _ := pairOf(of.Spent)
	most, delta := pairOf(of.Limit)
	s.Rho = dp.PartsOf(of.Limit).Rho > 0
	s.Spent, s.Limit, s.FactorNow = dp.FormatLoss(of.Spent), limitText(of.Limit), times(now)
	if of.Limit == nil {
		most = math.Inf(1)
		_, delta = pairOf(of.Spent)
	} else {
		s.FactorMost = times(most)
	}
	s.Rows = rowsOf(now, most)
	if delta > 0 {
		s.Delta = oneIn(delta)
	}
}

// span writes periods, or the first and the last of many.
func span(periods []string) string {
	p := slices.Compact(slices.Sorted(slices.Values(periods)))
	if len(p) <= 3 {
		return strings.Join(p, ", ")
	}
	return fmt.Sprintf("%s to %s (%d periods)", p[0], p[len(p)-1], len(p))
}

// Day writes the day as other days of the page are written.
func (o elsewhere) Day() string {
	t, err := time.Parse(time.DateOnly, o.On)
	if err != nil {
		return o.On
	}
	return date(t)
}

func date(t time.Time) string { return t.UTC().Format("2 January 2006") }
