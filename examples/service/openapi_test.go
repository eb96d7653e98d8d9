package main

import (
	"encoding/json"
	"mime"
	"net/http/httptest"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/budget"
)

// A client in another language asks everything that the description has, and finds every answer
// as it says.
func TestAClientInPythonFindsWhatIsDescribed(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("NOT TESTED: there is no python3, which is all that is needed")
	}
	b := start(t, budget.Memory(), t.TempDir())
	defer b.stop()
	for end := time.Now().Add(time.Minute); b.trend.Load() == nil; runtime.Gosched() { // the first night's work is shown from a tick on
		if time.Now().After(end) {
			t.Fatal("the first night's work is never done")
		}
		b.trend.Store(b.nextTrend.Load())
	}
	server := httptest.NewServer(b.handler)
	defer server.Close()
	out, err := exec.Command(python, "testdata/client.py", server.URL, b.demo[0], b.demo[1], b.demo[2]).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Logf("%s", out)
}

// An api is what the tests read of the description.
type api struct {
	Paths map[string]map[string]struct {
		RequestBody struct{ Content map[string]any }
		Responses   map[string]struct{ Content map[string]any }
	}
}

func described(t testing.TB) (a api) {
	t.Helper()
	if err := json.Unmarshal(openAPI, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// Every address is described, and everything that is described is there.
func TestEveryAddressIsDescribed(t *testing.T) {
	b := start(t, budget.Memory(), t.TempDir())
	defer b.stop()
	for path, methods := range described(t).Paths {
		for _, method := range []string{"GET", "PUT", "POST", "PATCH", "DELETE"} {
			w := b.ask(b.demo[0], method, strings.NewReplacer("{key}", "a", "{kind}", "budget").Replace(path), "")
			_, ok := methods[strings.ToLower(method)]
			if ok == (w.Code == 405) {
				t.Errorf("%s %s: described %v, status %d", method, path, ok, w.Code)
			}
		}
	}
}

// Whatever is sent to an address that is described, the answer is one that is described, and is
// no mistake of the service.
func FuzzRequests(f *testing.F) {
	a := described(f)
	type operation struct{ path, method string }
	var all []operation
	for path, methods := range a.Paths {
		for method := range methods {
			all = append(all, operation{path, method})
		}
	}
	slices.SortFunc(all, func(x, y operation) int { return strings.Compare(x.path+x.method, y.path+y.method) })
	for i := range all {
		for who := range 4 {
			f.Add(byte(i), byte(who), "k", "application/json", `{"question":"weekdays"}`, "")
			f.Add(byte(i), byte(who), "../x", "application/json", `{"purpose":"*","choice":"yes"}`, "1")
			f.Add(byte(i), byte(who), `"k"`, "application/x-www-form-urlencoded", "purpose=*&choice=no%", "0, 1")
		}
	}
	b := start(f, budget.Memory(), f.TempDir())
	f.Cleanup(b.stop)
	f.Fuzz(func(t *testing.T, operation, who byte, key, kind, body, signal string) {
		b.limits.mu.Lock()
		clear(b.limits.callers) // or soon there is nothing but 429
		b.limits.mu.Unlock()
		o := all[int(operation)%len(all)]
		r := httptest.NewRequest(strings.ToUpper(o.method), "/", strings.NewReader(body))
		r.URL.Path = strings.NewReplacer("{key}", key, "{kind}", key).Replace(o.path)
		r.Header.Set("Idempotency-Key", key)
		r.Header.Set("Content-Type", kind)
		r.Header.Set("Sec-GPC", signal)
		if int(who)%4 < 3 {
			r.Header.Set("Authorization", "Bearer "+b.demo[int(who)%4])
		}
		w := httptest.NewRecorder()
		began := time.Now()
		b.handler.ServeHTTP(w, r)
		if time.Since(began) > mostRequest {
			t.Errorf("it took %v", time.Since(began))
		}
		compare(t, a, o.path, o.method, w, key != "" && !strings.ContainsAny(key, "/"))
	})
}

// compare compares an answer with the description; of an address that a key has changed it only wants that
// the service has made no mistake.
func compare(t *testing.T, a api, path, method string, w *httptest.ResponseRecorder, same bool) {
	t.Helper()
	if w.Code >= 500 && w.Code != 503 {
		t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	if strings.Contains(path, "{") && (!same || w.Code == 301 || w.Code == 307 || w.Code == 404 || w.Code == 405) {
		return
	}
	d, ok := a.Paths[path][method].Responses[strconv.Itoa(w.Code)]
	if !ok {
		t.Fatalf("%s %s: %d is not described: %s", method, path, w.Code, w.Body)
	}
	media, _, _ := mime.ParseMediaType(w.Header().Get("Content-Type"))
	if _, ok := d.Content[media]; len(d.Content) > 0 && !ok {
		t.Fatalf("%s %s: %d has %q, which is not described", method, path, w.Code, media)
	}
}
