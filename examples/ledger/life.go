package main

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// A life is how much of its limit an account had used, day by day, and when it ends if the
// pace stays what it was. All parts are of the limit as it is today.
type life struct {
	Days  []lifeDay `json:"days"`
	Ends  string    `json:"ends,omitempty"` // about when, if that can be told
	Limit bool      `json:"-"`              // there is one

	first, now, last time.Time // ends of the chart
	ends             *time.Time
}

// A lifeDay is what was used once a day was over.
type lifeDay struct {
	Day  string  `json:"day"`
	Used float64 `json:"used"` // of the limit; of what is read off now, where there is none

	at time.Time
}

// lifeOf joins entries with what the account had spent after each.
func lifeOf(entries []budget.Entry, totals []dp.Loss, whole budget.ScopeStatus, ends *time.Time, now time.Time) *life {
	of := whole.Limit
	if of == nil {
		of = whole.Spent
	}
	if len(entries) == 0 || len(totals) < len(entries) || of == nil || whole.Spent == nil {
		return nil
	}
	l := &life{Limit: whole.Limit != nil, first: entries[0].At.UTC(), now: now.UTC(), ends: ends}
	for i, e := range entries {
		used, _ := part(totals[i], of)
		at := l.first
		if e.At.After(at) { // of what is kept, the time is that of its payment
			at = e.At.UTC()
		}
		l.add(lifeDay{at.Format(time.DateOnly), used, at})
	}
	l.last = l.now
	if ends != nil {
		l.Ends = date(*ends)
		if l.last = *ends; ends.Sub(l.now) > 2*l.now.Sub(l.first) {
			l.last = l.now.Add(2 * l.now.Sub(l.first))
		}
	}
	return l
}

// add keeps one number of a day, and none for a day on which nothing was spent.
func (l *life) add(d lifeDay) {
	n := len(l.Days)
	switch {
	case n > 0 && l.Days[n-1].Used == d.Used:
	case n > 0 && l.Days[n-1].Day == d.Day:
		l.Days[n-1].Used = d.Used
	default:
		l.Days = append(l.Days, d)
	}
}

// Drawn says whether there is a chart: of a single day it would show nothing.
func (l *life) Drawn() bool { return l.now.Format(time.DateOnly) != l.first.Format(time.DateOnly) }

// The chart is as wide and as high as this, and stretched.
const lifeWidth, lifeHeight = 1000.0, 200.0

func (l *life) x(t time.Time) float64 {
	span := l.last.Sub(l.first)
	if span <= 0 {
		return lifeWidth
	}
	return lifeWidth * math.Min(1, math.Max(0, float64(t.Sub(l.first))/float64(span)))
}

// Up to what is used there is a step for each day, from the lower left corner.
func (l *life) line() []string {
	y, points := lifeHeight, []string{}
	at := func(x, y float64) { points = append(points, fmt.Sprintf("%.1f,%.1f", x, y)) }
	at(0, y)
	for _, d := range l.Days {
		x := l.x(d.at)
		at(x, y)
		y = lifeHeight * (1 - math.Min(1, d.Used))
		at(x, y)
	}
	at(l.x(l.now), y)
	return points
}

// Line is what was used, as the points of an SVG.
func (l *life) Line() string { return strings.Join(l.line(), " ") }

// Area is the same, closed.
func (l *life) Area() string {
	return strings.Join(append(l.line(), fmt.Sprintf("%.1f,%.1f", l.x(l.now), lifeHeight)), " ")
}

// Ahead goes on at the present pace to the limit, or as far as the chart does.
func (l *life) Ahead() string {
	if l.ends == nil {
		return ""
	}
	used := math.Min(1, l.used())
	reached := used + (1-used)*math.Min(1, float64(l.last.Sub(l.now))/float64(l.ends.Sub(l.now)))
	return fmt.Sprintf("%.1f,%.1f %.1f,%.1f", l.x(l.now), lifeHeight*(1-used), l.x(l.last), lifeHeight*(1-reached))
}

func (l *life) used() float64 {
	if len(l.Days) == 0 {
		return 0
	}
	return l.Days[len(l.Days)-1].Used
}

// Used, First, Now and Last are words below the chart.
func (l *life) Used() string  { return percent(l.used()) }
func (l *life) First() string { return date(l.first) }
func (l *life) Now() string   { return date(l.now) }

// Last is empty if the chart ends today.
func (l *life) Last() string {
	if date(l.last) == date(l.now) {
		return ""
	}
	return date(l.last)
}
