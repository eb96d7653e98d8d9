package consent

import "net/http"

// OptedOut reports whether a request carries Global Privacy Control, "Sec-GPC: 1": whoever
// sent it does not want their data shared or sold, and says so to every site. A service that
// counts that as an opt-out records a no for whoever is signed in. The header is absent, or
// 1, by the specification; any other value is no signal.
func OptedOut(h http.Header) bool {
	values := h.Values("Sec-GPC")
	return len(values) == 1 && values[0] == "1"
}
