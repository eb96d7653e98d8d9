package sealed

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hpke"
	"math/rand/v2"
	"strings"
	"testing"
)

func keyOf(t testing.TB, kem hpke.KEM) hpke.PrivateKey {
	t.Helper()
	key, err := kem.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func seal(t testing.TB, key hpke.PrivateKey, secret []byte, f Form, payload []byte) []byte {
	t.Helper()
	sealed, err := Seal(key.PublicKey(), secret, f, payload)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

var form = Form{Kind: "partial", Plan: strings.Repeat("ab", 32)}

// What is sealed is opened by the private key, whatever kind of key it is and however long
// the payload.
func TestWhatIsSealedIsOpened(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, kem := range []hpke.KEM{hpke.DHKEM(ecdh.X25519()), hpke.DHKEM(ecdh.P256()), hpke.MLKEM768X25519()} {
		key := keyOf(t, kem)
		for _, secret := range [][]byte{nil, []byte("secret")} {
			for _, n := range []int{0, 1, 100, least - 8, least - 7, 70_000} {
				payload := make([]byte, n)
				for i := range payload {
					payload[i] = byte(rng.Uint32())
				}
				sealed := seal(t, key, secret, form, payload)
				if bytes.Contains(sealed, payload[:min(n, 50)]) && n >= 50 {
					t.Fatal("the payload stands in what is sealed")
				}
				if got, err := Open(key, secret, form, sealed); err != nil || !bytes.Equal(got, payload) {
					t.Fatalf("of %d bytes %d were opened: %v", n, len(got), err)
				}
			}
		}
	}
}

// Nobody else opens it: another key, another secret or none, another plan, another kind; and
// each is told why as far as that is public.
func TestNobodyElseOpensIt(t *testing.T) {
	key, secret := keyOf(t, hpke.DHKEM(ecdh.X25519())), []byte("secret")
	open, closed := seal(t, key, nil, form, []byte("payload")), seal(t, key, secret, form, []byte("payload"))
	for name, test := range map[string]struct {
		key    hpke.PrivateKey
		secret []byte
		form   Form
		sealed []byte
		says   string
	}{
		"another key":              {keyOf(t, key.KEM()), nil, form, open, "cannot be opened"},
		"another key, with secret": {keyOf(t, key.KEM()), secret, form, closed, "cannot be opened"},
		"a key of another kind":    {keyOf(t, hpke.MLKEM768X25519()), nil, form, open, "key of another kind"},
		"no key":                   {nil, nil, form, open, "private key is nil"},
		"another secret":           {key, []byte("other"), form, closed, "another secret"},
		"no secret":                {key, nil, form, closed, "with a secret"},
		"a secret not used":        {key, secret, form, open, "without a secret"},
		"another plan":             {key, nil, Form{form.Kind, "cd"}, open, "of another plan"},
		"another kind":             {key, nil, Form{"snapshot", form.Plan}, open, "no snapshot"},
		"nothing":                  {key, nil, form, nil, "not sealed by this library"},
		"something else":           {key, nil, form, []byte(strings.Repeat("{}", 1000)), "not sealed by this library"},
		"a later version":          {key, nil, form, append([]byte(magic+"\x03"), open[17:]...), "version 3"},
		"an earlier version":       {key, nil, form, append([]byte(magic+"\x01"), open[17:]...), "version 1, this library knows 2; seal it again"},
	} {
		got, err := Open(test.key, test.secret, test.form, test.sealed)
		if got != nil || err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := Seal(nil, nil, form, nil); err == nil {
		t.Error("sealed to nobody")
	}
}

// Every byte counts, and every byte must be there; and a header cannot be moved to another
// ciphertext.
func TestWhatWasChangedOrCutOffIsRefused(t *testing.T) {
	key := keyOf(t, hpke.DHKEM(ecdh.X25519()))
	for _, secret := range [][]byte{nil, []byte("secret")} {
		sealed := seal(t, key, secret, form, []byte("payload"))
		for i := 0; i < len(sealed); i += 1 + i/100 {
			sealed[i] ^= 1 << (i % 8)
			if _, err := Open(key, secret, form, sealed); err == nil {
				t.Fatalf("byte %d was changed", i)
			}
			sealed[i] ^= 1 << (i % 8)
		}
		for i := 0; i < len(sealed); i += 1 + i/50 {
			if _, err := Open(key, secret, form, sealed[:i]); err == nil {
				t.Fatalf("%d bytes of %d are opened", i, len(sealed))
			}
		}
		if _, err := Open(key, secret, form, append(sealed, 0)); err == nil {
			t.Error("a byte too many is opened")
		}
		other := form
		other.Plan = strings.Repeat("ba", 32)
		moved := append(other.header(key.KEM(), secret), sealed[len(form.header(key.KEM(), secret)):]...)
		if _, err := Open(key, secret, other, moved); err == nil {
			t.Error("a ciphertext is opened under another plan")
		}
	}
}

// The length is that of a power of two, whatever the payload in its reach.
func TestTheLengthTellsAPowerOfTwo(t *testing.T) {
	key := keyOf(t, hpke.DHKEM(ecdh.X25519()))
	length := func(n int) int { return len(seal(t, key, nil, form, make([]byte, n))) }
	if a, b := length(0), length(least-8); a != b {
		t.Errorf("nothing has %d bytes, %d have %d", a, least-8, b)
	}
	if a, b := length(least-7), length(2*least-8); a != b || a != length(0)+least {
		t.Errorf("%d bytes have %d, %d have %d", least-7, a, 2*least-8, b)
	}
}

// Two seals of one payload have nothing in common but the header, so nobody sees whether a
// part was made anew.
func TestTwoSealsOfOnePayloadDiffer(t *testing.T) {
	key := keyOf(t, hpke.DHKEM(ecdh.X25519()))
	a, b := seal(t, key, nil, form, []byte("payload")), seal(t, key, nil, form, []byte("payload"))
	n := len(form.header(key.KEM(), nil))
	if !bytes.Equal(a[:n], b[:n]) || bytes.Equal(a[n:n+32], b[n:n+32]) || bytes.Equal(a[n+32:], b[n+32:]) {
		t.Error("two seals of one payload are alike")
	}
}

// FuzzOpen: whatever the bytes are, they are opened or refused, and are no other payload's.
func FuzzOpen(f *testing.F) {
	key := keyOf(f, hpke.DHKEM(ecdh.X25519()))
	whole := seal(f, key, nil, form, []byte("payload"))
	f.Add(whole, false)
	f.Add(whole[:len(whole)/2], false)
	f.Add(form.header(key.KEM(), nil), false)
	f.Add(form.header(key.KEM(), []byte{}), true)
	f.Add([]byte(magic), true)
	f.Add([]byte(magic+"\x01\x00\x00\x20\xff\xff"), false)
	f.Fuzz(func(t *testing.T, sealed []byte, withSecret bool) {
		var secret []byte
		if withSecret {
			secret = []byte("secret")
		}
		if payload, err := Open(key, secret, form, sealed); (err == nil) != bytes.Equal(sealed, whole) || err == nil && string(payload) != "payload" {
			t.Errorf("opened %q, %v", payload, err)
		}
	})
}

// FuzzUnpad: no padded payload is read past its end.
func FuzzUnpad(f *testing.F) {
	f.Add(pad([]byte("payload")))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, padded []byte) {
		if payload, err := unpad(padded); err == nil && len(payload)+8 > len(padded) {
			t.Errorf("%d bytes of %d", len(payload), len(padded))
		}
	})
}
