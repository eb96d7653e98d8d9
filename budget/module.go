package budget

import (
	"runtime/debug"
	"sync"
)

const modulePath = "github.com/equipoise-dp/equipoise"

// moduleVersion returns the version of this module in the program that runs, for
// the record. Nothing is decided by it.
var moduleVersion = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == modulePath && m.Version != "" {
			return m.Version
		}
	}
	return "unknown"
})
