package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

func grants(all ...grant) *tokens {
	t := &tokens{}
	t.grants.Store(&all)
	return t
}

func bearing(header string) *http.Request {
	r, _ := http.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", header)
	return r
}

// A token of which one bit differs is another one, wherever the bit of its hash is.
func TestTokensAreComparedWhole(t *testing.T) {
	all, text := give(nil, grant{Name: "ann", Until: time.Now().Add(day)})
	if who, err := grants(all...).Who(bearing("Bearer " + text)); err != nil || who.Name != "ann" {
		t.Fatalf("%v, %v", who, err)
	}
	for i := range sha256.Size {
		hash, err := hex.DecodeString(all[0].SHA256)
		if err != nil {
			t.Fatal(err)
		}
		hash[i] ^= 1
		other := all[0]
		other.SHA256 = hex.EncodeToString(hash)
		if _, err := grants(other).Who(bearing("Bearer " + text)); !errors.Is(err, errNobody) {
			t.Errorf("byte %d is not compared: %v", i, err)
		}
	}
}

// A browser sends the token as the password, and the name that it sends is nobody's; who sends nothing is nobody.
func TestTokensAreThePasswordOfABrowser(t *testing.T) {
	empty := sha256.Sum256(nil)
	all, text := give([]grant{{Name: "nothing", SHA256: hex.EncodeToString(empty[:]), Until: time.Now().Add(day)}}, grant{Name: "ann", Until: time.Now().Add(day)})
	r := bearing("")
	r.SetBasicAuth("ben", text)
	if who, err := grants(all...).Who(r); err != nil || who.Name != "ann" {
		t.Errorf("%v, %v", who, err)
	}
	for _, header := range []string{"", "Digest " + text, text} {
		if who, err := grants(all...).Who(bearing(header)); !errors.Is(err, errNobody) {
			t.Errorf("%q is %v, %v", header, who, err)
		}
	}
	r.SetBasicAuth(text, "ben")
	if who, err := grants(all...).Who(r); !errors.Is(err, errNobody) {
		t.Errorf("the name of a user is %v, %v", who, err)
	}
}

// Time tells nothing of tokens: their hashes are compared in constant time, and none of them ends the search. No test that
// measures time says so for sure, so this one reads the function.
func TestTokensAreComparedInConstantTime(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "tokens.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	compares, loops := 0, 0
	ast.Inspect(file, func(n ast.Node) bool {
		f, ok := n.(*ast.FuncDecl)
		if ok && f.Name.Name != "Who" {
			return false
		}
		if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "ConstantTimeCompare" {
			compares++
		}
		loop, ok := n.(*ast.RangeStmt)
		if !ok {
			return true
		}
		loops++
		ast.Inspect(loop, func(n ast.Node) bool {
			switch n.(type) {
			case *ast.BranchStmt, *ast.ReturnStmt:
				t.Error("the search ends before all were compared")
			}
			return true
		})
		return true
	})
	if compares != 1 || loops != 1 {
		t.Errorf("tokens are compared in constant time at %d places in %d loops, want 1 and 1", compares, loops)
	}
}

// A token that is written to the file counts from the next tick on, and one that is taken away counts no more.
func TestTokensAreReadAtEveryTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, budget.Memory(), t.TempDir())
		defer b.stop()
		path := filepath.Join(t.TempDir(), "tokens.json")
		var out strings.Builder
		if err := newToken([]string{"-tokens", path, "-name", "ann"}, &out, &out); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Until(b.board.next()) + time.Second)
		synctest.Wait()
		b.tokens.path = path
		ann := strings.TrimSpace(out.String())
		want(t, b.ask(ann, "GET", "/budget", ""), http.StatusUnauthorized, "nobody")
		time.Sleep(b.board.every)
		synctest.Wait()
		want(t, b.ask(ann, "GET", "/budget", ""), http.StatusOK, "")
		if err := newToken([]string{"-tokens", path, "-name", "ann", "-leave", "0", "bob"}, &out, &out); err == nil {
			t.Error("what is no flag is taken")
		}
		time.Sleep(b.board.every)
		synctest.Wait()
		want(t, b.ask(ann, "GET", "/budget", ""), http.StatusOK, "")
		if err := newToken([]string{"-tokens", path, "-name", "ann", "-leave", "0"}, &out, &out); err != nil {
			t.Fatal(err)
		}
		time.Sleep(b.board.every)
		synctest.Wait()
		want(t, b.ask(ann, "GET", "/budget", ""), http.StatusUnauthorized, "nobody")
	})
}

// What others have asked is in no answer, nor how many of questions fit that one may not ask, and no answer is kept by
// whoever passes it on.
func TestTokensShowNothingOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, budget.Memory(), t.TempDir())
		defer b.stop()
		all, ben := give(*b.tokens.grants.Load(), grant{Name: "ben", Purposes: []string{trend}, Until: time.Now().Add(day)})
		b.tokens.grants.Store(&all)
		want(t, b.post(b.demo[0], "secret", "weekdays"), http.StatusAccepted, "")
		for range 2 { // just accepted, and finished
			for path, not := range map[string]string{"/releases": "secret", "/releases/secret": "weekdays", "/budget": "weekdays", "/questions": "weekdays"} {
				if w := b.ask(ben, "GET", path, ""); strings.Contains(w.Body.String(), not) && w.Code == http.StatusOK || w.Code == http.StatusAccepted || w.Header().Get("Cache-Control") != "no-store" {
					t.Errorf("%s: %d %v %s", path, w.Code, w.Header(), w.Body)
				}
			}
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		want(t, b.ask(b.demo[0], "GET", "/releases/secret", ""), http.StatusOK, "")
	})
}

// Who waits for 64 releases waits for one of them, and nobody else does.
func TestTokensHaveSoManyOpenReleases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, budget.Memory(), t.TempDir())
		defer b.stop()
		for i := range mostOpen - 1 {
			b.board.accept(dp.Charge{Key: fmt.Sprint("demo/", i)})
			b.board.accept(dp.Charge{Key: fmt.Sprint("ben/", i)})
		}
		want(t, b.post(b.demo[0], "a", "weekdays"), http.StatusAccepted, "")
		w := b.post(b.demo[0], "b", "weekdays")
		want(t, w, http.StatusTooManyRequests, "too-many")
		if w.Header().Get("Retry-After") == "" {
			t.Error("nobody says how long to wait")
		}
		want(t, b.post(b.demo[0], "a", "weekdays"), http.StatusAccepted, "")
	})
}
