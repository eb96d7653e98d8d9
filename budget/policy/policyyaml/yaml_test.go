package policyyaml_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/budget/policy"
	"github.com/equipoise-dp/equipoise/budget/policy/policyyaml"
)

func visits(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../testdata/visits.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What is read from YAML, and what is read from the JSON that it becomes, is one document.
func TestYAMLAndJSONOfOneMeaningHaveOneDigest(t *testing.T) {
	p, err := policyyaml.Parse([]byte(visits(t)))
	if err != nil {
		t.Fatal(err)
	}
	again, err := policy.Parse(p.JSON())
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := policyyaml.Parse(p.JSON()) // which is YAML too
	if err != nil {
		t.Fatal(err)
	}
	if p.Digest() != again.Digest() || p.Digest() != asYAML.Digest() {
		t.Errorf("digests differ:\n%s\n%s\n%s", p.JSON(), again.JSON(), asYAML.JSON())
	}
	other, err := policyyaml.Parse([]byte(strings.Replace(visits(t), "[ann, ben]", "[ann, bob]", 1)))
	if err != nil || other.Digest() == p.Digest() {
		t.Errorf("who may ask is not in the digest: %v", err)
	}
	if b := p.Purposes["opening hours"].Columns["stay"]; b.Upper.Num().Int64() != 24*3600*1e9 {
		t.Errorf("24h is %v ns", b.Upper)
	}
}

// YAML says things in ways that JSON has not; none of them gets through as something else.
func TestYAMLIsStrict(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"unknown field":     {"version: 1", "version: 1\nversoin: 2", "versoin is not a field that a policy has"},
		"twice":             {"version: 1", "version: 1\nversion: 2", "version is there twice"},
		"an anchor":         {"about: Visits", "about: &a Visits", "has an anchor or a tag"},
		"an alias":          {"[ann, ben]", "[&a ann, *a]", "refers to another place"},
		"a tag":             {"version: 1", "version: !!str 1", "has an anchor or a tag"},
		"octal":             {"at_least: 1000", "at_least: 0o1000", "write it in decimal"},
		"infinity":          {"at_least: 1000", "at_least: .inf", "write it in decimal"},
		"a second document": {"dataset: visits", "dataset: visits\n---\nx: 1", "a second YAML document"},
		"no YAML":           {"version: 1", "version: [", "is not YAML"},
		"nothing":           {visits(t), "", "is not YAML"},
		"a list":            {visits(t), "[1]", "the document is a list of 1, must be an object"},
		"yes for true":      {"unit_is_event: false", "unit_is_event: no", `unit_is_event is "no", must be true or false`},
	} {
		_, err := policyyaml.Parse([]byte(strings.Replace(visits(t), c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// Whatever the text, reading it ends in a document or an error.
func FuzzParse(f *testing.F) {
	text, err := os.ReadFile("../testdata/visits.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add("a: &x [*x]")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := policyyaml.Parse([]byte(text))
		if (p == nil) == (err == nil) {
			t.Errorf("%v and %v", p, err)
		}
		if p != nil {
			if _, err := policy.Parse(p.JSON()); err != nil {
				t.Errorf("what was read cannot be read again: %v", err)
			}
		}
	})
}

// The document may be written in YAML, and is kept as JSON, of which the digest is.
func ExampleParse() {
	text, err := os.ReadFile("../testdata/visits.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := policyyaml.Parse(text)
	if err != nil {
		fmt.Println(err)
		return
	}
	again, err := policy.Parse(p.JSON())
	fmt.Println(err, again.Digest() == p.Digest())
	_, err = policyyaml.Parse(append(text, "dataset: orders\n"...))
	fmt.Println(err)
	// Output:
	// <nil> true
	// policy: dataset is there twice; leave one
}
