package dptest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/core"
)

func TestNoNoiseLastsAsLongAsTheTest(t *testing.T) {
	noise, err := dp.Calibrate(dp.Pure{Epsilon: 1e-6}, dp.Sensitivity{L0: 1, LInf: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("without", func(t *testing.T) {
		NoNoise(t)
		for range 10 {
			if got := noise.Add(7).Value; got != 7 {
				t.Errorf("7 without noise is %d", got)
			}
		}
	})
	if core.Noiseless() {
		t.Error("there is no noise after the test")
	}
	for range 10 { // 7 ten times in a row has probability 1e-60
		if noise.Add(7).Value != 7 {
			return
		}
	}
	t.Error("there is no noise after the test")
}

func TestNoNoiseRefusesParallelTests(t *testing.T) {
	t.Run("parallel", func(t *testing.T) {
		t.Parallel()
		defer func() {
			if recover() == nil || core.Noiseless() {
				t.Error("NoNoise works in a parallel test")
			}
		}()
		NoNoise(t)
	})
}

// A program that is not a test panics, whatever it passes.
func TestNoNoisePanicsOutsideTests(t *testing.T) {
	program := filepath.Join(t.TempDir(), "main.go")
	const text = `package main

import (
	"testing"

	"github.com/equipoise-dp/equipoise/dp/dptest"
)

func main() { dptest.NoNoise(new(testing.T)) }
`
	if err := os.WriteFile(program, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "run", program).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "NoNoise is used in a binary that is not a test") {
		t.Errorf("a program without noise: %v\n%s", err, out)
	}
}
