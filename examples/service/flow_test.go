package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The life of a service: it starts, is asked, refuses, honours a no, is stopped after an incident,
// tells the public, and is restored on another disk with every number as it was.
func TestTheWholeLifeOfAService(t *testing.T) {
	folder := t.TempDir()
	data, ledger, copied := rowsIn(t, folder), filepath.Join(folder, "service.db"), filepath.Join(folder, "restored.db")
	anchors, saved := filepath.Join(folder, "anchors"), filepath.Join(folder, "saved.jsonl")
	p := launch(t, data, "-ledger", ledger, "-anchors", anchors)
	asker, operator, person := p.tokens[0], p.tokens[1], p.tokens[2]

	for _, question := range []string{"months", "weekdays", "baskets"} {
		if status, answer := p.post("first-"+question, question); status != http.StatusAccepted {
			t.Fatalf("%d %s", status, answer)
		}
	}
	months := p.finished("first-months")
	p.finished("first-weekdays")
	p.finished("first-baskets")
	if !bytes.Equal(months, p.finished("first-months")) {
		t.Error("the same release differs")
	}
	if status, answer := p.post("first-months", "weekdays"); status != http.StatusConflict {
		t.Errorf("a key for two questions: %d %s", status, answer)
	}
	refused := 0
	for i := range 12 {
		if status, answer := p.post("more-"+string(rune('a'+i)), "months"); status == http.StatusForbidden && bytes.Contains(answer, []byte("/problems/budget")) {
			refused++
		}
	}
	if spent := p.spentOn("research"); refused != 4 || spent != "ε=2" {
		t.Errorf("%d were refused, %s is spent", refused, spent)
	}
	p.expect(http.StatusNoContent, person, "PUT", "/consent", `{"purpose":"*","choice":"no"}`, "Content-Type", "application/json")

	officer(t, "--ledger", ledger, "incident", "--freeze", "--reason", "a laptop was lost", "--by", "rao", "--noticed", "2026-01-02T10:00:00Z", "--out", filepath.Join(folder, "incident.html"))
	if answer := p.expect(http.StatusForbidden, asker, "POST", "/releases", `{"question":"months"}`, "Idempotency-Key", "later", "Content-Type", "application/json"); !bytes.Contains(answer, []byte("/problems/frozen")) {
		t.Errorf("%s", answer)
	}
	if answer := p.expect(http.StatusOK, operator, "GET", "/operator", ""); !bytes.Contains(answer, []byte("a laptop was lost")) {
		t.Errorf("operators are not told: %s", answer)
	}
	if answer := p.until("/statement", "a laptop was lost"); bytes.Contains(answer, []byte("first-months")) {
		t.Errorf("the statement: %s", answer)
	}
	for i := range 8 { // what was accepted before is finished all the same, or waits for the thaw
		if status, _ := p.send(asker, "GET", "/releases/more-"+string(rune('a'+i)), ""); status != http.StatusOK && status != http.StatusAccepted {
			t.Errorf("release %d: %d", i, status)
		}
	}
	officer(t, "--ledger", ledger, "thaw", "--reason", "it was encrypted", "--by", "rao")
	p.end()

	officer(t, "--ledger", ledger, "export", "--out", saved)
	officer(t, "--ledger", copied, "import", saved)
	copyFile(t, filepath.Join(folder, "service-choices.db"), filepath.Join(folder, "restored-choices.db"))
	q := launch(t, data, "-ledger", copied, "-anchors", anchors)
	if choices := q.expect(http.StatusOK, q.tokens[2], "GET", "/consent", ""); !bytes.Contains(choices, []byte(`{"purpose":"*","choice":"no"}`)) {
		t.Errorf("restored, who said no has said %s", choices)
	}
	if again := q.finished("first-months"); !bytes.Equal(again, months) {
		t.Errorf("restored, the release differs:\n%s\n%s", again, months)
	}
	for i := range 8 {
		q.finished("more-" + string(rune('a'+i)))
	}
	if spent := q.spentOn("research"); spent != "ε=2" {
		t.Errorf("restored, %s is spent", spent)
	}
	q.end()
	officer(t, "--ledger", copied, "verify")
	if text, err := os.ReadFile(anchors); err != nil || strings.Count(string(text), "\n") < 2 {
		t.Errorf("anchors %s, %v", text, err)
	}
	for _, token := range append(p.tokens, q.tokens...) {
		if strings.Contains(p.log.String()+q.log.String(), token) {
			t.Error("a token is in the log")
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
