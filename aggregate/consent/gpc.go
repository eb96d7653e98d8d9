package consent

import (
	"net/http"
	"slices"
	"strings"
)

// OptedOut reports whether a request carries Global Privacy Control, "Sec-GPC: 1": whoever
// sent it does not want their data shared or sold, and says so to every site. A service that
// counts that as an opt-out records a no for whoever is signed in. The header is absent, or
// 1, by the specification; any other value is no signal. Where it is there more than once, as
// proxies may leave it, one 1 is enough.
func OptedOut(h http.Header) bool {
	values := strings.Split(strings.Join(h.Values("Sec-GPC"), ","), ",")
	return slices.ContainsFunc(values, func(v string) bool { return strings.TrimSpace(v) == "1" })
}
