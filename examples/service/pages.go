package main

import (
	"bytes"
	"embed"
	"html/template"
	"mime"
	"net/http"
	"strings"
)

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed pages/style.css
var styleSheet []byte

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"percent": func(part float64) int { return int(100*part + 0.5) },
	"join":    func(all []string) string { return strings.Join(all, ", ") },
}).ParseFS(pageFiles, "pages/*.html"))

// page writes a page, whole or not at all. It has no script.
func page(w http.ResponseWriter, status int, name string, data any) error {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name+".html", data); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(b.Bytes()) //nolint:errcheck // whoever reads it is gone
	return nil
}

// wantsPage says whether a browser asks: whoever names no HTML gets JSON.
func wantsPage(r *http.Request) bool {
	for _, some := range strings.Split(r.Header.Get("Accept"), ",") {
		if kind, _, err := mime.ParseMediaType(some); err == nil && kind == "text/html" {
			return true
		}
	}
	return false
}

func style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "max-age=3600")
	w.Write(styleSheet) //nolint:errcheck // whoever reads it is gone
}

func (s *service) home(w http.ResponseWriter, r *http.Request) {
	s.fail(w, r, page(w, http.StatusOK, "home", s.catalogue))
}

// explain says what a problem is and what to do.
func explain(w http.ResponseWriter, r *http.Request) {
	k, ok := kinds[r.PathValue("kind")]
	if !ok {
		no("missing", "").answer(w, r)
		return
	}
	if wantsPage(r) && page(w, http.StatusOK, "problem", no(r.PathValue("kind"), "")) == nil {
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write([]byte(k.title + "\n\n" + k.what + "\n")) //nolint:errcheck // whoever reads it is gone
}
