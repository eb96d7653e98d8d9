package aggregatetest

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// busy is an alert on stays of six days in two groups.
func busy(t *testing.T, threshold float64, most int, unit func(stay) int) *aggregate.AlertPlan[stay, int, int] {
	start := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	q := &aggregate.Query[stay, int, int]{
		Dataset: "stays", UnitName: "guest", Unit: unit, Group: func(s stay) int { return s.where }, Groups: []int{0, 1},
		MaxGroups: 2, MaxRowsPerGroup: 1,
	}
	alert := aggregate.Alert[stay, int, int]{
		Query: q, Time: func(s stay) time.Time { return start.AddDate(0, 0, s.day) }, Zone: time.UTC,
		Step: aggregate.Day, First: start, Periods: stayDays, When: aggregate.Above(threshold), Most: most,
	}
	plan, err := alert.Plan(dp.Pure{Epsilon: 1}, q.Units())
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// The default mode runs one pair of inputs, and -long the catalogue.
func TestAlertsAreNotRefuted(t *testing.T) {
	if *long {
		for most := 1; most <= 3; most++ {
			AuditAlert(t, busy(t, 3, most, guest), stayCatalogue(4000))
		}
	}
	for _, r := range auditOneAlert(t, busy(t, 3, 2, guest), "many rows in many groups", 600) {
		if r.Refuted {
			t.Error(r)
		}
	}
}

// A program that takes every stay for another guest counts a guest as often as they stay.
func TestAGuestWhoCountsTooOftenGivesAlerts(t *testing.T) {
	var stays atomic.Int64
	plan := busy(t, 15, 1, func(stay) int { return int(stays.Add(1)) })
	for _, r := range auditOneAlert(t, plan, "many rows in one group", 2000) {
		if !r.Refuted {
			t.Errorf("a guest who counts for every stay is not found: %v", r)
		}
	}
}

func auditOneAlert(t *testing.T, plan *aggregate.AlertPlan[stay, int, int], name string, runs int) (results []dptest.Result) {
	c := stayCatalogue(runs)
	for _, p := range c.pairs() {
		if strings.HasPrefix(p.name, name) {
			results = append(results, auditAlert(t, plan, c, []pair[stay]{p})...)
		}
	}
	return results
}
