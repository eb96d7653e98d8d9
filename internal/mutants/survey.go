package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A test is one top-level test of a package: what it reaches and how long it
// takes.
type test struct {
	pkg   *pkg
	name  string
	took  time.Duration
	lines map[string]map[int]bool // by file, from its import path on
}

// A hunt tries mutants.
type hunt struct {
	module  *module
	dir     string // for what is made on the way
	slowest time.Duration
	without *regexp.Regexp // or nil
	out     io.Writer

	mu    sync.Mutex
	tests []*test
}

// survey runs every test that could reach the targets by itself, and notes the
// lines that it reaches.
func (h *hunt) survey(ctx context.Context, targets []*pkg, workers int) error {
	var paths []string
	for _, t := range targets {
		paths = append(paths, t.ImportPath)
	}
	work := make(chan *test)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for t := range work {
				h.measure(ctx, t)
			}
		})
	}
	var err error
	for _, p := range h.module.testers(targets) {
		if h.without != nil && h.without.MatchString(p.ImportPath) {
			continue
		}
		if err = h.surveyPackage(ctx, p, strings.Join(paths, ","), work); err != nil {
			break
		}
	}
	close(work)
	group.Wait()
	return err
}

func (h *hunt) binary(p *pkg) string {
	return filepath.Join(h.dir, strings.ReplaceAll(p.ImportPath, "/", "_")+".cover")
}

func (h *hunt) surveyPackage(ctx context.Context, p *pkg, targets string, work chan<- *test) error {
	if _, err := goCommand(ctx, h.module.dir, "test", "-c", "-cover", "-coverpkg", targets, "-o", h.binary(p), p.ImportPath); err != nil {
		return err
	}
	list := exec.CommandContext(ctx, h.binary(p), "-test.list", "^(Test|Example|Fuzz)")
	list.Dir = p.Dir
	names, err := list.Output()
	if err != nil {
		return fmt.Errorf("listing the tests of %s: %w", p.ImportPath, err)
	}
	for _, name := range strings.Fields(string(names)) {
		work <- &test{pkg: p, name: name}
	}
	return nil
}

// measure runs a test. One that fails as things are is left out.
func (h *hunt) measure(ctx context.Context, t *test) {
	profile, err := os.CreateTemp(h.dir, "profile")
	if err != nil {
		return
	}
	profile.Close()
	defer os.Remove(profile.Name())
	ctx, cancel := context.WithTimeout(ctx, h.slowest)
	defer cancel()
	c := exec.CommandContext(ctx, h.binary(t.pkg), "-test.run", "^"+t.name+"$", "-test.coverprofile", profile.Name())
	c.Dir = t.pkg.Dir
	c.Env = append(os.Environ(), "GOCOVERDIR="+h.dir) // programs that a test runs complain without
	c.WaitDelay = time.Second
	start := time.Now()
	if err := c.Run(); err != nil {
		h.say("%s of %s is left out: %v", t.name, t.pkg.ImportPath, err)
		return
	}
	t.took = time.Since(start)
	if t.lines, err = reached(profile.Name()); err != nil || len(t.lines) == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tests = append(h.tests, t)
}

func (h *hunt) say(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	fmt.Fprintf(h.out, format+"\n", args...)
}

// reached reads a coverage profile: lines such as
// module/pkg/file.go:10.20,12.3 2 1.
func reached(profile string) (map[string]map[int]bool, error) {
	f, err := os.Open(profile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := make(map[string]map[int]bool)
	for s := bufio.NewScanner(f); s.Scan(); {
		file, rest, ok := strings.Cut(s.Text(), ".go:")
		fields := strings.FieldsFunc(rest, func(r rune) bool { return r == '.' || r == ',' || r == ' ' })
		if !ok || len(fields) != 6 || fields[5] == "0" {
			continue
		}
		from, err1 := strconv.Atoi(fields[0])
		to, err2 := strconv.Atoi(fields[2])
		if err1 != nil || err2 != nil {
			continue
		}
		if lines[file+".go"] == nil {
			lines[file+".go"] = make(map[int]bool)
		}
		for line := from; line <= to; line++ {
			lines[file+".go"][line] = true
		}
	}
	return lines, nil
}
