package main

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
)

// What a person says is what the next run is told, and a browser's signal is a no to everything.
func TestPeopleSayNoAndAreLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, budget.Memory(), t.TempDir())
		defer b.stop()
		me := b.demo[2]
		told := func(purpose string, want aggregate.Choice) {
			t.Helper()
			said, err := b.choices.source().Choices(t.Context(), purpose, []string{"00042", "00043"})
			if err != nil || said[0] != want || said[1] != aggregate.Silent {
				t.Fatalf("%s: %v, %v", purpose, said, err)
			}
		}
		put := func(body string, headers ...string) int {
			return b.ask(me, "PUT", "/consent", body, append(headers, "Content-Type", "application/json")...).Code
		}
		told(research, aggregate.Silent)
		if code := put(`{"purpose":"research","choice":"no"}`); code != http.StatusNoContent {
			t.Fatal(code)
		}
		told(research, aggregate.No)
		told(trend, aggregate.Silent)
		put(`{"purpose":"research","choice":"yes"}`)
		told(research, aggregate.Yes)
		want(t, b.ask(me, "GET", "/consent", "", "Sec-GPC", "1"), http.StatusOK, "")
		told(research, aggregate.No)
		told(trend, aggregate.No)
		if code := put(`{"purpose":"*","choice":"yes"}`, "Sec-GPC", "1"); code != http.StatusConflict {
			t.Errorf("a yes beside the signal: %d", code)
		}
		told(trend, aggregate.No)
		for _, body := range []string{`{"purpose":"ads","choice":"no"}`, `{"purpose":"*","choice":"maybe"}`, `{"purpose":"*"}`, `{`, `{} {}`, `{"person":"00043"}`} {
			if code := put(body); code != http.StatusBadRequest {
				t.Errorf("%s: %d", body, code)
			}
		}
		want(t, b.ask(me, "POST", "/consent", "purpose=*&choice=yes", "Content-Type", "application/x-www-form-urlencoded"), http.StatusSeeOther, "")
		told(trend, aggregate.Yes)
		want(t, b.ask(me, "POST", "/consent", "purpose=*&choice=no", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site"), http.StatusForbidden, "cross-origin")
		told(trend, aggregate.Yes)
	})
}

// One caller who asks without end is told to wait, and the others are answered.
func TestOneCallerDoesNotTakeTheServiceFromTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, budget.Memory(), t.TempDir())
		defer b.stop()
		for range mostAtOnce {
			want(t, b.ask(b.demo[0], "GET", "/questions", ""), http.StatusOK, "")
		}
		w := b.ask(b.demo[0], "GET", "/questions", "")
		want(t, w, http.StatusTooManyRequests, "too-many")
		if w.Header().Get("Retry-After") != "1" {
			t.Errorf("headers %v", w.Header())
		}
		want(t, b.ask(b.demo[1], "GET", "/questions", ""), http.StatusOK, "")
		time.Sleep(time.Second)
		want(t, b.ask(b.demo[0], "GET", "/questions", ""), http.StatusOK, "")
		body := `{"question":"` + strings.Repeat("x", mostBody) + `"}`
		want(t, b.ask(b.demo[0], "POST", "/releases", body, "Idempotency-Key", "a", "Content-Type", "application/json"), http.StatusRequestEntityTooLarge, "too-large")
	})
}
