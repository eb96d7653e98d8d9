package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/equipoise-dp/equipoise/internal/woven"
)

// A build is the test program of a package, made once.
type build struct {
	once sync.Once
	path string
	err  error

	mu    sync.Mutex
	sound map[*test]bool // whether a test passes where no mutant is switched on
}

// A program is a test program as one mutant.
type program struct {
	*build
	mutant int
}

// program returns the test program of a package as a mutant: the one that has
// all of them, or, for a mutant of a declaration, one of its own.
func (h *hunt) program(ctx context.Context, s site, n int, p *pkg, dir string) (program, error) {
	if !s.declared() {
		b := h.shared(p)
		b.once.Do(func() { b.err = h.test(ctx, h.overlay(), p, b.path) })
		return program{b, n}, b.err
	}
	b := &build{path: filepath.Join(dir, "test"), sound: make(map[*test]bool)}
	overlay, err := h.overlayOf(s, dir)
	if err != nil {
		return program{}, err
	}
	for _, t := range h.tests {
		b.sound[t] = true // it is the program as it was written, but for the mutant
	}
	return program{b, n}, h.test(ctx, overlay, p, b.path)
}

func (h *hunt) shared(p *pkg) *build {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.builds[p] == nil {
		if h.builds == nil {
			h.builds = make(map[*pkg]*build)
		}
		h.builds[p] = &build{path: filepath.Join(h.dir, strings.ReplaceAll(p.ImportPath, "/", "_")+".woven"), sound: make(map[*test]bool)}
	}
	return h.builds[p]
}

// test builds the tests of a package.
func (h *hunt) test(ctx context.Context, overlay string, p *pkg, to string) error {
	_, err := goCommand(ctx, h.module.dir, "test", "-c", "-vet=off", "-overlay", overlay, "-ldflags", "-s -w", "-o", to, p.ImportPath)
	return err
}

// overlayOf writes one mutant alone.
func (h *hunt) overlayOf(s site, dir string) (string, error) {
	original := h.module.path(s.file)
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
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, woven.WriteOverlay(overlay, map[string]string{original: changed})
}

// fateOf runs tests of one package until one fails. A failure counts if the same
// tests pass where no mutant is switched on: one that counts allocations may not,
// since functions that are long are not inlined.
func (p program) fateOf(ctx context.Context, batch []*test) fate {
	f := p.run(ctx, batch)
	if f == survived || ctx.Err() != nil {
		return f
	}
	sound := p.passing(ctx, batch)
	switch {
	case len(sound) == 0:
		return survived
	case len(sound) < len(batch):
		return p.run(ctx, sound)
	}
	return f
}

// passing returns those of the tests that pass where no mutant is switched on.
func (p program) passing(ctx context.Context, batch []*test) []*test {
	p.build.mu.Lock()
	defer p.build.mu.Unlock()
	written := program{p.build, 0}
	var unknown []*test
	for _, t := range batch {
		if _, ok := p.sound[t]; !ok {
			unknown = append(unknown, t)
		}
	}
	all := len(unknown) > 0 && written.run(ctx, unknown) == survived
	for _, t := range unknown {
		p.sound[t] = all || written.run(ctx, []*test{t}) == survived
	}
	return slices.DeleteFunc(slices.Clone(batch), func(t *test) bool { return !p.sound[t] })
}

// run runs tests as the mutant. What they may take is counted in time of the
// processor, since the machine may be busy.
func (p program) run(ctx context.Context, batch []*test) fate {
	var names []string
	patience := 10 * time.Second
	for _, t := range batch {
		names = append(names, t.name)
		patience += 5 * t.took
	}
	ctx, cancel := context.WithTimeout(ctx, 6*patience)
	defer cancel()
	c := exec.CommandContext(ctx, "sh", "-c", fmt.Sprintf(`ulimit -t %d; exec "$0" "$@"`, int(patience.Seconds())),
		p.path, "-test.failfast", "-test.run", "^("+strings.Join(names, "|")+")$")
	c.Dir = batch[0].pkg.Dir
	c.Env = append(os.Environ(), fmt.Sprintf("%s=%d", woven.Switch, p.mutant))
	c.WaitDelay = time.Second
	out, err := c.CombinedOutput()
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded) || bytes.Contains(out, []byte("SIGXCPU")):
		return hung
	case err != nil:
		return killed
	}
	return survived
}
