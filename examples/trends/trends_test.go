package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"database/sql"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/equipoise-dp/equipoise/examples/trends/data"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"trends":    main,
		"lock":      lock,
		"pack":      pack,
		"interrupt": interrupt,
	})
}

// TestScripts runs the program as a user does. A script that expects a mistake
// to be found also expects that nothing was written.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) < 15 {
		t.Fatalf("found %d scripts, expected at least 10 (%v)", len(scripts), err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status":   status,
			"nothing":  nothing,
			"longest":  longest,
			"embedded": embedded,
			"encode":   encode,
			"rows":     writeRows,
			"sums":     sums,
		},
		Condition: func(c string) (bool, error) {
			if c == "ulimit" {
				return runtime.GOOS == "linux" || runtime.GOOS == "darwin", nil
			}
			return false, fmt.Errorf("unknown condition %q", c)
		},
	})
}

// status runs "status 3 trends …" and checks the exit status.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status code command …")
	}
	code := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		code = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if code != args[0] {
		ts.Fatalf("exit status %s, must be %s", code, args[0])
	}
}

// nothing checks that no report, no ledger and no temporary file is there.
func nothing(ts *testscript.TestScript, neg bool, args []string) {
	for _, pattern := range []string{"*.html", "*.db", "*.db-*", ".trends-*", "out.csv", "out.json"} {
		found, err := filepath.Glob(ts.MkAbs(pattern))
		ts.Check(err)
		if len(found) > 0 {
			ts.Fatalf("%v was left behind", found)
		}
	}
}

// longest checks that no line of a file is wider than given.
func longest(ts *testscript.TestScript, neg bool, args []string) {
	most, err := strconv.Atoi(args[0])
	ts.Check(err)
	lines := bufio.NewScanner(strings.NewReader(ts.ReadFile(args[1])))
	for lines.Scan() {
		if n := len([]rune(lines.Text())); n > most {
			ts.Fatalf("a line has %d columns, must have at most %s: %s", n, args[0], lines.Text())
		}
	}
}

// embedded writes the embedded data to a file.
func embedded(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data.Purchases, 0o666))
}

// encode writes a file in another encoding: "encode utf-16-mark in.csv out.csv".
func encode(ts *testscript.TestScript, neg bool, args []string) {
	text := ts.ReadFile(args[1])
	encodings := map[string]encoding.Encoding{
		"utf-8-mark": unicode.UTF8BOM, "utf-16-mark": unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
		"utf-16": unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), "windows-1252": charmap.Windows1252,
	}
	out, err := encodings[args[0]].NewEncoder().String(text)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(out), 0o666))
}

// writeRows writes a file of purchases: "rows out.csv 200 20 0.45" has 200 customers
// with 20 purchases each of 0.45 in January 2025.
func writeRows(ts *testscript.TestScript, neg bool, args []string) {
	customers, err := strconv.Atoi(args[1])
	ts.Check(err)
	each, err := strconv.Atoi(args[2])
	ts.Check(err)
	var b strings.Builder
	b.WriteString("customer,date,amount\n")
	for c := range customers {
		for n := range each {
			fmt.Fprintf(&b, "u%d,2025-01-%02d,%s\n", c, n%31+1, args[3])
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o666))
}

// sums reports on a file at an ε at which noise is below every digit, and checks
// period, group, customers, purchases and revenue of one line: "sums in.csv
// '2025-01,,2,3,40' -zone UTC".
func sums(ts *testscript.TestScript, neg bool, args []string) {
	ledger, err := os.CreateTemp(ts.MkAbs("."), "sums-*.db")
	ts.Check(err)
	ts.Check(errors.Join(ledger.Close(), os.Remove(ledger.Name())))
	all := append([]string{"-input", args[0], "-out", "", "-csv", "out.csv", "-ledger", ledger.Name()}, strings.Fields(ts.Getenv("exact"))...)
	ts.Check(ts.Exec("trends", append(all, args[2:]...)...))
	table, err := csv.NewReader(strings.NewReader(ts.ReadFile("out.csv"))).ReadAll()
	ts.Check(err)
	var lines []string
	for _, l := range table[1:] {
		var b strings.Builder
		w := csv.NewWriter(&b)
		ts.Check(w.Write([]string{l[0], l[1], l[2], l[6], l[10]}))
		w.Flush()
		lines = append(lines, strings.TrimSpace(b.String()))
	}
	if !slices.Contains(lines, args[1]) {
		ts.Fatalf("no line is %s:\n%s", args[1], strings.Join(lines, "\n"))
	}
}

// lock runs a command while a ledger is locked: "lock trends.db trends …".
func lock() {
	db, err := sql.Open("sqlite", os.Args[1])
	if err == nil {
		db.SetMaxOpenConns(1)
		_, err = db.Exec("PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(9)
	}
	command := exec.Command(os.Args[2], os.Args[3:]...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	exit(command.Run())
}

// interrupt runs a command with rows without end for its input, and interrupts it
// when it has read more than any buffer holds.
func interrupt() {
	command := exec.Command(os.Args[1], os.Args[2:]...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	stdin, err := command.StdinPipe()
	if err == nil {
		err = command.Start()
	}
	if err == nil {
		_, err = io.WriteString(stdin, "customer,date\n"+strings.Repeat("u,2026-01-01\n", 1<<17))
	}
	if err == nil {
		err = command.Process.Signal(os.Interrupt)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(9)
	}
	exit(command.Wait())
}

// exit ends with the status of a command.
func exit(err error) {
	var status *exec.ExitError
	if errors.As(err, &status) {
		os.Exit(status.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(9)
	}
}

// pack compresses a file.
func pack() {
	content, err := os.ReadFile(os.Args[1])
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if err == nil {
		_, err = z.Write(content)
	}
	if err == nil {
		err = z.Close()
	}
	if err == nil {
		err = os.WriteFile(os.Args[1]+".gz", b.Bytes(), 0o666)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
