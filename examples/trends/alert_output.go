package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

// given is what was answered so far.
type given struct {
	*watch
	alerts *aggregate.Alerts[string]
	left   dp.Loss
}

func (o *options) formsOfAlerts() []form[*given] {
	return []form[*given]{
		{"-csv", o.CSV, 256, (*given).csv},
		{"-json", o.JSON, 2048, (*given).json},
	}
}

// What was answered about a period and a group.
const (
	alertGiven = "alert"
	noAlert    = "no alert"
	notAsked   = "not asked" // since there were as many alerts as there may be
)

// answers returns what was answered about the period with a number, from 0 on, by group.
func (g *given) answers(period int) []string {
	groups := g.groupsOverTime()
	all := make([]string, len(groups))
	last := -1 // of the groups that were given an alert
	for i, group := range groups {
		all[i] = noAlert
		for _, a := range g.alerts.Given {
			if a.Number == period && a.Group == group {
				all[i], last = alertGiven, i
			}
		}
	}
	if g.alerts.Ended && period == len(g.alerts.Periods)-1 {
		for i := last + 1; i < len(all); i++ {
			all[i] = notAsked
		}
	}
	return all
}

// csv writes a line for every period that was asked about, and group.
func (g *given) csv() ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Write([]string{"period", "from", "to", "group", "answer"})
	for i := range g.alerts.Periods {
		first, last := g.dates(stretchOfTime{from: i, to: i + 1})
		for j, v := range g.answers(i) {
			w.Write([]string{g.periods[i], first, last, inert(g.groupsOverTime()[j]), v})
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return nil, fmt.Errorf("-csv: %w", err)
	}
	return b.Bytes(), nil
}

type alertsJSON struct {
	Dataset  string              `json:"dataset"`
	Series   string              `json:"series"`
	Alert    string              `json:"alert"`
	Most     int                 `json:"most"`
	Quiet    float64             `json:"quiet"` // [aggregate.AlertPlan.Margins], at 95 %
	Sure     float64             `json:"sure"`
	Asked    []string            `json:"asked"`
	Given    []alertJSON         `json:"given"`
	Ended    bool                `json:"ended"`
	Cost     dp.Loss             `json:"cost"`
	Left     dp.Loss             `json:"left"`
	Receipts []aggregate.Receipt `json:"receipts"`
}

type alertJSON struct {
	Period string `json:"period"`
	Group  string `json:"group,omitempty"`
}

// json writes everything.
func (g *given) json() ([]byte, error) {
	j := alertsJSON{Dataset: g.Dataset, Series: g.Series, Alert: g.Alert, Most: g.Most, Asked: g.periods[:len(g.alerts.Periods)], Given: []alertJSON{},
		Ended: g.alerts.Ended, Cost: dp.Pure{Epsilon: g.Epsilon}, Left: g.left, Receipts: g.alerts.Receipts}
	j.Quiet, j.Sure = g.plan.Margins(single)
	for _, a := range g.alerts.Given {
		j.Given = append(j.Given, alertJSON{g.periods[a.Number], a.Group})
	}
	text, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("-json: %w", err)
	}
	return append(text, '\n'), nil
}

// writeTerminal writes what was asked, and the alerts.
func (g *given) writeTerminal(out io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n", g.plan)
	for _, a := range g.alerts.Given {
		fmt.Fprintf(&b, "  alert: %s", g.periods[a.Number])
		if g.By != "" {
			fmt.Fprintf(&b, ", %s", g.nameOf(a.Group))
		}
		b.WriteString("\n")
	}
	if len(g.alerts.Given) == 0 {
		b.WriteString("  no alert\n")
	}
	asked := len(g.alerts.Periods)
	fmt.Fprintf(&b, "\nasked about %s of %d, to %s; %d of at most %d alerts given; %s left\n",
		count(asked, string(g.Period), string(g.Period)+"s"), len(g.periods), g.periods[asked-1], len(g.alerts.Given), g.Most, loss(g.left))
	if g.alerts.Ended {
		b.WriteString("no more is asked; a new -key declares the alert anew, at its price\n")
	}
	_, err := out.Write(b.Bytes())
	return err
}
