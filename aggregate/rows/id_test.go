package rows

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

// A visit has a unit whose name does not stay.
type visit struct {
	Who ID   `rows:"who"`
	At  Date `rows:"at"`
}

func TestIDsStandForNamesUnderOneSecret(t *testing.T) {
	const file = "who,at\nann,2026-01-31\n ann ,2026-02-01\nbob,2026-02-01\ne\u0301,2026-02-01\né,2026-02-02\n"
	secret := NewSecret()
	a, err1 := readAs[visit](t, file, Options{Secret: secret})
	b, err2 := readAs[visit](t, file, Options{Secret: secret})
	c, err3 := readAs[visit](t, file, Options{Secret: NewSecret()})
	if err1 != nil || err2 != nil || err3 != nil {
		t.Fatal(err1, err2, err3)
	}
	if a[0].Who != a[1].Who || a[0].Who == a[2].Who || a[3].Who != a[4].Who {
		t.Error("equal names have other IDs, or other names equal ones")
	}
	if a[0].Who != b[0].Who || a[2].Who != b[2].Who {
		t.Error("two sources with one secret disagree")
	}
	if a[0].Who == c[0].Who || a[2].Who == c[2].Who {
		t.Error("two secrets agree")
	}
}

func TestIDsAndSecretsPrintNothing(t *testing.T) {
	secret := NewSecret()
	id := secret.hasher()([]byte("ann"))
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%s", "%d", "%q"} {
		text := fmt.Sprintf(verb, id) + fmt.Sprintf(verb, secret) + fmt.Sprintf(verb, *secret) + fmt.Sprintf(verb, visit{Who: id})
		if strings.Count(text, "private") < 4 || strings.Contains(text, fmt.Sprint(id[0], " ", id[1])) {
			t.Errorf("%s prints %s", verb, text)
		}
	}
	if text, err := json.Marshal(visit{Who: id}); err == nil {
		t.Errorf("an ID is encoded as %s", text)
	}
}

// That units are hashed stands in what a plan states, and so in its receipt.
func TestReceiptsSayThatUnitsAreHashed(t *testing.T) {
	hashed := &aggregate.Query[visit, ID, int]{Dataset: "visits", UnitName: "patient", MaxGroups: 1, MaxRowsPerGroup: 1, Unit: func(v visit) ID { return v.Who }}
	named := &aggregate.Query[visit, string, int]{Dataset: "visits", UnitName: "patient", MaxGroups: 1, MaxRowsPerGroup: 1, Unit: func(visit) string { return "ann" }}
	a, err1 := hashed.Plan(dp.Pure{Epsilon: 1}, hashed.Count())
	b, err2 := named.Plan(dp.Pure{Epsilon: 1}, named.Count())
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if r := (aggregate.Request{}); !a.Charge(r).States.HashedIDs || b.Charge(r).States.HashedIDs {
		t.Error("what is stated of units is not what they are")
	}
}

func BenchmarkID(b *testing.B) {
	sum, name := NewSecret().hasher(), []byte("c0102495")
	for b.Loop() {
		sum(name)
	}
}

// Somebody may be called NA or null: only a blank name is missing.
func TestAMarkIsAName(t *testing.T) {
	const file = "who,at\nNA,2026-01-31\nnull,2026-01-31\n \t,2026-01-31\nann,NA\n"
	visits, err := readAs[visit](t, file, Options{Secret: NewSecret(), Format: Format{Missing: Skip}})
	if err != nil || len(visits) != 2 || visits[0].Who == visits[1].Who {
		t.Errorf("%d visits are read, want those of NA and null; %v", len(visits), err)
	}
	_, err = readAs[visit](t, file, Options{Secret: NewSecret()})
	if err == nil || strings.Contains(err.Error(), "line 2") || strings.Contains(err.Error(), "line 3") || !strings.Contains(err.Error(), "line 4") {
		t.Errorf("%v, want a refusal of line 4", err)
	}
}
