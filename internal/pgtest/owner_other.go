//go:build !unix

package pgtest

import "os/exec"

// Own gives a folder to whom PostgreSQL runs as.
func Own(string) error { return nil }

// AsOwner makes a program run as that user.
func AsOwner(*exec.Cmd) error { return nil }
