package googledp

import (
	"errors"
	"fmt"

	"github.com/equipoise-dp/equipoise/dp"
)

// An optionError says which option cannot be vouched for, and why. Several are
// joined.
type optionError struct {
	option string // such as "CountOptions.Epsilon", or what follows from several
	value  string
	rule   string // what must hold, and what would not be true otherwise
	fix    string // what to do
}

// Error says it in one line.
func (e *optionError) Error() string {
	return fmt.Sprintf("googledp: %s is %s, %s; %s", e.option, e.value, e.rule, e.fix)
}

// A checker collects the mistakes of one options struct.
type checker struct {
	options string
	errs    []error
}

// must notes a mistake of a field unless ok, and returns ok.
func (c *checker) must(ok bool, field string, value any, rule, fix string) bool {
	return c.follows(ok, "."+field, value, rule, fix)
}

// follows is must for what follows from several fields.
func (c *checker) follows(ok bool, what string, value any, rule, fix string) bool {
	if !ok {
		c.errs = append(c.errs, &optionError{c.options + what, fmt.Sprint(value), rule, fix})
	}
	return ok
}

// events returns the events, or what was noted.
func (c *checker) events(e ...dp.Event) ([]dp.Event, error) {
	if c.errs != nil {
		return nil, errors.Join(c.errs...)
	}
	return e, nil
}
