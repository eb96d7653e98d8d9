package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// A fate is what became of a mutant.
type fate int

const (
	broken    fate = iota // it does not compile, and does not count
	killed                // a test failed
	hung                  // a test took far too long
	survived              // the tests that reach it pass
	unreached             // no test reaches it
)

// A result is a mutant and its fate.
type result struct {
	site
	fate fate
	by   string // the package whose test killed it
}

// tryAll tries mutants until n of them compiled.
func (h *hunt) tryAll(ctx context.Context, sites []site, n, workers int) []result {
	var results []result
	var mu sync.Mutex
	next := 0
	take := func() (site, bool) {
		mu.Lock()
		defer mu.Unlock()
		if next == len(sites) || len(results) >= n || ctx.Err() != nil {
			return site{}, false
		}
		next++
		return sites[next-1], true
	}
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for s, ok := take(); ok; s, ok = take() {
				r := h.try(ctx, s, filepath.Join(h.dir, fmt.Sprint(w)))
				mu.Lock()
				if r.fate != broken && ctx.Err() == nil && len(results) < n {
					results = append(results, r)
					h.say("%d %s %s", len(results), r.fate, r.head())
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return results
}

// String returns the fate in a word.
func (f fate) String() string {
	return [...]string{"broken", "killed", "hung", "LIVED", "LIVED unreached"}[f]
}

func (r result) head() string {
	head, _, _ := strings.Cut(r.site.String(), "\n")
	if r.by != "" {
		head += " (" + r.by + ")"
	}
	return head
}

// try makes one mutant and runs the tests that reach it.
func (h *hunt) try(ctx context.Context, s site, dir string) result {
	overlay, err := h.overlay(s, dir)
	if err != nil {
		h.say("%v: %v", s, err)
		return result{site: s}
	}
	batches := h.batches(s)
	if len(batches) == 0 {
		if h.build(ctx, overlay, h.module.packages[s.pkg], filepath.Join(dir, "test")) != nil {
			return result{site: s}
		}
		return result{site: s, fate: unreached}
	}
	var built *pkg
	for _, b := range batches {
		if built != b[0].pkg {
			built = b[0].pkg
			if h.build(ctx, overlay, built, filepath.Join(dir, "test")) != nil {
				return result{site: s}
			}
		}
		if f := h.runBatch(ctx, filepath.Join(dir, "test"), b); f != survived {
			return result{site: s, fate: f, by: path.Base(built.ImportPath)}
		}
	}
	return result{site: s, fate: survived}
}

// overlay writes the mutated file, and the file that tells the go command of it.
func (h *hunt) overlay(s site, dir string) (string, error) {
	original := filepath.Join(h.module.dir, filepath.FromSlash(s.file))
	source, err := os.ReadFile(original)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	changed := filepath.Join(dir, "mutant.go")
	if err := os.WriteFile(changed, s.mutated(source), 0o600); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o600)
}

func (h *hunt) build(ctx context.Context, overlay string, p *pkg, to string) error {
	if len(p.TestGoFiles)+len(p.XTestGoFiles) == 0 {
		_, err := goCommand(ctx, h.module.dir, "build", "-overlay", overlay, p.ImportPath)
		return err
	}
	_, err := goCommand(ctx, h.module.dir, "test", "-c", "-overlay", overlay, "-ldflags", "-s -w", "-o", to, p.ImportPath)
	return err
}

// batches returns the tests that reach a mutant, as they are to run: those of the
// package itself first, quick ones together and before the others.
func (h *hunt) batches(s site) [][]*test {
	var reaching []*test
	for _, t := range h.tests {
		if t.reaches(s) {
			reaching = append(reaching, t)
		}
	}
	total := make(map[*pkg]time.Duration)
	for _, t := range reaching {
		total[t.pkg] += t.took
	}
	foreign := func(t *test) int {
		if t.pkg.ImportPath == s.pkg {
			return 0
		}
		return 1
	}
	slices.SortFunc(reaching, func(a, b *test) int {
		return cmp.Or(cmp.Compare(foreign(a), foreign(b)), cmp.Compare(total[a.pkg], total[b.pkg]),
			strings.Compare(a.pkg.ImportPath, b.pkg.ImportPath), cmp.Compare(a.took, b.took), strings.Compare(a.name, b.name))
	})
	var all [][]*test
	sum := time.Duration(0)
	for _, t := range reaching {
		last := len(all) - 1
		if last >= 0 && all[last][0].pkg == t.pkg && sum+t.took < 2*time.Second {
			all[last] = append(all[last], t)
			sum += t.took
			continue
		}
		all, sum = append(all, []*test{t}), t.took
	}
	return all
}

// reaches reports whether a test runs the line of a mutant, or, where that is no
// statement, anything of the package.
func (t *test) reaches(s site) bool {
	if !s.declared() {
		return t.lines[path.Join(s.pkg, path.Base(s.file))][s.line]
	}
	for file := range t.lines {
		if path.Dir(file) == s.pkg {
			return true
		}
	}
	return false
}

// runBatch runs tests of one package until one fails. If they take far too long,
// the machine may be busy: they get one more try, with much more patience.
func (h *hunt) runBatch(ctx context.Context, binary string, batch []*test) fate {
	patience := 20 * time.Second
	for _, t := range batch {
		patience += 5 * t.took
	}
	f := h.runTests(ctx, binary, batch, patience)
	if f == hung {
		f = h.runTests(ctx, binary, batch, 4*patience)
	}
	return f
}

func (h *hunt) runTests(ctx context.Context, binary string, batch []*test, patience time.Duration) fate {
	var names []string
	for _, t := range batch {
		names = append(names, t.name)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c := exec.CommandContext(ctx, binary, "-test.failfast", "-test.run", "^("+strings.Join(names, "|")+")$")
	c.Dir = batch[0].pkg.Dir
	c.WaitDelay = time.Second
	err := c.Run()
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return hung
	case err != nil:
		return killed
	}
	return survived
}
