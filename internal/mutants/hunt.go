package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A fate is what became of a mutant.
type fate int

const (
	killed    fate = iota // a test failed
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

// tryAll tries mutants, which compile.
func (h *hunt) tryAll(ctx context.Context, chosen []site, workers int) ([]result, error) {
	if err := h.weave(chosen); err != nil {
		return nil, err
	}
	results := make([]result, len(chosen))
	errs := make([]error, len(chosen))
	var next, done atomic.Int64
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(chosen) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				results[i], errs[i] = h.try(ctx, chosen[i], i+1, filepath.Join(h.dir, fmt.Sprint(w)))
				if ctx.Err() == nil && errs[i] == nil {
					h.say("%d %s %s", done.Add(1), results[i].fate, results[i].head())
				}
			}
		})
	}
	group.Wait()
	return results, errors.Join(append(errs, ctx.Err())...)
}

// String returns the fate in a word.
func (f fate) String() string {
	return [...]string{"killed", "hung", "LIVED", "LIVED unreached"}[f]
}

func (r result) head() string {
	head, _, _ := strings.Cut(r.site.String(), "\n")
	if r.by != "" {
		head += " (" + r.by + ")"
	}
	return head
}

// try runs the tests that reach a mutant until one fails.
func (h *hunt) try(ctx context.Context, s site, n int, dir string) (result, error) {
	batches := h.batches(s)
	if len(batches) == 0 {
		return result{site: s, fate: unreached}, nil
	}
	for _, b := range batches {
		program, err := h.program(ctx, s, n, b[0].pkg, dir)
		if err != nil {
			return result{site: s}, err
		}
		if f := program.fateOf(ctx, b); f != survived {
			return result{site: s, fate: f, by: path.Base(b[0].pkg.ImportPath)}, nil
		}
	}
	return result{site: s, fate: survived}, nil
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
		return t.lines[path.Join(s.pkg, path.Base(s.file))][s.reached]
	}
	for file := range t.lines {
		if path.Dir(file) == s.pkg {
			return true
		}
	}
	return false
}
