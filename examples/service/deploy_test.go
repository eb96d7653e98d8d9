package main

import (
	"debug/elf"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// What the container and the unit start the service with are flags that it has.
func TestTheContainerAndTheUnitStartTheService(t *testing.T) {
	container, unit := deployed(t, "Containerfile"), deployed(t, "service.service")
	var args []string
	if err := json.Unmarshal([]byte(line(t, container, "ENTRYPOINT (.*)")), &args); err != nil || args[0] != "/service" {
		t.Fatalf("%v, %v", args, err)
	}
	if _, err := parse(args[1:], io.Discard); err != nil {
		t.Errorf("the container: %v", err)
	}
	if _, err := parse(strings.Fields(line(t, unit, "ExecStart=/usr/local/bin/service (.*)")), io.Discard); err != nil {
		t.Errorf("the unit: %v", err)
	}
}

// The container has no system in it, so what its commands build must start without one.
func TestTheContainerHasAllThatItsProgramsNeed(t *testing.T) {
	if !*long || runtime.GOOS != "linux" {
		t.Skip("builds all packages anew; runs with -long, on Linux")
	}
	folder := t.TempDir()
	build := exec.CommandContext(t.Context(), "sh", "-c", strings.Replace(line(t, deployed(t, "Containerfile"), "RUN (CGO_ENABLED=0 .*)"), "/out/", folder, 1))
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, name := range []string{"service", "ledger"} {
		f, err := elf.Open(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		libraries, err := f.ImportedLibraries()
		if err != nil && !errors.Is(err, elf.ErrNoSymbols) || len(libraries) > 0 || f.Section(".interp") != nil {
			t.Errorf("%s needs %v, %v", name, libraries, err)
		}
		f.Close() //nolint:errcheck // it was only read
	}
}

func deployed(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// line is what a line of a file has in its parentheses.
func line(t *testing.T, text, pattern string) string {
	t.Helper()
	m := regexp.MustCompile("(?m)^" + pattern + "$").FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no line is %s", pattern)
	}
	return m[1]
}
