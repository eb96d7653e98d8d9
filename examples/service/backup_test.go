package main

import (
	"bytes"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A ledger that was restored from a backup older than the last anchor is not started with: what was spent since is not in it.
func TestAnOldBackupIsRefused(t *testing.T) {
	folder := t.TempDir()
	data, ledger, old, saved, anchors := rowsIn(t, folder), filepath.Join(folder, "service.db"), filepath.Join(folder, "old.db"), filepath.Join(folder, "saved.jsonl"), filepath.Join(folder, "anchors")
	p := launch(t, data, "-ledger", ledger)
	p.post("before", "weekdays")
	p.finished("before")
	officer(t, "--ledger", ledger, "export", "--out", saved)
	p.post("after", "weekdays")
	p.finished("after")
	p.end()
	p = launch(t, data, "-ledger", ledger, "-anchors", anchors)
	for end := time.Now().Add(time.Minute); ; p.finished("after") { // the first night's work writes an anchor
		if written, err := readAnchors(anchors); err == nil && len(written) > 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("no anchor is ever written")
		}
	}
	p.end()
	officer(t, "--ledger", old, "import", saved)
	out, err := exec.CommandContext(t.Context(), program(t, "service"), "-address", "127.0.0.1:0", "-data", data, "-ledger", old, "-anchors", anchors).CombinedOutput()
	if !errors.As(err, new(*exec.ExitError)) || !bytes.Contains(out, []byte("rolled back")) || strings.Contains(string(out), "http://") {
		t.Errorf("%v: %s", err, out)
	}
	launch(t, data, "-ledger", ledger, "-anchors", anchors).end() // and the one that has all is
}
