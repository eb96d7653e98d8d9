package aggregate

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/keys"
)

// storedSeries is the form in which a release of a series is kept.
type storedSeries struct {
	Format  string              `json:"format"`
	Plan    string              `json:"plan"`
	Period  string              `json:"period,omitempty"` // none if the series is released at once
	Receipt Receipt             `json:"receipt"`
	Groups  []storedSeriesGroup `json:"groups"`
}

// storedSeriesGroup holds the noisy rows of the parts of all measures.
type storedSeriesGroup struct {
	Key   string       `json:"key"`
	Parts [][]*big.Int `json:"parts"`
}

const seriesFormat = "equipoise series 1"

func (p *SeriesPlan[Row, Unit, Group]) encode(receipt Receipt, release int, groups [][][]*big.Int) []byte {
	s := storedSeries{Format: seriesFormat, Plan: p.mark, Period: p.periodOf(release), Receipt: receipt}
	for g, key := range p.given {
		s.Groups = append(s.Groups, storedSeriesGroup{keys.Encode(key), groups[g]})
	}
	text, err := json.Marshal(s)
	if err != nil {
		panic("aggregate: internal error: a release cannot be written as JSON: " + err.Error())
	}
	return text
}

func (p *seriesCore) periodOf(release int) string {
	if p.atOnce {
		return ""
	}
	return p.labels[release]
}

// decode reads what encode wrote.
func (p *SeriesPlan[Row, Unit, Group]) decode(release int, text []byte) (*storedSeries, error) {
	var s storedSeries
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("aggregate: the stored release cannot be read: %w", err)
	}
	if err := p.checkStored(release, &s); err != nil {
		return nil, fmt.Errorf("aggregate: the stored release cannot be read: %w", err)
	}
	return &s, nil
}

func (p *SeriesPlan[Row, Unit, Group]) checkStored(release int, s *storedSeries) error {
	switch {
	case s.Format != seriesFormat:
		return fmt.Errorf("it has format %q, must be %q", s.Format, seriesFormat)
	case s.Plan != p.mark:
		return errors.New("it is of another series")
	case s.Period != p.periodOf(release):
		return fmt.Errorf("it is of period %q, must be of %q", s.Period, p.periodOf(release))
	case len(s.Groups) != len(p.given):
		return fmt.Errorf("it has %d groups, must have %d", len(s.Groups), len(p.given))
	}
	for i, g := range s.Groups {
		if g.Key != keys.Encode(p.given[i]) {
			return fmt.Errorf("group %d is %s, must be %s", i, g.Key, keys.Encode(p.given[i]))
		}
		if err := p.checkParts(release, g.Parts); err != nil {
			return err
		}
	}
	return nil
}

// checkParts returns an error if a group does not have the numbers of a release.
func (p *seriesCore) checkParts(release int, parts [][]*big.Int) error {
	if len(parts) != p.sums {
		return fmt.Errorf("a group has %d parts, must have %d", len(parts), p.sums)
	}
	for _, m := range p.measures {
		from, to := p.rowsOf(m, release)
		for _, rows := range partsOf(m.measure, parts) {
			if len(rows) != to-from {
				return fmt.Errorf("a part has %d rows, must have %d", len(rows), to-from)
			}
			for _, row := range rows {
				if row == nil || row.BitLen() > 255 {
					return errors.New("a row is missing or has more than 256 bits")
				}
			}
		}
	}
	return nil
}

// receipt is the public record of a release of the series.
func (p *SeriesPlan[Row, Unit, Group]) receipt(c dp.Charge, paid dp.Payment) Receipt {
	r := newReceipt(c, paid, p.answers, p.inputs)
	r.Noise, r.Groups, r.MaxGroups, r.MaxRows = p.family.String(), p.series.Query.GroupName, p.cap, p.maxRows
	r.Wiped = true // by Advance
	for i, m := range p.measures {
		r.Measures = append(r.Measures, ReceiptMeasure{
			Name: m.measure.String() + ", " + m.strategy.Name, Mechanism: p.events[i].Mechanism, Scale: m.law.Scale.RatString(),
			Sensitivity: p.events[i].Sensitivity, StdDev: m.read(1).perRecord(),
		})
	}
	return r
}
