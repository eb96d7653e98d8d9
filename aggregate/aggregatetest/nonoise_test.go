package aggregatetest

import (
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
	"github.com/equipoise-dp/equipoise/internal/purse"
)

func TestNoNoiseShowsEveryGroup(t *testing.T) {
	dptest.NoNoise(t)
	q := visits(nil)
	count := q.Count()
	plan, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-9}, count)
	if err != nil {
		t.Fatal(err)
	}
	release, err := plan.Run(t.Context(), purse.Free{}, aggregate.Request{Key: "k", Purpose: "test"}, aggregate.Slice([]visit{{1, 5, 0}}))
	if err != nil {
		t.Fatal(err)
	}
	if cell, ok := release.Cell(5); !ok || count.Of(cell).Value != 1 {
		t.Errorf("a group of one is %v, %t", cell, ok)
	}
}
