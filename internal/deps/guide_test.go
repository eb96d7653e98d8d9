package deps

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Every block of numbers in the guide is what the example that it names prints.
func TestGuideShowsWhatItsExamplesPrint(t *testing.T) {
	guide, err := os.ReadFile("../../docs/guide.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("../../docs/guide_test.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)<!-- (Example_[a-z]+) -->\n```text\n(.*?)```").FindAllStringSubmatch(string(guide), -1)
	if n := strings.Count(string(guide), "```text"); n != len(blocks) || n == 0 {
		t.Fatalf("the guide has %d blocks of numbers, of which %d name an example", n, len(blocks))
	}
	for _, b := range blocks {
		_, body, ok := strings.Cut(string(source), "\nfunc "+b[1]+"() {\n")
		body, _, _ = strings.Cut(body, "\n}\n")
		_, output, ok2 := strings.Cut(body, "// Output:\n")
		if want := regexp.MustCompile(`(?m)^\t// ?`).ReplaceAllString(output, ""); !ok || !ok2 || strings.TrimSpace(want) != strings.TrimSpace(b[2]) {
			t.Errorf("the guide shows\n%sand %s prints\n%s", b[2], b[1], want)
		}
	}
}
