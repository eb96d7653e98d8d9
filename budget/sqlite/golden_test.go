package sqlite_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/sqlite"
)

// A file of an earlier version is opened, verified against what that version said of
// it, and gives out what was kept; its releases then have digests.
func TestTheFileOfAnEarlierVersionGivesOutItsReleases(t *testing.T) {
	const golden = "../testdata/d90b317"
	path := filepath.Join(t.TempDir(), "ledger.db")
	for _, ending := range []string{"", "-mark"} {
		b, err := os.ReadFile(filepath.Join(golden, "ledger.db"+ending))
		if err == nil {
			err = os.WriteFile(path+ending, b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var all []struct {
		Account, Anchor string
		Keys            map[string]*string
	}
	text, err := os.ReadFile(filepath.Join(golden, "facts.json"))
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, f := range all {
		anchor, err := budget.ParseAnchor(f.Anchor)
		if err != nil {
			t.Fatal(err)
		}
		a, err := budget.Open(t.Context(), s, f.Account, anchor)
		if err != nil {
			t.Fatal(err)
		}
		for key, want := range f.Keys {
			p, err := a.Payment(t.Context(), key)
			if err != nil || (p.Kept == nil) != (want == nil) || want != nil && string(p.Kept) != *want {
				t.Errorf("%s, %q: kept %q, %v", f.Account, key, p.Kept, err)
			}
		}
		if r, err := a.Verify(t.Context(), anchor); err != nil || r.Uncovered != nil {
			t.Errorf("%s: %+v, %v", f.Account, r, err)
		}
	}
	if names, err := s.Accounts(t.Context()); len(names) != len(all) || err != nil {
		t.Errorf("accounts %q, %v, want %d", names, err, len(all))
	}
}
