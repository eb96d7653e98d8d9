package consent_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/aggregate/consent"
)

// lines are choices in every form that a source has.
var lines = [][3]string{
	{"1", "ads", "yes"}, {"2", "ads", "no"}, {"3", consent.Every, "no"}, {"4", "*", "no"}, {"4", "ads", "yes"},
	{"5", "ads", "yes"}, {"5", "ads", "no"}, {"6", "ads", "no"}, {"6", "ads", "yes"}, {"7", "research", "no"},
}

// wants says what each unit from 1 to 8 said about ads.
var wants = []aggregate.Choice{
	aggregate.Yes, aggregate.No, aggregate.No, aggregate.Yes, aggregate.No, aggregate.No, aggregate.Silent, aggregate.Silent,
}

var units = []int{1, 2, 3, 4, 5, 6, 7, 8}

func file(t *testing.T, text string) consent.File[int] {
	t.Helper()
	path := filepath.Join(t.TempDir(), "consent.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return consent.File[int]{Path: path, Text: strconv.Itoa}
}

func written() string {
	text := "unit,purpose,choice\n"
	for _, l := range lines {
		text += strings.Join(l[:], ",") + "\n"
	}
	return text
}

func table(t *testing.T, kind string) consent.Table[int] {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "consent.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := db.Exec("CREATE TABLE consent (customer " + kind + ", purpose TEXT, choice TEXT)"); err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		if _, err := db.Exec("INSERT INTO consent VALUES (?, ?, ?)", l[0], l[1], l[2]); err != nil {
			t.Fatal(err)
		}
	}
	return consent.Table[int]{DB: db, Name: "consent", Unit: "customer", Purpose: "purpose", Choice: "choice", Text: strconv.Itoa}
}

func TestSourcesSayTheSame(t *testing.T) {
	dollars := table(t, "TEXT")
	dollars.Dollar = true
	for name, source := range map[string]aggregate.ConsentSource[int]{
		"file": file(t, written()), "table of texts": table(t, "TEXT"), "table of integers": table(t, "INTEGER"), "parameters with numbers": dollars,
	} {
		got, err := source.Choices(t.Context(), "ads", units)
		if err != nil || !slices.Equal(got, wants) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, wants)
		}
	}
}

func TestATableIsAskedInParts(t *testing.T) {
	var many []int
	for u := range 1234 {
		many = append(many, u)
	}
	got, err := table(t, "INTEGER").Choices(t.Context(), "ads", many)
	if err != nil || len(got) != len(many) || !slices.Equal(got[1:9], wants) {
		t.Errorf("%d choices, %v", len(got), err)
	}
}

// The file is read anew.
func TestANoCountsFromTheNextQuestionOn(t *testing.T) {
	f := file(t, written())
	if err := os.WriteFile(f.Path, []byte(written()+"8,ads,no\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := f.Choices(t.Context(), "ads", []int{8}); err != nil || got[0] != aggregate.No {
		t.Errorf("%v, %v", got, err)
	}
}

func TestWhatIsNotUnderstoodIsAnError(t *testing.T) {
	gone := file(t, "")
	gone.Path += ".not"
	noText, closed, noTable, badName, badChoice := file(t, written()), table(t, "TEXT"), table(t, "TEXT"), table(t, "TEXT"), table(t, "TEXT")
	noText.Text = nil
	if err := closed.DB.Close(); err != nil {
		t.Fatal(err)
	}
	noTable.Name = "nothing"
	badName.Name, badName.Text = "consent; DROP TABLE consent", nil
	if _, err := badChoice.DB.Exec("UPDATE consent SET choice = 'perhaps'"); err != nil {
		t.Fatal(err)
	}
	for name, source := range map[string]aggregate.ConsentSource[int]{
		"no file": gone, "empty": file(t, ""), "no head": file(t, "1,ads,yes\n"), "another choice": file(t, written()+"9,ads,maybe\n"),
		"too few fields": file(t, written()+"9,ads\n"), "half a line": file(t, written()+"9,\"ads"), "no text": noText,
		"a blank before a unit": file(t, written()+" 9,ads,no\n"), "a blank after a purpose": file(t, written()+"9,ads ,no\n"), "a purpose in other case": file(t, written()+"9,Ads,no\n"), "a purpose with a blank": file(t, written()+"9,a ds,no\n"),
		"closed": closed, "no table": noTable, "a bad name": badName, "another choice in the table": badChoice, "no table at all": consent.Table[int]{},
	} {
		if got, err := source.Choices(t.Context(), "ads", units); err == nil || got != nil {
			t.Errorf("%s: %v", name, got)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, source := range []aggregate.ConsentSource[int]{file(t, written()), table(t, "TEXT")} {
		if _, err := source.Choices(ctx, "ads", units); err == nil {
			t.Errorf("%T answers who gave up", source)
		}
	}
}

// A database finds 7 for 007, and Ads for ads where the column says so: what was found is
// a no, and must not become silence.
func TestAChoiceInAnotherFormIsNotSilence(t *testing.T) {
	zeros := table(t, "INTEGER")
	zeros.Text = func(u int) string { return fmt.Sprintf("%03d", u) }
	letters := table(t, "TEXT")
	if _, err := letters.DB.Exec("CREATE TABLE loose (customer TEXT, purpose TEXT COLLATE NOCASE, choice TEXT)"); err != nil {
		t.Fatal(err)
	}
	if _, err := letters.DB.Exec("INSERT INTO loose VALUES ('2', 'Ads', 'no')"); err != nil {
		t.Fatal(err)
	}
	letters.Name = "loose"
	for name, source := range map[string]consent.Table[int]{"zeros": zeros, "letters": letters} {
		if got, err := source.Choices(t.Context(), "ads", []int{2}); err == nil || got != nil {
			t.Errorf("%s: a no is taken for choice %v", name, got)
		}
	}
}

// A no of a file in a form that was not asked for is an error and not silence, unless the unit has a line as
// it was asked for; that names no unit. Units that differ in case are others where that is said.
func TestANoOfAFileInAnotherFormIsNotSilence(t *testing.T) {
	for name, c := range map[string]struct {
		unit, line  string
		caseMatters bool
		silent      bool // the line is about somebody else
	}{
		"as asked for":          {"ann@x.org", "ann@x.org", false, false},
		"other case":            {"Ann@x.org", "ann@x.org", false, false},
		"other case, that says": {"Ann@x.org", "ann@x.org", true, true},
		"folded":                {"STRASSE", "straße", false, false},
		"accents apart":         {"é", "e\u0301", true, false},
		"compatible":            {"12", "１２", true, false},
		"blanks within":         {"ann b", "ann  b", true, false},
		"a blank of its own":    {"ann b", "ann\u00a0b", true, false},
		"what does not show":    {"ann", "a\u200bnn", true, false},
		"zeros":                 {"7", "007", true, false},
		"zeros asked for":       {"007", "7", true, false},
		"no zeros":              {"70", "7", true, true},
		"nothing but zeros":     {"0", "00", true, true},
		"zeros in a name":       {"a7", "a07", true, true},
		"another one":           {"ann", "bob", false, true},
	} {
		f := consent.File[string]{Path: file(t, "unit,purpose,choice\n"+c.line+",ads,no\n").Path, Text: func(u string) string { return u }, CaseMatters: c.caseMatters}
		got, err := f.Choices(t.Context(), "ads", []string{"someone", c.unit})
		switch {
		case c.silent && (err != nil || got[1] != aggregate.Silent):
			t.Errorf("%s: %v, %v, want silence", name, got, err)
		case !c.silent && c.unit == c.line && (err != nil || got[1] != aggregate.No):
			t.Errorf("%s: %v, %v, want a no", name, got, err)
		case !c.silent && c.unit != c.line && (err == nil || !strings.HasSuffix(err.Error(), "consent.csv: "+inAnotherForm)):
			t.Errorf("%s: %v, %v, want an error that names nobody", name, got, err)
		}
		both := f
		both.Path = file(t, "unit,purpose,choice\n"+c.line+",ads,no\n"+c.unit+",ads,yes\n").Path
		if got, err := both.Choices(t.Context(), "ads", []string{c.unit}); c.unit != c.line && (err != nil || got[0] != aggregate.Yes) {
			t.Errorf("%s, and it has a line: %v, %v", name, got, err)
		}
		about := f
		about.Path = file(t, "unit,purpose,choice\n"+c.line+",research,no\n").Path
		if got, err := about.Choices(t.Context(), "ads", []string{c.unit}); err != nil || got[0] != aggregate.Silent {
			t.Errorf("%s, about something else: %v, %v", name, got, err)
		}
	}
}

// A table finds a unit whose accents are apart, which would be lost otherwise.
func TestANoOfATableWithAccentsApartIsNotSilence(t *testing.T) {
	at := table(t, "TEXT")
	if _, err := at.DB.Exec("INSERT INTO consent VALUES ('e\u0301', 'ads', 'no'), ('\u00e4', '*', 'no')"); err != nil {
		t.Fatal(err)
	}
	of := consent.Table[string]{DB: at.DB, Name: at.Name, Unit: at.Unit, Purpose: at.Purpose, Choice: at.Choice, Text: func(u string) string { return u }}
	for unit, no := range map[string]bool{"\u00e9": false, "e\u0301": true, "\u00e4": true, "a\u0308": false} {
		got, err := of.Choices(t.Context(), "ads", []string{"1", unit})
		if no && (err != nil || got[1] != aggregate.No) || !no && err == nil {
			t.Errorf("%+q: %v, %v", unit, got, err)
		}
	}
}

func ExampleOptedOut() {
	handler := func(w http.ResponseWriter, r *http.Request) {
		if consent.OptedOut(r.Header) {
			fmt.Fprintln(w, "a no is recorded for whoever is signed in")
		}
	}
	for _, value := range []string{"1", "0", ""} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Sec-GPC", value)
		w := httptest.NewRecorder()
		handler(w, r)
		fmt.Printf("%q%s\n", value, strings.TrimRight(": "+w.Body.String(), ": \n"))
	}
	// Output:
	// "1": a no is recorded for whoever is signed in
	// "0"
	// ""
}

// A no that proxies repeat, or write in one line, is a no.
func TestASignalThatIsThereTwiceIsOne(t *testing.T) {
	for _, values := range [][]string{{"1", "1"}, {"1, 1"}, {" 1"}, {"0", "1"}} {
		if !consent.OptedOut(http.Header{"Sec-Gpc": values}) {
			t.Errorf("%q is no signal", values)
		}
	}
	for _, values := range [][]string{nil, {""}, {"0"}, {"11"}, {"true"}} {
		if consent.OptedOut(http.Header{"Sec-Gpc": values}) {
			t.Errorf("%q is a signal", values)
		}
	}
}

const inAnotherForm = "a unit is there in another form than was asked for, such as in other case, with other blanks, with accents apart, or as 7 for 007, and not in the one that was; let File.Text write units as the file does, or say that CaseMatters"
