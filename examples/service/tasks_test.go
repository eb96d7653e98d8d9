package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// task is the commands of one of the list's tasks.
var task = regexp.MustCompile("(?s)\n(\\d+)\\. \\*\\*.*?\n *```sh\n(.*?)\n *```\n")

// What docs/service.md tells newcomers to do works as it is written there, and each task takes less than two minutes.
func TestTheTenTasksOfTheGuide(t *testing.T) {
	for _, needed := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(needed); err != nil {
			t.Skipf("NOT TESTED: there is no %s, which the commands need", needed)
		}
	}
	text, err := os.ReadFile("../../docs/service.md")
	if err != nil {
		t.Fatal(err)
	}
	tasks := task.FindAllStringSubmatch(string(text), -1)
	script := "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n"
	for i, m := range tasks {
		if m[1] != fmt.Sprint(i+1) {
			t.Fatalf("task %s is the one of number %d", m[1], i+1)
		}
		script += "SECONDS=0\n" + m[2] + "\n[ $SECONDS -lt 120 ]\necho 'task " + m[1] + " is done'\n"
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-c", script)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if done := strings.Count(string(out), " is done\n"); err != nil || done != 10 || len(tasks) != 10 {
		t.Errorf("of %d tasks %d are done: %v\n%s", len(tasks), done, err, out)
	}
}
