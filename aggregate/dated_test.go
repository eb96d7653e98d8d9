package aggregate

import (
	"crypto/hpke"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
)

// What was collected where units are asked, or rows forgotten, can be released for a day; after it, and
// after a merge or sealed bytes kept it, it is refused before anything is paid.
func TestAnOldPartialIsNotReleased(t *testing.T) {
	key, err := hpke.MLKEM768X25519().GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		edit func(*Query[fact, int, int])
		ages bool
	}{
		"asked": {func(q *Query[fact, int, int]) { q.Consent = &Consent[int]{OptOut, "p", &choices{}} }, true},
		"forgotten": {func(q *Query[fact, int, int]) {
			q.Retention = &Retention[fact]{func(fact) time.Time { return time.Now() }, 30}
		}, true},
		"neither": {func(*Query[fact, int, int]) {}, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			q := &Query[fact, int, int]{Dataset: "facts", UnitName: "unit", MaxGroups: 1, MaxRowsPerGroup: 1, Unit: func(f fact) int { return f.who }}
			c.edit(q)
			plan, err := q.Plan(dp.Pure{Epsilon: 1}, q.Count())
			if err != nil {
				t.Fatal(err)
			}
			collect := func() *Partial[int] {
				part, err := plan.Collect(t.Context(), Slice([]fact{{who: 1}}))
				if err != nil {
					t.Fatal(err)
				}
				return part
			}
			through := func(p *Partial[int]) *Partial[int] {
				sealed, _ := sealTo(t, key, p)
				opened, err := plan.Open(t.Context(), key, "", sealed)
				if err != nil {
					t.Fatal(err)
				}
				return opened
			}
			old := collect()
			sealed := through(old)
			time.Sleep(countsFor / 2)
			young := collect()
			merged, err := plan.Merge(t.Context(), young, old)
			if err != nil {
				t.Fatal(err)
			}
			try := func(when string, refused bool, parts ...*Partial[int]) {
				t.Helper()
				account := newTill()
				release, err := plan.Release(t.Context(), account, Request{Key: "k", Purpose: "p"}, parts...)
				if refused != (err != nil && strings.Contains(err.Error(), "collect again")) || !refused && err != nil {
					t.Errorf("%s, %s: %v", name, when, err)
				}
				if refused && len(account.budget) > 0 {
					t.Errorf("%s, %s: it was paid for", name, when)
				}
				if err == nil && release.Receipt().Wiped {
					t.Errorf("%s: the receipt says that what the caller keeps is wiped", name)
				}
			}
			time.Sleep(countsFor / 2)
			try("a day old", false, old)
			try("sealed, a day old", false, sealed)
			try("merged, of which one is a day old", false, merged)
			time.Sleep(time.Nanosecond)
			try("older", c.ages, old)
			try("sealed, older", c.ages, sealed)
			try("merged, of which one is older", c.ages, merged)
			try("two, of which one is older", c.ages, young, old)
			try("merged, sealed, and older", c.ages, through(merged))
			try("half a day old", false, young)
			if ahead := collect(); c.ages {
				ahead.state().dated = ahead.state().dated.Add(2 * countsFor)
				try("of the day after tomorrow", true, ahead)
			}
		})
	}
}

// Whoever releases with Run leaves no exact sums behind, and that stands in the receipt; so it does for
// series and alerts, and of what units are.
func TestReceiptsSayWhatIsWiped(t *testing.T) {
	plan := facts(t, dp.Pure{Epsilon: 1}, smallBounds[0], 2, 3)
	release, err := plan.Run(t.Context(), newTill(), Request{Key: "k", Purpose: "p"}, Slice([]fact{{who: 1}}))
	if err != nil || !release.Receipt().Wiped || release.Receipt().States.HashedIDs {
		t.Errorf("a release: %+v, %v", release.Receipt(), err)
	}
	q, series := sales(5, 2, 1, true)
	whole, err := series.Plan(dp.Concentrated{Rho: 1}, q.Units())
	if err != nil {
		t.Fatal(err)
	}
	trend, err := Advance(t.Context(), whole, newTill(), Request{Key: "k", Purpose: "p"}, 5, Slice([]sale{}))
	if err != nil || !trend.Receipts()[0].Wiped || trend.Receipts()[0].States.Step != series.Step.String() {
		t.Errorf("a series: %v", err)
	}
}
