package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

// terminalWidth is how wide a table may be.
const terminalWidth = 100

// A pen writes with emphasis, if anybody will see it.
type pen struct {
	io.Writer
	styled bool
}

func (p pen) strong(s string) string { return p.style("1", s) }
func (p pen) faint(s string) string  { return p.style("2", s) }

func (p pen) style(code, s string) string {
	if !p.styled {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// writeTerminal prints the report for a terminal, or for a file.
func (r *report) writeTerminal(w io.Writer, terminal bool) error {
	var b bytes.Buffer
	p := pen{&b, terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
	fmt.Fprintf(p, "%s\n", p.strong(r.Headline()))
	for _, line := range r.legend() {
		for _, part := range wrapped(line, terminalWidth) {
			fmt.Fprintln(p, p.faint(part))
		}
	}
	if len(r.Groups) == 0 {
		fmt.Fprintf(p, "\nnothing to show: no period had enough %s\n", r.UnitNames)
	}
	for _, g := range r.Groups {
		r.writeGroup(p, g)
		r.writeTogether(p, g)
	}
	r.writeMisses(p)
	r.writeBalance(p)
	_, err := b.WriteTo(w)
	return err
}

// legend says what the numbers and the marks mean, and what is not in them.
func (r *report) legend() []string {
	all := []string{
		r.Hidden() + ", at " + r.Receipt.Loss.String() + ": " + r.Bet(),
		r.Caps(r.Receipt.MaxGroups) + "; what is beyond is cut off",
		"in brackets: 95 % noise intervals, which say nothing of what is cut off",
	}
	if r.Value != "" {
		all[2] += "; + says “or more”"
	}
	if how := r.Reading(); how != "" {
		all = append(all, "how rows were read: "+how)
	}
	if r.Threshold > 0 {
		all = append(all, r.Hiding())
	}
	if len(r.Findings()) > 0 {
		all = append(all, "▲ rose, ▼ fell: 95 % sure, all of them together; △ ▽ perhaps: each 95 % sure by itself, so that of many some are wrong; · the noise can explain it")
	}
	return all
}

// wrapped breaks a text into lines of at most so many columns.
func wrapped(text string, columns int) []string {
	var lines []string
	for word := range strings.FieldsSeq(text) {
		if n := len(lines); n > 0 && utf8.RuneCountInString(lines[n-1])+1+utf8.RuneCountInString(word) <= columns {
			lines[n-1] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return lines
}

// writeGroup prints as many tables as are needed to keep lines short.
func (r *report) writeGroup(p pen, g group) {
	first := []string{r.Period.PeriodTitle()}
	for _, c := range g.Rows {
		first = append(first, r.Period.short(c.Period))
	}
	table := [][]string{first}
	flush := func() {
		if len(table) > 1 {
			fmt.Fprintln(p)
			if r.By != "" {
				fmt.Fprintf(p, "%s\n", p.strong(r.By+": "+r.GroupName(g.Name)))
			}
			writeTable(p, table)
		}
		table = [][]string{first}
	}
	for i := range r.Quantities {
		column := r.terminalColumn(g, i)
		if width(append(table, column)) > terminalWidth {
			flush()
		}
		table = append(table, column)
		if i == len(r.Quantities)-1 || r.Quantities[i].Each != r.Quantities[i+1].Each {
			flush()
		}
	}
}

func (r *report) terminalColumn(g group, i int) []string {
	q := r.Quantities[i]
	column := []string{q.Label + "  "}
	if q.Each {
		column[0] = q.Label + " per " + r.UnitName + "  "
	}
	var values, intervals []string
	for _, c := range g.Rows {
		w := r.FigureWords(i, c.Figures[i])
		interval := w.interval()
		if c.Exact != nil {
			interval += " exact " + r.ExactWords(i, c.Exact[i])
		}
		values, intervals = append(values, w.Value), append(intervals, interval)
	}
	values, intervals = padded(values, true), padded(intervals, false)
	for n, c := range g.Rows {
		mark := " "
		if c.Changes != nil {
			mark = c.Changes[i].Verdict.mark()
		}
		column = append(column, mark+" "+values[n]+" "+intervals[n])
	}
	return column
}

// padded makes all texts equally wide.
func padded(texts []string, alignRight bool) []string {
	w := widest(texts)
	out := make([]string, len(texts))
	for i, s := range texts {
		space := strings.Repeat(" ", w-utf8.RuneCountInString(s))
		if alignRight {
			out[i] = space + s
		} else {
			out[i] = s + space
		}
	}
	return out
}

func widest(texts []string) int {
	w := 0
	for _, s := range texts {
		w = max(w, utf8.RuneCountInString(s))
	}
	return w
}

func width(table [][]string) int {
	w := 0
	for _, column := range table {
		w += widest(column) + 2
	}
	return w - 2
}

func writeTable(p pen, table [][]string) {
	for i, column := range table {
		table[i] = padded(column, false)
	}
	for n := range table[0] {
		var line []string
		for _, column := range table {
			line = append(line, column[n])
		}
		text := strings.TrimRight(strings.Join(line, "  "), " ")
		if n == 0 {
			text = p.strong(text)
		}
		fmt.Fprintln(p, text)
	}
}

func (r *report) writeMisses(p pen) {
	for i, m := range r.Misses() {
		if i == 0 {
			fmt.Fprintf(p, "\n%s\n", p.strong("Beside the exact values, which only public data may show"))
		}
		fmt.Fprintf(p, "%-18s median error %6s, %d of %d intervals contain the exact value\n", m.Label, m.Error, m.Covered, m.Show)
	}
}

func (r *report) writeBalance(p pen) {
	if mark := r.Mark(); mark != "" {
		fmt.Fprintf(p, "\n%s %v of %v; %s\n%s: nothing was charged, and there is no receipt\n", p.strong("Would cost"), r.Receipt.Loss, r.Balance.Limit, r.Balance.Rest(), p.strong(mark))
		return
	}
	charged := "charged"
	if r.Again {
		charged = "charged before, so nothing now"
	}
	fmt.Fprintf(p, "\n%s %v (%s) of %v\n", p.strong("Cost"), r.Receipt.Loss, charged, r.Balance.Limit)
	fmt.Fprintf(p, "%s %s; %s\n", p.strong("Used"), r.Balance.Used(), r.Balance.Rest())
	fmt.Fprintf(p, "%s entry %d of %s, %.16s…, key %s\n", p.strong("Receipt"), r.Receipt.Entry, r.Ledger, r.Receipt.Hash, r.Receipt.Key)
}
