package budget

import (
	"github.com/equipoise-dp/equipoise/internal/module"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

func TestEntriesNameTheVersionThatWroteThem(t *testing.T) {
	account, err := Create(t.Context(), Memory(), Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 1}})
	if err != nil {
		t.Fatal(err)
	}
	if err := account.Freeze(t.Context(), "an audit", "me"); err != nil {
		t.Fatal(err)
	}
	n := 0
	for e, err := range account.Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; e.Module == "" || e.Module != module.Version() {
			t.Errorf("entry %d was written by version %q, want %q", e.Seq, e.Module, module.Version())
		}
	}
	if n != 2 {
		t.Errorf("there are %d entries, want 2", n)
	}
}
