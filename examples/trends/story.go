package main

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/equipoise-dp/equipoise/aggregate"
)

// Span returns the time that the report is about, in words.
func (r *report) Span() string {
	var periods []string
	if r.periods != nil {
		periods = r.periods
	}
	for _, g := range r.Groups {
		for _, c := range g.Rows {
			periods = append(periods, c.Period)
		}
	}
	if len(periods) == 0 {
		return "no period"
	}
	first, last := r.Period.words(slices.Min(periods)), r.Period.words(slices.Max(periods))
	if first == last {
		return first
	}
	return first + " to " + last
}

// Headline names what is reported.
func (r *report) Headline() string {
	names := []string{r.UnitNames, r.RowNames}
	if r.Value != "" {
		names = append(names, r.ValueName)
	}
	what := strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
	if r.By != "" {
		what += " by " + r.By
	}
	if mark := r.Mark(); mark != "" {
		return mark + ": " + what + ", " + r.Span()
	}
	return title(what) + ", " + r.Span()
}

// GroupName names a group, even one whose field is empty, without characters
// that would steer a terminal.
func (r *report) GroupName(name string) string {
	if name == "" {
		return "(empty)"
	}
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return unicode.ReplacementChar
		}
		return c
	}, name)
}

// About says what a reader must know of the embedded data.
func (r *report) About() string {
	if !r.embedded() || r.Rehearse != nil {
		return ""
	}
	return "The data is the purchase history of everybody who first bought at the online music shop CDNOW in the first quarter of 1997, as published by Fader and Hardie. That is why the first three months tower over the rest."
}

// A finding says how many changes of a quantity in a group are sure, how many
// more are likely, and which of the sure ones are the largest.
type finding struct {
	Group, Label, Per  string
	Sure, Perhaps, All int
	Rise, Fall         *stepWords // the largest sure ones, or nil
}

// Findings returns one finding for every quantity and group with changes.
func (r *report) Findings() []finding {
	var all []finding
	for _, g := range r.Groups {
		for i, q := range r.Quantities {
			if f := r.finding(g, i, q); f.All > 0 {
				all = append(all, f)
			}
		}
	}
	return all
}

func (r *report) finding(g group, i int, q quantity) finding {
	f := finding{Group: g.Name, Label: q.Label}
	if q.Each {
		f.Per = q.Note
	}
	var clear []step
	for n, c := range g.Rows {
		if c.Changes == nil {
			continue
		}
		f.All++
		if c.Changes[i].Verdict.perhaps() {
			f.Perhaps++
		}
		if c.Changes[i].Verdict.sure() {
			clear = append(clear, step{c.Changes[i], g.Rows[n-1].Period, c.Period})
		}
	}
	f.Sure = len(clear)
	slices.SortStableFunc(clear, func(a, b step) int { return cmp.Compare(b.Value, a.Value) })
	if n := len(clear); n > 0 && clear[0].Verdict == rose {
		f.Rise = r.inWords(q, clear[0])
	}
	if n := len(clear); n > 0 && clear[n-1].Verdict == fell {
		f.Fall = r.inWords(q, clear[n-1])
	}
	return f
}

// A step is a change between two named periods.
type step struct {
	change
	from, to string
}

// stepWords is a step in words.
type stepWords struct{ When, Much, Low, High string }

func (r *report) inWords(q quantity, s step) *stepWords {
	return &stepWords{
		When: r.Period.short(s.from) + " to " + r.Period.short(s.to),
		Much: r.writeChange(q, s.Value), Low: r.writeChange(q, s.Low), High: r.writeChange(q, s.High),
	}
}

// changeWords is a change in words, with an arrow for the eye.
type changeWords struct{ Class, Arrow, Word, Low, High string }

// ChangeWords says what a change of the i-th quantity is.
func (r *report) ChangeWords(i int, c change) changeWords {
	q := r.Quantities[i]
	w := changeWords{Class: "unclear", Word: string(unclear), Low: r.writeChange(q, c.Low), High: r.writeChange(q, c.High)}
	if c.Verdict == unclear {
		return w
	}
	w.Class = strings.ReplaceAll(string(c.Verdict), " ", "-")
	w.Arrow = c.Verdict.mark()
	w.Word = string(c.Verdict) + " " + r.write(q, math.Abs(c.Value))
	return w
}

// figureWords is a number and its interval in words.
type figureWords struct{ Value, Low, High string }

// FigureWords returns a number of the i-th quantity.
func (r *report) FigureWords(i int, f figure) figureWords {
	q := r.Quantities[i]
	w := figureWords{r.write(q, f.Value), r.write(q, f.Low), r.write(q, f.High)}
	if f.Unknown {
		w.Value = "unknown"
	}
	if math.IsInf(f.High, 1) {
		w.High = "any number"
	}
	if q.Quantile && f.High >= r.Upper {
		w.High += "+" // or more: values beyond it were brought down to it
	}
	return w
}

func (w figureWords) interval() string { return "(" + w.Low + " to " + w.High + ")" }

// ExactWords returns the exact value of the i-th quantity.
func (r *report) ExactWords(i int, x float64) string { return r.write(r.Quantities[i], x) }

// ByChance says how many changes would be marked as likely if nothing had changed:
// by chance, one in twenty 95 % intervals misses.
func (r *report) ByChance() string {
	n := 0
	for _, f := range r.Findings() {
		n += f.All
	}
	if n < 20 {
		return "about one in twenty"
	}
	return fmt.Sprintf("about %d of these %d", int(math.Round(float64(n)/20)), n)
}

// A miss is how far a quantity is from the exact one.
type miss struct {
	Label, Note   string
	Error         string // the median relative error
	Covered, Show int    // intervals that contain the exact value, of how many
}

// Misses compares with the exact values; it is empty without -truth.
func (r *report) Misses() []miss {
	if !r.Truth {
		return nil
	}
	var all []miss
	for i, q := range r.Quantities {
		m := miss{Label: q.Label, Note: q.Note}
		var errors []float64
		for _, g := range r.Groups {
			for _, c := range g.Rows {
				f, x := c.Figures[i], c.Exact[i]
				m.Show++
				if f.Low <= x && x <= f.High {
					m.Covered++
				}
				errors = append(errors, math.Abs(f.Value-x)/max(math.Abs(x), 1))
			}
		}
		m.Error = fmt.Sprintf("%.1f %%", 100*median(errors))
		all = append(all, m)
	}
	return all
}

func median(xs []float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	xs = slices.Sorted(slices.Values(xs))
	return (xs[(len(xs)-1)/2] + xs[len(xs)/2]) / 2
}

// Accuracy says how exact a quantity is before it is asked: half the width of its
// 95 % noise interval, and what that is for.
func (r *report) Accuracy(q quantity) string {
	p := q.Price
	switch {
	case p.Per == aggregate.PerNumber && q.Money:
		return "± " + r.money(p.PlusMinus, q.Cents)
	case p.Per == aggregate.PerNumber:
		return "± " + grouped(p.PlusMinus, 0)
	case p.Per == aggregate.PerRank:
		return "± " + grouped(p.PlusMinus, 0) + " places in the order of " + r.UnitNames
	}
	return fmt.Sprintf("± %s for %d %s", r.money(p.PlusMinus, true), aggregate.ManyRecords, r.UnitNames)
}

// Hiding says from when on a cell is shown, and that others may be hidden.
func (r *report) Hiding() string {
	what := string(r.Period)
	if r.By != "" {
		what += " of a group"
	}
	s := fmt.Sprintf("a %s shows, 95 %% of the time, from about %s %s on", what, grouped(r.Threshold, 0), r.UnitNames)
	if sooner := r.Sooner(); sooner != "" {
		s += " (" + sooner + ")"
	}
	return s + "; there may be others, and how many is not said"
}

// HasChanges reports whether any two consecutive periods of a group are shown.
func (r *report) HasChanges(g group) bool {
	return slices.ContainsFunc(g.Rows, func(c cells) bool { return c.Changes != nil })
}

// Cells says in how many periods, or periods and groups, one unit counts.
func (o *options) Cells(n int) string {
	if o.By == "" {
		return count(n, string(o.Period), string(o.Period)+"s")
	}
	return count(n, "cell", "cells") + " of the table"
}

// Bound writes an end of what one unit's total may be.
func (o *options) Bound(x float64) string { return o.money(x, x != math.Round(x)) }

// StepWords writes the grid of totals.
func (o *options) StepWords() string {
	if o.Step == 1 && o.Currency == "" {
		return "whole numbers"
	}
	return "multiples of " + o.Currency + plain(o.Step)
}

// Caps says what counts of one unit.
func (o *options) Caps(cells int) string {
	s := fmt.Sprintf("each %s counts in at most %s, with at most %s in each", o.UnitName, o.Cells(cells), count(o.MaxRows, o.RowName, o.RowNames))
	if o.Value != "" {
		s = fmt.Sprintf("each %s counts in at most %s, with at most %s and %s from %s to %s in each",
			o.UnitName, o.Cells(cells), count(o.MaxRows, o.RowName, o.RowNames), o.ValueName, o.Bound(o.Lower), o.Bound(o.Upper))
	}
	return s
}

// Share writes the part of the loss that a quantity's measure has.
func (r *report) Share(q quantity) string { return grouped(100*q.Price.Share, 0) + " %" }

// NoiseOf says what noise a measure got; the receipt has its numbers exactly.
func (r *report) NoiseOf(m aggregate.ReceiptMeasure) string {
	if m.Scale == "" {
		return fmt.Sprintf("%v, %s of ε=%s each", m.Mechanism, count(m.Draws, "draw", "draws"), approximately(m.Epsilon))
	}
	return fmt.Sprintf("%v, scale %s steps, for a change of %s by at most %s",
		m.Mechanism, approximately(m.Scale), count(int(m.Sensitivity.L0), "number", "numbers"), count(int(m.Sensitivity.LInf), "step", "steps"))
}

// approximately writes an exact number with six digits.
func approximately(number string) string {
	exact, ok := new(big.Rat).SetString(number)
	if !ok {
		return number
	}
	x, _ := exact.Float64()
	return strconv.FormatFloat(x, 'g', 6, 64)
}
