package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/mod/sumdb/note"

	"github.com/equipoise-dp/equipoise/budget"
)

// An anchor that is signed proves who said it, so it can be kept by whoever does not trust
// the ledger. Public keys stand in a file that is kept elsewhere too: each holds from one
// entry of the ledger on, and was signed by the key before it. So a key that is lost or
// stolen can be replaced, and signs nothing of later entries.

func signCommand() *command {
	return &command{
		name: "sign", short: "sign the anchor of the last entry, to be kept elsewhere, or make a key",
		long: `
--new makes a private key in a file, and adds its public half to the file of --keys,
from the next entry on. If there are keys already, --key must be the last of them: it
signs the new one. Without --new the anchor of the account is signed with --key, and
written as a note (golang.org/x/mod/sumdb/note); verify and check take it as --signed.`,
		flags: func(o *options, f *pflag.FlagSet) {
			f.StringVar(&o.signKey, "key", "", "the `file` of the private key that signs")
			f.StringVar(&o.newKey, "new", "", "make a private key in this `file`, which must not be there")
			f.StringVar(&o.keys, "keys", "", "the `file` of public keys")
			o.output(f)
		},
		run: runSign,
	}
}

// signed adds the flags of commands that verify a signed anchor.
func (o *options) signed(f *pflag.FlagSet) {
	f.StringVar(&o.signedFile, "signed", "", "a `file` with an anchor that sign wrote")
	f.StringVar(&o.keys, "keys", "", "the `file` of public keys that sign made, as it was kept elsewhere")
}

func runSign(ctx context.Context, e *env) error {
	return e.withAccount(ctx, func(a *budget.Account) error {
		anchor, err := a.Anchor(ctx)
		if err != nil {
			return err
		}
		if e.newKey != "" {
			return e.makeKey(anchor)
		}
		text, err := e.signText(anchorText(anchor))
		if err != nil {
			return err
		}
		return e.deliver(func(w io.Writer) error { _, err := w.Write(text); return err })
	})
}

const anchorTitle = "equipoise anchor 1\n"

func anchorText(x budget.Anchor) string { return anchorTitle + x.String() + "\n" }

// signText signs with the key of --key.
func (e *env) signText(text string) ([]byte, error) {
	if e.signKey == "" {
		return nil, usagef("sign: --key is missing; give the file of the private key that signs")
	}
	private, err := os.ReadFile(e.signKey)
	if err != nil {
		return nil, err
	}
	signer, err := note.NewSigner(strings.TrimSpace(string(private)))
	if err != nil {
		return nil, fmt.Errorf("%s is no private key: %w", e.signKey, err)
	}
	return note.Sign(&note.Note{Text: text}, signer)
}

// A publicKey holds for entries from one on.
type publicKey struct {
	Key    string `json:"key"`
	From   uint64 `json:"from"`
	Signed string `json:"signed,omitempty"` // by the key before it
}

// text is what the key before signs.
func (k publicKey) text(account string) string {
	return fmt.Sprintf("equipoise key 1\n%s\n%d\n%s\n", k.Key, k.From, account)
}

func (e *env) makeKey(anchor budget.Anchor) error {
	if e.keys == "" {
		return usagef("sign: --keys is missing; give the file of public keys")
	}
	keys, err := readKeys(e.keys, anchor.Account)
	if errors.Is(err, os.ErrNotExist) {
		keys, err = nil, nil
	}
	if err != nil {
		return err
	}
	private, public, err := note.GenerateKey(rand.Reader, "equipoise")
	if err != nil {
		return err
	}
	k := publicKey{Key: public}
	if len(keys) > 0 {
		k.From = anchor.Seq + 1
		text, err := e.signText(k.text(anchor.Account))
		if err != nil {
			return err
		}
		k.Signed = string(text)
	}
	keys = append(keys, k)
	if err := checkKeys(keys, anchor.Account); err != nil {
		return fmt.Errorf("--key is not the last of the keys: %w", err)
	}
	return e.writeKeys(private, keys)
}

func (e *env) writeKeys(private string, keys []publicKey) error {
	f, err := os.OpenFile(e.newKey, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err = fmt.Fprintln(f, private); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return err
	}
	text, err := json.MarshalIndent(keys, "", "  ")
	if err != nil {
		return err
	}
	if err := replaceFile(e.keys, append(text, '\n')); err != nil {
		return err
	}
	e.printf("made key %s, which holds from entry %d on\n", keys[len(keys)-1].Key, keys[len(keys)-1].From)
	return nil
}

func readKeys(path, account string) ([]publicKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var keys []publicKey
	if err := json.Unmarshal(text, &keys); err != nil {
		return nil, fmt.Errorf("%s is no file of public keys: %w", path, err)
	}
	return keys, checkKeys(keys, account)
}

// checkKeys returns an error unless each key was signed by the one before it, for later
// entries.
func checkKeys(keys []publicKey, account string) error {
	if len(keys) == 0 {
		return errors.New("there are no public keys")
	}
	for i, k := range keys[1:] {
		text, err := openedBy(k.Signed, keys[i].Key)
		if err != nil {
			return fmt.Errorf("public key %d was not signed by the one before it: %w", i+1, err)
		}
		if text != k.text(account) || k.From <= keys[i].From {
			return fmt.Errorf("public key %d is not what the one before it signed, or is of earlier entries", i+1)
		}
	}
	return nil
}

// openedBy returns the text of a note that one key signed.
func openedBy(signed, key string) (string, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return "", err
	}
	n, err := note.Open([]byte(signed), note.VerifierList(verifier))
	if err != nil {
		return "", err
	}
	return n.Text, nil
}

// openSigned returns the anchor of --signed, which the key that holds for its entry signed.
func (e *env) openSigned() (budget.Anchor, error) {
	if e.keys == "" {
		return budget.Anchor{}, usagef("--keys is missing; give the file of public keys, as it was kept elsewhere")
	}
	text, err := os.ReadFile(e.signedFile)
	if err != nil {
		return budget.Anchor{}, err
	}
	x, err := claimed(string(text))
	if err != nil {
		return x, err
	}
	keys, err := readKeys(e.keys, x.Account)
	if err != nil {
		return x, unverified{err}
	}
	holds := keys[0]
	for _, k := range keys {
		if k.From <= x.Seq {
			holds = k
		}
	}
	if got, err := openedBy(string(text), holds.Key); err != nil || got != anchorText(x) {
		return x, unverified{fmt.Errorf("%s is not signed by the key that holds from entry %d on: %w", e.signedFile, holds.From, err)}
	}
	return x, nil
}

// claimed reads the anchor of a note, before anybody knows who signed it.
func claimed(text string) (budget.Anchor, error) {
	rest, ok := strings.CutPrefix(text, anchorTitle)
	line, _, found := strings.Cut(rest, "\n")
	if !ok || !found {
		return budget.Anchor{}, errors.New("--signed is no anchor that sign wrote")
	}
	return budget.ParseAnchor(line)
}
