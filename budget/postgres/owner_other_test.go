//go:build !unix

package postgres_test

import "os/exec"

func own(string) error { return nil }

func asOwner(*exec.Cmd) error { return nil }
