package postgres

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// retryable says itself whether anything was sent.
type retryable bool

func (r retryable) Error() string     { return "broken" }
func (r retryable) SafeToRetry() bool { return bool(r) }

// Each way of knowing that nothing was sent is enough by itself, and nothing else is.
func TestWhatWasNeverSentIsKnown(t *testing.T) {
	other := errors.New("the connection broke")
	for _, c := range []struct {
		name string
		err  error
		want bool
	}{
		{"no connection in the pool", errors.Join(other, unsentError{other}), true},
		{"no connection to the server", errors.Join(other, &pgconn.ConnectError{Config: &pgconn.Config{}}), true},
		{"the driver sent nothing", errors.Join(other, retryable(true)), true},
		{"the driver sent something", errors.Join(other, retryable(false)), false},
		{"nobody knows", other, false},
	} {
		if got := unsent(c.err); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
	if cause := errors.New("why"); !errors.Is(unsentError{cause}, cause) {
		t.Error("the cause is lost")
	}
}
