package deps

import (
	"os"
	"strings"
	"testing"
)

// The Go code of the README is the package example of aggregate, which is
// compiled and run, and has at most 25 lines.
func TestReadmeCodeRuns(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("../../aggregate/example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, ok := strings.Cut(string(readme), "```go\n")
	shown, _, ok2 := strings.Cut(shown, "```\n")
	_, body, ok3 := strings.Cut(string(source), "\nfunc Example() {\n")
	body, _, ok4 := strings.Cut(body, "\t// Output:\n")
	if !ok || !ok2 || !ok3 || !ok4 {
		t.Fatal("the README has no Go code, or aggregate no Example with output")
	}
	var want strings.Builder
	for line := range strings.Lines(body) {
		want.WriteString(strings.TrimPrefix(line, "\t"))
	}
	if shown != want.String() {
		t.Errorf("the README shows\n%s\nand the Example is\n%s", shown, want.String())
	}
	_, prints, _ := strings.Cut(string(readme), "```text\n")
	prints, _, _ = strings.Cut(prints, "```\n")
	_, output, _ := strings.Cut(string(source), "\nfunc Example() {\n")
	_, output, _ = strings.Cut(output, "\t// Output:\n")
	output, _, _ = strings.Cut(output, "}\n")
	if prints == "" || prints != strings.ReplaceAll(output, "\t// ", "") {
		t.Errorf("the README says that it prints\n%s\nand it prints\n%s", prints, output)
	}
	if n := strings.Count(shown, "\n"); n > 25 {
		t.Errorf("the README's code has %d lines, must have at most 25", n)
	}
}
