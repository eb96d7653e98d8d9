package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

// csv writes the numbers: one line for every cell, with the ends of the 95 %
// intervals, and the verdict on the change from the period before. What is unknown
// or has no limit is blank.
func (r *report) csv() ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	header := []string{"period", "group"}
	if r.Mark() != "" {
		header = append([]string{rehearsed}, header...)
	}
	for _, q := range r.Quantities {
		name := inert(q.Name)
		header = append(header, name, name+"_low", name+"_high", name+"_change")
		if r.Truth {
			header = append(header, name+"_exact")
		}
	}
	w.Write(header)
	for _, g := range r.Groups {
		for _, c := range g.Rows {
			w.Write(r.record(g, c))
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return nil, fmt.Errorf("-csv: %w", err)
	}
	return b.Bytes(), nil
}

func (r *report) record(g group, c cells) []string {
	line := []string{c.Period, inert(g.Name)}
	if mark := r.Mark(); mark != "" {
		line = append([]string{mark}, line...)
	}
	for i, f := range c.Figures {
		verdict := ""
		if c.Changes != nil {
			verdict = string(c.Changes[i].Verdict)
		}
		value := plain(f.Value)
		if f.Unknown {
			value = ""
		}
		line = append(line, value, plain(f.Low), plain(f.High), verdict)
		if r.Truth {
			line = append(line, plain(c.Exact[i]))
		}
	}
	return line
}

// inert returns a text that no spreadsheet takes for a formula: it has an
// apostrophe before it if it begins as a formula does. So has one that begins with
// an apostrophe, so that whoever takes one away has the text again.
func inert(text string) string {
	if strings.IndexAny(text, "=+-@\t\r\n'|%＝＋－＠") == 0 {
		return "'" + text
	}
	return text
}

// plain writes a number, and nothing for one without limit.
func plain(x float64) string {
	if math.IsInf(x, 0) {
		return ""
	}
	return strconv.FormatFloat(x, 'f', -1, 64)
}

type reportJSON struct {
	Rehearsal  string            `json:"rehearsal,omitempty"` // what it is marked with, if it is one
	Dataset    string            `json:"dataset"`
	Period     calendar          `json:"period"`
	Confidence float64           `json:"confidence"`
	Quantities []quantityJSON    `json:"quantities"`
	Cells      []cellJSON        `json:"cells"`
	Cost       dp.Loss           `json:"cost"`
	Limit      dp.Loss           `json:"limit"`
	Left       dp.Loss           `json:"left"`
	More       int               `json:"more_reports"`
	Receipt    aggregate.Receipt `json:"receipt"`
}

type quantityJSON struct {
	Name  string `json:"name"`
	Label string `json:"label"`
	Note  string `json:"note"`
}

type cellJSON struct {
	Period  string                `json:"period"`
	Group   string                `json:"group,omitempty"`
	Numbers map[string]numberJSON `json:"numbers"`
}

type numberJSON struct {
	figureJSON
	Change *changeJSON `json:"change,omitempty"`
	Exact  *float64    `json:"exact,omitempty"`
}

type changeJSON struct {
	figureJSON
	Verdict verdictOfChange `json:"verdict"`
}

// A figureJSON is a figure with null for what is unknown or has no limit.
type figureJSON struct {
	figure
	Value *float64 `json:"value"`
	Low   *float64 `json:"low"`
	High  *float64 `json:"high"`
}

func (f figure) json() figureJSON {
	j := figureJSON{figure: f, Value: finite(f.Value), Low: finite(f.Low), High: finite(f.High)}
	if f.Unknown {
		j.Value = nil
	}
	return j
}

func finite(x float64) *float64 {
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return nil
	}
	return &x
}

// json writes everything.
func (r *report) json() ([]byte, error) {
	j := reportJSON{Rehearsal: r.Mark(), Dataset: r.Dataset, Period: r.Period, Confidence: 0.95, More: r.Balance.More, Receipt: r.Receipt, Cells: []cellJSON{}}
	for _, q := range r.Quantities {
		j.Quantities = append(j.Quantities, quantityJSON{q.Name, q.Label, q.Note})
	}
	for _, g := range r.Groups {
		for _, c := range g.Rows {
			j.Cells = append(j.Cells, r.cellJSON(g, c))
		}
	}
	j.Cost, j.Limit, j.Left = r.Receipt.Loss, r.Balance.Limit, r.Balance.Left
	text, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("-json: %w", err)
	}
	return append(text, '\n'), nil
}

func (r *report) cellJSON(g group, c cells) cellJSON {
	cell := cellJSON{c.Period, g.Name, make(map[string]numberJSON)}
	for i, q := range r.Quantities {
		n := numberJSON{figureJSON: c.Figures[i].json()}
		if c.Changes != nil {
			n.Change = &changeJSON{c.Changes[i].figure.json(), c.Changes[i].Verdict}
		}
		if r.Truth {
			n.Exact = &c.Exact[i]
		}
		cell.Numbers[q.Name] = n
	}
	return cell
}
