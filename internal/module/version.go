// Package module knows the version of this library in the program that runs.
package module

import (
	"runtime/debug"
	"sync"
)

const path = "github.com/equipoise-dp/equipoise"

// Version returns the version of this module in the program that runs, for the record.
var Version = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == path && m.Version != "" {
			return m.Version
		}
	}
	return "unknown"
})
