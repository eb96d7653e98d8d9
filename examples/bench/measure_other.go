//go:build !unix

package main

import (
	"context"
	"errors"
	"io"
)

func (*options) runCase(context.Context, io.Writer) error {
	return errors.New("the time of a process is measured on Unix only")
}
