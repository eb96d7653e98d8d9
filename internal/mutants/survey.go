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
// takes the processor.
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

	mu     sync.Mutex
	tests  []*test
	builds map[*pkg]*build
}

// survey runs every test that could reach the targets by itself, and notes the
// lines that it reaches.
func (h *hunt) survey(ctx context.Context, targets []*pkg, workers int) error {
	var paths []string
	for _, t := range targets {
		paths = append(paths, t.ImportPath)
	}
	for _, p := range h.module.testers(targets) {
		if h.without != nil && h.without.MatchString(p.ImportPath) {
			continue
		}
		if err := h.surveyPackage(ctx, p, strings.Join(paths, ","), workers); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// surveyPackage measures the tests of a package whose program has changed.
func (h *hunt) surveyPackage(ctx context.Context, p *pkg, targets string, workers int) error {
	program := filepath.Join(h.dir, strings.ReplaceAll(p.ImportPath, "/", "_")+".cover")
	if _, err := goCommand(ctx, h.module.dir, "test", "-c", "-vet=off", "-cover", "-coverpkg", targets, "-o", program, p.ImportPath); err != nil {
		return err
	}
	defer os.Remove(program)
	list := exec.CommandContext(ctx, program, "-test.list", "^(Test|Example|Fuzz)")
	list.Dir = p.Dir
	names, err := list.Output()
	if err != nil {
		return fmt.Errorf("listing the tests of %s: %w", p.ImportPath, err)
	}
	known := remember(program)
	var unknown []string
	for _, name := range strings.Fields(string(names)) {
		if _, ok := known[name]; !ok {
			unknown = append(unknown, name)
		}
	}
	if h.measure(ctx, p, program, unknown, workers, known); len(unknown) > 0 && ctx.Err() == nil {
		known.keep(program)
	}
	for name, r := range known {
		if r.Took < h.slowest && len(r.Lines) > 0 {
			h.tests = append(h.tests, r.test(p, name))
		}
	}
	return nil
}

// test returns a test that has been measured.
func (r reach) test(p *pkg, name string) *test {
	t := &test{pkg: p, name: name, took: r.Took, lines: make(map[string]map[int]bool)}
	for file, lines := range r.Lines {
		t.lines[file] = make(map[int]bool)
		for _, line := range lines {
			t.lines[file][line] = true
		}
	}
	return t
}

// measure runs tests, each by itself, and notes those that pass.
func (h *hunt) measure(ctx context.Context, p *pkg, program string, names []string, workers int, found memory) {
	work := make(chan string)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for name := range work {
				r, err := h.reach(ctx, p, program, name)
				if err != nil {
					h.say("%s of %s is left out: %v", name, p.ImportPath, err)
					continue
				}
				h.mu.Lock()
				found[name] = r
				h.mu.Unlock()
			}
		})
	}
	for _, name := range names {
		work <- name
	}
	close(work)
	group.Wait()
}

// reach runs one test.
func (h *hunt) reach(ctx context.Context, p *pkg, program, name string) (reach, error) {
	profile, err := os.CreateTemp(h.dir, "profile")
	if err != nil {
		return reach{}, err
	}
	profile.Close()
	defer os.Remove(profile.Name())
	ctx, cancel := context.WithTimeout(ctx, 4*h.slowest)
	defer cancel()
	c := exec.CommandContext(ctx, program, "-test.run", "^"+name+"$", "-test.coverprofile", profile.Name())
	c.Dir = p.Dir
	c.Env = append(os.Environ(), "GOCOVERDIR="+h.dir) // programs that a test runs complain without
	c.WaitDelay = time.Second
	if err := c.Run(); err != nil {
		return reach{}, err
	}
	lines, err := reached(profile.Name())
	return reach{c.ProcessState.UserTime() + c.ProcessState.SystemTime(), lines}, err
}

func (h *hunt) say(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	fmt.Fprintf(h.out, format+"\n", args...)
}

// reached reads a coverage profile: lines such as
// module/pkg/file.go:10.20,12.3 2 1.
func reached(profile string) (map[string][]int, error) {
	f, err := os.Open(profile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := make(map[string][]int)
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
		for line := from; line <= to; line++ {
			lines[file+".go"] = append(lines[file+".go"], line)
		}
	}
	return lines, nil
}
