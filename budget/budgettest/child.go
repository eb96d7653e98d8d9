package budgettest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/internal/tail"
	"github.com/equipoise-dp/equipoise/dp"
)

// A child process is told by its environment what to do.
const (
	envRole  = "BUDGETTEST_ROLE"
	envPlace = "BUDGETTEST_PLACE"
	envName  = "BUDGETTEST_NAME"

	roleSpend   = "spend"   // pay until refused
	roleSame    = "same"    // pay under the key that all have, keep a release
	roleForever = "forever" // pay until killed
)

func isChild() bool { return os.Getenv(envRole) != "" }

// runChild does what the parent wants, says on its output what came of it, and
// exits.
func runChild(d Durable) {
	if err := act(context.Background(), d); err != nil {
		say("error", err.Error())
		os.Exit(1)
	}
	os.Exit(0)
}

func act(ctx context.Context, d Durable) error {
	s, err := d.Open(ctx, os.Getenv(envPlace))
	if err != nil {
		return err
	}
	a, err := budget.Open(ctx, s, dataset)
	if err != nil {
		return err
	}
	say("ready", "")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil { // "go"
		return err
	}
	name := os.Getenv(envName)
	switch role := os.Getenv(envRole); role {
	case roleForever:
		tail.Longest = shortTail
		go refusedAgain(ctx, a, name)
		return spendAll(ctx, a, name)
	case roleSpend:
		return spendAll(ctx, a, name)
	case roleSame:
		return spendSame(ctx, a, name)
	default:
		return fmt.Errorf("budgettest: role is %q, which is not known", role)
	}
}

// spendAll pays from several goroutines until nothing is left. An unknown
// outcome is asked for again under the same key.
func spendAll(ctx context.Context, a *budget.Account, name string) error {
	errs := make(chan error)
	const callers = 3
	for i := range callers {
		go func() {
			for n := 0; ; n++ {
				key := fmt.Sprintf("%s caller %d number %d", name, i, n)
				p, err := a.Spend(ctx, charge(key))
				if err != nil {
					errs <- err
					return
				}
				say("paid", fmt.Sprintf("%s entry %d", key, p.Entry))
			}
		}()
	}
	for range callers {
		if err := <-errs; !refused(err) {
			return err
		}
	}
	return nil
}

// refusedAgain asks for what no account has, until the process ends.
func refusedAgain(ctx context.Context, a *budget.Account, name string) {
	for n := 0; ; n++ {
		c := charge(fmt.Sprintf("%s too much, number %d", name, n))
		c.Loss = dp.Pure{Epsilon: 1e9}
		c.Events[0].Epsilon.SetInt64(1e9)
		if _, err := a.Spend(ctx, c); !refused(err) {
			return
		}
	}
}

func spendSame(ctx context.Context, a *budget.Account, name string) error {
	p, err := a.Spend(ctx, charge("same"))
	if err != nil {
		return err
	}
	if p.Kept == nil {
		if p.Kept, err = a.Keep(ctx, charge("same"), []byte("release of "+name)); err != nil {
			return err
		}
	}
	say("kept", string(p.Kept))
	return nil
}

var saying sync.Mutex

// say writes one line in one call, so that a kill cannot split it unseen.
func say(what, more string) {
	saying.Lock()
	defer saying.Unlock()
	fmt.Fprintf(os.Stdout, "%s%s:%s\n", prefix, what, more)
}

// prefix tells what children say from what the testing package prints.
const prefix = "budgettest:"

// A child is a copy of the test binary that runs the same test.
type child struct {
	cmd    *exec.Cmd
	stdin  io.Writer
	stdout *bufio.Reader
	killed sync.Once
	died   bool // by kill
}

func (d Durable) start(t *testing.T, role, place, name string) *child {
	t.Helper()
	return startChild(t, d.test, role, place, name)
}

func startChild(t *testing.T, test, role, place, name string) *child {
	t.Helper()
	levels := strings.Split(test, "/")
	for i, name := range levels {
		levels[i] = "^" + regexp.QuoteMeta(name) + "$"
	}
	cmd := exec.Command(os.Args[0], "-test.run="+strings.Join(levels, "/"), "-test.count=1")
	cmd.Env = append(os.Environ(), envRole+"="+role, envPlace+"="+place, envName+"="+name)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: cmd, stdin: stdin, stdout: bufio.NewReader(stdout)}
	t.Cleanup(c.kill)
	return c
}

func (c *child) send(t *testing.T, line string) {
	t.Helper()
	if _, err := io.WriteString(c.stdin, line+"\n"); err != nil {
		t.Errorf("child process: %v", err)
	}
}

// kill ends the child with a signal that it cannot catch.
func (c *child) kill() {
	c.killed.Do(func() { c.died = c.cmd.Process.Kill() == nil })
}

// next returns what the child says next; false if it says no more. A line
// without an end is what a kill cut off.
func (c *child) next() (what, more string, ok bool) {
	for {
		line, err := c.stdout.ReadString('\n')
		if err != nil {
			return "", "", false
		}
		if line, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), prefix); ok {
			what, more, _ = strings.Cut(line, ":")
			return what, more, true
		}
	}
}

func (c *child) wait(t *testing.T, want string) {
	t.Helper()
	if what, more, ok := c.next(); !ok || what != want {
		t.Fatalf("child process says %q %q, want %q", what, more, want)
	}
}

// some returns the first n things of a kind that the child says.
func (c *child) some(t *testing.T, kind string, n int) (said []string) {
	t.Helper()
	for len(said) < n {
		what, more, ok := c.next()
		if !ok || what != kind {
			t.Fatalf("child process says %q %q, want %q", what, more, kind)
		}
		said = append(said, more)
	}
	return said
}

// rest returns all that the child says until its end, by kind.
func (c *child) rest(t *testing.T) map[string][]string {
	t.Helper()
	said := map[string][]string{}
	for {
		what, more, ok := c.next()
		if !ok {
			break
		}
		said[what] = append(said[what], more)
	}
	err := c.cmd.Wait()
	c.killed.Do(func() {}) // not any more; and what kill wrote is now seen
	if len(said["error"]) > 0 || err != nil && !c.died {
		t.Errorf("child process: %v: %q", err, said["error"])
	}
	return said
}
