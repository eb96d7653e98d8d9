package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// An offer is what other caps would give, at the same price. It follows from
// public numbers alone: it is the price list of another plan.
type offer struct {
	Caps               string // "-max-periods 9"; what was asked is "as asked"
	Units, Rows, Value string // half the widths of 95 % noise intervals
	Shown              string // from how many units on a cell shows, or empty
	Asked              bool
	Fewer              bool // whether a unit counts in fewer cells than was asked
}

// offers lists what was asked, and caps that are half and twice as large.
func (o *options) offers(asked *question) []offer {
	all := []offer{o.offer("as asked", asked)}
	all[0].Asked = true
	add := func(flag string, value any, change func(*options)) {
		other := *o
		change(&other)
		if q, err := other.ask(); err == nil { // one that cannot be had is not offered
			f := other.offer(fmt.Sprintf("%s %v", flag, value), q)
			f.Fewer = other.MaxSlots < o.MaxSlots
			all = append(all, f)
		}
	}
	for _, n := range near(o.MaxSlots, o.mostSlots()) {
		add("-max-periods", n, func(other *options) { other.MaxSlots = n })
	}
	for _, n := range near(o.MaxRows, mostRows) {
		add("-max-rows", n, func(other *options) { other.MaxRows = n })
	}
	if o.Value == "" {
		return all
	}
	for _, upper := range []float64{round(o.Upper / 2), round(o.Upper * 2)} {
		add("-upper", plain(upper), func(other *options) {
			other.Upper = upper
			if !o.given["step"] {
				other.Step = stepFor(upper - o.Lower)
			}
		})
	}
	return all
}

// near returns half of a cap and twice it, as far as they differ from it.
func near(n, most int) []int {
	var all []int
	if n > 1 {
		all = append(all, n/2)
	}
	if n < most {
		all = append(all, min(2*n, most))
	}
	return all
}

// mostSlots is in how many cells one unit can be.
func (o *options) mostSlots() int {
	if slots := o.slots(); slots != nil {
		return len(slots)
	}
	return maxCells
}

func (o *options) offer(caps string, q *question) offer {
	f := offer{Caps: caps, Units: "± " + grouped(q.quantities[0].Price.PlusMinus, 0), Rows: "± " + grouped(q.quantities[1].Price.PlusMinus, 0)}
	if o.Value != "" {
		f.Value = "± " + o.money(q.quantities[2].Price.PlusMinus, false)
	}
	if _, surely := q.plan.Threshold(); surely > 0 {
		f.Shown = grouped(surely, 0)
	}
	return f
}

// Sooner says from how many units on a cell shows if a unit counts in half as many
// cells, or nothing if there is no such offer.
func (r *report) Sooner() string {
	for _, f := range r.Offers {
		if f.Fewer && f.Shown != "" {
			return fmt.Sprintf("with %s from about %s on", f.Caps, f.Shown)
		}
	}
	return ""
}

// priceList says what the report costs and how exact it will be.
func (o *options) priceList(q *question) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v\n", q.plan)
	fmt.Fprintf(&b, "%s; what is beyond is cut off, and no ± includes it\n\n", o.Caps(min(o.MaxSlots, o.mostSlots())))
	o.writeOffers(&b, q)
	o.writeWays(&b)
	fmt.Fprintf(&b, "\nlimit of a new ledger: %s\nkey of this request: %s\n", o.limitWords(), o.request(q).Key)
	fmt.Fprintln(&b, "no row was read, and nothing was spent")
	return b.String()
}

// writeOffers writes the offers as a table.
func (o *options) writeOffers(b *strings.Builder, q *question) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	columns := func(f offer) []string {
		all := []string{f.Caps, f.Units, f.Rows}
		if o.Value != "" {
			all = append(all, f.Value)
		}
		if o.selects() {
			all = append(all, f.Shown)
		}
		return all
	}
	head := offer{Caps: "other caps at this price", Units: o.UnitNames, Rows: o.RowNames, Value: o.ValueName, Shown: "shows from " + o.UnitNames}
	fmt.Fprintln(w, strings.Join(columns(head), "\t"))
	for _, f := range o.offers(q) {
		fmt.Fprintln(w, strings.Join(columns(f), "\t"))
	}
	w.Flush()
}
