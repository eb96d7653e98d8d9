package main

import (
	_ "embed"
	"net/http"
)

// openAPI describes every address. Tests ask the service by it: a client in Python, and a fuzz
// target that makes requests from it.
//
//go:embed openapi.json
var openAPI []byte

func description(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Write(openAPI) //nolint:errcheck // whoever reads it is gone
}
