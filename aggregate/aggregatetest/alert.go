package aggregatetest

import (
	"crypto/hpke"
	"fmt"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// AuditAlert audits an alert as a whole, with all answers about all periods, as [AuditSeries]
// audits a series: inputs differ by all that one unit does in all periods. Rows of the catalogue should be
// spread over the periods as over groups; Read is not used, since answers are all that is shown. Periods of
// whose numbers none is near the threshold refute nothing.
func AuditAlert[Row any, Unit, Group comparable](t testing.TB, plan *aggregate.AlertPlan[Row, Unit, Group], c Catalogue[Row]) []dptest.Result {
	t.Helper()
	results := auditAlert(t, plan, c, c.pairs())
	for _, r := range results {
		if r.Refuted {
			t.Errorf("aggregatetest: %s: %v is %v", r.Name, plan.Charge(aggregate.Request{}).Loss, r)
		}
	}
	return results
}

// auditAlert audits some pairs.
func auditAlert[Row any, Unit, Group comparable](t testing.TB, plan *aggregate.AlertPlan[Row, Unit, Group], c Catalogue[Row], pairs []pair[Row]) []dptest.Result {
	trial, err := c.trial(plan.Charge(aggregate.Request{}).Loss)
	if err != nil {
		t.Fatal(err)
	}
	key, err := hpke.MLKEM768X25519().GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	if s := watched(t, plan, key, c, nil)(); strings.HasPrefix(s.Tag, failed) {
		t.Fatalf("aggregatetest: the alert cannot be run, so nothing can be audited: %s", s.Tag)
	}
	return each(pairs, func(p pair[Row]) dptest.Result {
		r := trial.Run(watched(t, plan, key, c, p.with), watched(t, plan, key, c, p.without))
		r.Name = p.name
		return r
	})
}

const failed = "failed: "

// watched returns a function that asks about all periods once.
func watched[Row any, Unit, Group comparable](t testing.TB, plan *aggregate.AlertPlan[Row, Unit, Group], key hpke.PrivateKey, c Catalogue[Row], rows []Row) func() dptest.Sample {
	request, periods := c.request(), len(plan.Periods())
	return func() dptest.Sample {
		account := &drawer{kept: make(map[string][]byte)}
		alerts, err := aggregate.Watch(t.Context(), plan, account, key, request, periods, aggregate.Slice(rows))
		if err != nil {
			return dptest.Sample{Tag: failed + err.Error()}
		}
		var tag strings.Builder
		first := float64(periods)
		for i, g := range alerts.Given {
			fmt.Fprintf(&tag, "%v in %d ", g.Group, g.Number)
			if i == 0 {
				first = float64(g.Number)
			}
		}
		return dptest.Sample{Tag: tag.String(), Numbers: []float64{float64(len(alerts.Given)), first}}
	}
}
