package budget

import (
	"encoding/json"
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
