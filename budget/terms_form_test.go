package budget

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// What is no form of terms is an error, and not empty terms.
func TestTermsOfAnotherFormAreNotRead(t *testing.T) {
	for _, text := range []string{`[]`, `"visits"`, `{"dataset": 7}`, `{"limit": {"epsilon": "x"}}`} {
		var terms Terms
		if err := json.Unmarshal([]byte(text), &terms); err == nil {
			t.Errorf("%s is read as %+v", text, terms)
		}
	}
}

// A part that is none of the dataset is named.
func TestPartsThatAreNoneAreNamed(t *testing.T) {
	terms := testTerms(dp.Pure{Epsilon: 1})
	terms.Parts = map[string]dp.Loss{"": nil, "elsewhere/west": nil, terms.Dataset + "//west": nil}
	err := terms.Check()
	for _, want := range []string{`a part in Terms.Parts`, `Terms.Parts has "elsewhere/west"`, `Terms.Parts has "` + terms.Dataset + `//west"`, `such as "` + terms.Dataset + `/part"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %s", err, want)
		}
	}
}

// A status has every limit that is one, and those of each period and each analyst once something was spent there.
func TestAStatusHasTheLimitsThatThereAre(t *testing.T) {
	terms := testTerms(dp.Pure{Epsilon: 1})
	terms.Period, terms.Analyst = dp.Pure{Epsilon: 0.5}, dp.Pure{Epsilon: 0.5}
	terms.Purposes = map[string]dp.Loss{"research": dp.Pure{Epsilon: 0.5}}
	terms.Parts = map[string]dp.Loss{terms.Dataset + "/north": dp.Pure{Epsilon: 0.5}}
	s, err := newAccount(t, terms).Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range s.Parts {
		got = append(got, p.Scope+" "+p.Name)
	}
	if want := []string{"part visits/north", "purpose research"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
