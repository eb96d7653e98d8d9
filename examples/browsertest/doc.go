// Package browsertest opens the reports of examples/trends in a real browser. It
// is a module of its own, so that nobody else needs a browser's protocol.
// It opens the pages of examples/service as well.
//
//	cd examples/browsertest
//	EQUIPOISE_REQUIRE_CHROMIUM=1 go test ./...
//
// With -shots FOLDER it keeps screenshots, and a PDF of what would be printed.
package browsertest
