package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/internal/pgtest"
)

var long = flag.Bool("long", false, "send 10,000 requests, and kill the service 200 times")

func TestMain(m *testing.M) {
	code := m.Run()
	if err := pgtest.StopAll(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if programs != "" {
		os.RemoveAll(programs) //nolint:errcheck // a folder of the system for what is left behind
	}
	os.Exit(code)
}

// programs is where they are, if a test needed any.
var programs string

// built are the programs, built once.
var built = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "service-")
	if err != nil {
		return "", err
	}
	programs = folder
	out, err := exec.Command("go", "build", "-o", folder, ".", "../ledger").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return folder, nil
})

func program(t *testing.T, name string) string {
	t.Helper()
	folder, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(folder, name)
}

// A process is a running service.
type process struct {
	t       *testing.T
	cmd     *exec.Cmd
	address string
	tokens  []string // of whoever asks, an operator, a customer
	log     *bytes.Buffer
}

// launch starts the program and waits until it says where it is.
func launch(t *testing.T, data string, args ...string) *process {
	t.Helper()
	p := &process{t: t, log: &bytes.Buffer{}}
	p.cmd = exec.Command(program(t, "service"), append([]string{"-address", "127.0.0.1:0", "-tick", "1s", "-data", data}, args...)...)
	p.cmd.Stderr = p.log
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines, said := bufio.NewScanner(out), 3
	if slices.Contains(args, "-tokens") {
		said = 0
		p.tokens = make([]string, 3)
	}
	for (p.address == "" || len(p.tokens) < said) && lines.Scan() {
		if _, token, ok := strings.Cut(lines.Text(), ": "); ok {
			p.tokens = append(p.tokens, token)
		} else {
			p.address = lines.Text()
		}
	}
	if p.address == "" || len(p.tokens) < 3 {
		p.cmd.Wait() //nolint:errcheck // it is wrong anyway
		t.Fatalf("it did not start: %s", p.log)
	}
	t.Cleanup(func() { p.cmd.Process.Kill(); p.cmd.Wait() }) //nolint:errcheck // it may have ended
	return p
}

// end ends it as its operators would.
func (p *process) end() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Fatalf("it ended with %v: %s", err, p.log)
	}
}

// send sends a request; status 0 is that nobody answered.
func (p *process) send(token, method, path, body string, headers ...string) (status int, answer []byte) {
	r, err := http.NewRequest(method, strings.TrimSuffix(p.address, "/")+path, strings.NewReader(body))
	if err != nil {
		return 0, nil
	}
	r.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil
	}
	defer a.Body.Close()
	answer, err = io.ReadAll(a.Body)
	if err != nil {
		return 0, nil
	}
	return a.StatusCode, answer
}

func (p *process) post(key, question string) (int, []byte) {
	return p.send(p.tokens[0], "POST", "/releases", `{"question":"`+question+`"}`, "Idempotency-Key", key, "Content-Type", "application/json")
}

// finished waits until a release is there.
func (p *process) finished(key string) []byte {
	p.t.Helper()
	for every := time.NewTicker(200 * time.Millisecond); ; <-every.C {
		status, answer := p.send(p.tokens[0], "GET", "/releases/"+key, "")
		if status == http.StatusOK {
			return answer
		}
		if deadline, _ := p.t.Deadline(); status != http.StatusAccepted || time.Until(deadline) < 20*time.Second {
			p.t.Fatalf("release %s: %d %s\n%s", key, status, answer, p.log)
		}
	}
}

// until waits until a page that everybody may see has a text.
func (p *process) until(path, text string) []byte {
	p.t.Helper()
	for every := time.NewTicker(200 * time.Millisecond); ; <-every.C {
		answer := p.expect(http.StatusOK, "", "GET", path, "")
		if bytes.Contains(answer, []byte(text)) {
			return answer
		}
		if deadline, _ := p.t.Deadline(); time.Until(deadline) < 20*time.Second {
			p.t.Fatalf("%s has no %q: %s", path, text, answer)
		}
	}
}

// expect sends a request and wants a status.
func (p *process) expect(want int, token, method, path, body string, headers ...string) []byte {
	p.t.Helper()
	status, answer := p.send(token, method, path, body, headers...)
	if status != want {
		p.t.Fatalf("%s %s: %d, want %d: %s", method, path, status, want, answer)
	}
	return answer
}

// spentOn is what a purpose has spent, as /budget says it.
func (p *process) spentOn(purpose string) string {
	p.t.Helper()
	var b struct{ Purposes []share }
	if err := json.Unmarshal(p.expect(http.StatusOK, p.tokens[0], "GET", "/budget", ""), &b); err != nil {
		p.t.Fatal(err)
	}
	for _, s := range b.Purposes {
		if s.Purpose == purpose {
			return s.Spent
		}
	}
	return ""
}

// officer runs the command over the ledger.
func officer(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(program(t, "ledger"), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("ledger %v: %v: %s", args, err, out)
	}
	return string(out)
}
