package main

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// A grant is what a token is for. The token itself is nowhere but with whom it was given
// to: it has 256 random bits, so its SHA-256 can be kept and tells nothing.
type grant struct {
	Name     string    `json:"name"`
	SHA256   string    `json:"sha256"`
	Purposes []string  `json:"purposes,omitempty"`
	Operator bool      `json:"operator,omitempty"`
	Person   string    `json:"person,omitempty"`
	Until    time.Time `json:"until"` // from when on it counts no more
}

// tokens is the identity of the example: bearer tokens, of which a file holds the hashes. A
// browser sends one as the password of any user name.
type tokens struct {
	path   string
	grants atomic.Pointer[[]grant]
}

// names are those that callers may have; none has a slash, which ends it in a request key.
var names = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// read reads the file anew, so that a token that was taken away is gone at the next tick.
func (t *tokens) read() error {
	if t.path == "" {
		return nil
	}
	text, err := os.ReadFile(t.path)
	if err != nil {
		return err
	}
	var all []grant
	if err := json.Unmarshal(text, &all); err != nil {
		return errors.New("the file of tokens is not the JSON that \"service token\" writes")
	}
	if err := checkGrants(all); err != nil {
		return err
	}
	t.grants.Store(&all)
	return nil
}

func checkGrants(all []grant) error {
	var errs []error
	for i, g := range all {
		hash, err := hex.DecodeString(g.SHA256)
		switch {
		case !names.MatchString(g.Name):
			errs = append(errs, fmt.Errorf("token %d: name must be lower case letters, digits, dots, dashes, 64 at most", i+1))
		case err != nil || len(hash) != sha256.Size:
			errs = append(errs, fmt.Errorf("token %d: sha256 must be 64 hexadecimal digits", i+1))
		case g.Until.IsZero():
			errs = append(errs, fmt.Errorf("token %d: until is missing; say when it ends", i+1))
		case g.Person != "" && (g.Operator || len(g.Purposes) > 0):
			errs = append(errs, fmt.Errorf("token %d: it is of a person in the data, who asks and operates nothing; make two tokens", i+1))
		}
	}
	return errors.Join(errs...)
}

// Who compares the token with all that there are, each in constant time and all of them
// always, so that time tells nothing.
func (t *tokens) Who(r *http.Request) (caller, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		_, token, ok = r.BasicAuth()
	}
	sum := sha256.Sum256([]byte(token))
	var found grant
	for _, g := range *t.grants.Load() {
		hash, _ := hex.DecodeString(g.SHA256)
		if subtle.ConstantTimeCompare(hash, sum[:]) == 1 {
			found = g
		}
	}
	if !ok || found.Name == "" || !time.Now().Before(found.Until) {
		return caller{}, errNobody
	}
	return caller{found.Name, found.Purposes, found.Operator, found.Person}, nil
}

// give adds a grant and returns its token.
func give(all []grant, g grant) ([]grant, string) {
	token := rand.Text() + rand.Text() // 130 bits each
	sum := sha256.Sum256([]byte(token))
	g.SHA256 = hex.EncodeToString(sum[:])
	return append(all, g), token
}

// newToken is the command "service token": it adds a token to a file and prints it, once.
func newToken(args []string, stdout, stderr io.Writer) error {
	f := flag.NewFlagSet("service token", flag.ContinueOnError)
	f.SetOutput(stderr)
	path := f.String("tokens", "tokens.json", "the `file` of tokens, which is made if it is not there")
	var g grant
	f.StringVar(&g.Name, "name", "", "`who` it is for, as the policy writes askers; a name may have two, while one replaces the other")
	purposes := f.String("purposes", "", "the `purposes` of questions that may be asked, such as research,trend")
	f.BoolVar(&g.Operator, "operator", false, "sees how the service is")
	f.StringVar(&g.Person, "person", "", "the `customer` who it is for, to say yes or no")
	leave := f.Int("leave", -1, "gives no token, and takes away those of the name but the last `so many`: 1 when one has replaced the other, 0 for somebody who leaves")
	days := f.Int("days", 90, "for how many `days` it counts")
	if err := f.Parse(args); err != nil {
		return err
	}
	if err := noMore(f); err != nil {
		return err
	}
	if *purposes != "" {
		g.Purposes = strings.Split(*purposes, ",")
	}
	g.Until = time.Now().Add(time.Duration(*days) * day).UTC().Truncate(time.Second)
	t := &tokens{path: *path}
	var none []grant
	t.grants.Store(&none)
	if err := t.read(); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if *leave >= 0 {
		return endTokens(*path, *t.grants.Load(), g.Name, *leave)
	}
	all, token := give(*t.grants.Load(), g)
	if err := checkGrants(all); err != nil {
		return err
	}
	if err := replace(*path, all); err != nil {
		return err
	}
	fmt.Fprintln(stdout, token)
	return nil
}

// endTokens takes away the tokens of a name but the last so many.
func endTokens(path string, all []grant, name string, leave int) error {
	kept := slices.Clone(all)
	slices.Reverse(kept)
	seen := 0
	kept = slices.DeleteFunc(kept, func(g grant) bool {
		if g.Name != name {
			return false
		}
		seen++
		return seen > leave
	})
	if seen == 0 {
		return fmt.Errorf("-name is %q, of whom there is no token; look at the file", name)
	}
	slices.Reverse(kept)
	return replace(path, kept)
}

// replace writes the file beside itself and renames it, so that it is never read in half.
func replace(path string, all []grant) error {
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".tokens-*") // for its owner alone
	if err != nil {
		return err
	}
	_, err1 := f.Write(append(text, '\n'))
	err2, err3 := f.Sync(), f.Close()
	if err := errors.Join(err1, err2, err3); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), path)
}

// forATry makes tokens that are gone when the program ends.
func (t *tokens) forATry() (said [3]string) {
	until := time.Now().Add(30 * day)
	all := []grant{}
	for i, g := range []grant{
		{Name: "demo", Purposes: []string{research, trend}, Until: until},
		{Name: "operator", Operator: true, Until: until},
		{Name: "customer-00042", Person: "00042", Until: until},
	} {
		all, said[i] = give(all, g)
	}
	t.grants.Store(&all)
	return said
}
