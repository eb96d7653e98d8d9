package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// switchName is the variable of the environment that says which mutant a woven
// program is. Without it the program is the one that was written.
const switchName = "EQUIPOISE_MUTANT"

// A body is the block of the function around a mutant: where it begins, after
// its brace, and ends, before the other one; and what it returns, as written.
type body struct {
	start, end int
	results    string
	labels     bool // it has some, which a function may have once
}

// woven returns a file with all of the numbered mutants in it. Each function
// begins with a copy of its body for every mutant of it, taken where that mutant
// is the one that is switched on: so one build serves them all.
func woven(source []byte, mutants map[int]site) []byte {
	numbers := slices.SortedFunc(maps.Keys(mutants), func(a, b int) int {
		return cmp.Or(cmp.Compare(mutants[a].body.start, mutants[b].body.start), cmp.Compare(a, b))
	})
	var out []byte
	done := 0
	for _, n := range numbers {
		start := mutants[n].body.start
		out, done = append(out, source[done:start]...), start
		out = append(out, mutants[n].branch(n, source)...)
	}
	return append(out, source[done:]...)
}

// branch returns the statement that stands for a mutant at the start of its
// function. A body with labels becomes a function of its own; others do not, since
// what a function captures moves to the heap.
func (s site) branch(n int, source []byte) string {
	text := string(source[s.body.start:s.start]) + s.text + string(source[s.end:s.body.end])
	switch {
	case s.body.labels && s.body.results != "":
		text = fmt.Sprintf("return func() %s {%s}()", s.body.results, text)
	case s.body.labels:
		text = fmt.Sprintf("func() {%s}()\nreturn", text)
	case s.body.results == "":
		text += "\nreturn"
	}
	return fmt.Sprintf("\nif mutantOfAll == %d {\n%s\n}\n", n, text)
}

// weave writes all mutants but those of declarations, and the file that tells
// the go command of them.
func (h *hunt) weave(chosen []site) error {
	files := make(map[string]map[int]site)
	packages := make(map[string]string)
	for i, s := range chosen {
		if s.declared() {
			continue
		}
		if files[s.file] == nil {
			files[s.file] = make(map[int]site)
		}
		files[s.file][i+1] = s
		packages[path.Dir(s.file)] = s.name
	}
	replace := make(map[string]string)
	put := func(original string, text []byte) error {
		replace[original] = filepath.Join(h.dir, fmt.Sprintf("woven%d.go", len(replace)))
		return os.WriteFile(replace[original], text, 0o600)
	}
	for file, mutants := range files {
		original := h.module.path(file)
		source, err := os.ReadFile(original)
		if err != nil {
			return err
		}
		if err := put(original, woven(source, mutants)); err != nil {
			return err
		}
	}
	for dir, name := range packages {
		text := fmt.Sprintf("package %s\n\nimport (\n\"os\"\n\"strconv\"\n)\n\nvar mutantOfAll, _ = strconv.Atoi(os.Getenv(%q))\n", name, switchName)
		if err := put(h.module.path(path.Join(dir, "mutant_of_all.go")), []byte(text)); err != nil {
			return err
		}
	}
	return writeOverlay(h.overlay(), replace)
}

func (h *hunt) overlay() string { return filepath.Join(h.dir, "woven.json") }

func (m *module) path(file string) string { return filepath.Join(m.dir, filepath.FromSlash(file)) }

// writeOverlay writes what the go command reads: which files take the place of
// which.
func writeOverlay(to string, replace map[string]string) error {
	text, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}
