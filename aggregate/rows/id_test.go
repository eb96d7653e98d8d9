package rows

import (
	"crypto/aes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// The examples of RFC 4493, section 4, and of NIST SP 800-38B, D.3, for AES-256.
func TestCMACIsThatOfTheStandard(t *testing.T) {
	const message = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
	for _, c := range []struct {
		key  string
		n    int
		want string
	}{
		{"2b7e151628aed2a6abf7158809cf4f3c", 0, "bb1d6929e95937287fa37d129b756746"},
		{"2b7e151628aed2a6abf7158809cf4f3c", 16, "070a16b46b4d4144f79bdd9dd04a287c"},
		{"2b7e151628aed2a6abf7158809cf4f3c", 40, "dfa66747de9ae63030ca32611497c827"},
		{"2b7e151628aed2a6abf7158809cf4f3c", 64, "51f0bebf7e3b9d92fc49741779363cfe"},
		{"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", 0, "028962f61b7bf89efc6b551f4667d983"},
		{"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", 16, "28a7023f452e8f82bd4bf28d8c37c35c"},
		{"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", 40, "aaf3d8f1de5640c232f5b169b9c911e6"},
		{"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", 64, "e1992190549f6ed5696a2c056c315410"},
	} {
		key, err1 := hex.DecodeString(c.key)
		text, err2 := hex.DecodeString(message)
		block, err3 := aes.NewCipher(key)
		if err1 != nil || err2 != nil || err3 != nil {
			t.Fatal(err1, err2, err3)
		}
		mac := newCMAC(block)
		for range 2 { // it begins anew
			if got := mac.sum(text[:c.n]); hex.EncodeToString(got[:]) != c.want {
				t.Errorf("%d bytes: %x, want %s", c.n, got[:], c.want)
			}
		}
	}
}

// A visit has a unit whose name does not stay.
type visit struct {
	Who ID   `rows:"who"`
	At  Date `rows:"at"`
}

func TestIDsStandForNamesUnderOneSecret(t *testing.T) {
	const file = "who,at\nann,2026-01-31\n ann ,2026-02-01\nbob,2026-02-01\ne\u0301,2026-02-01\né,2026-02-02\n"
	secret := NewSecret()
	a, err1 := readAs[visit](t, file, Options{Secret: secret})
	b, err2 := readAs[visit](t, file, Options{Secret: secret})
	c, err3 := readAs[visit](t, file, Options{Secret: NewSecret()})
	if err1 != nil || err2 != nil || err3 != nil {
		t.Fatal(err1, err2, err3)
	}
	if a[0].Who != a[1].Who || a[0].Who == a[2].Who || a[3].Who != a[4].Who {
		t.Error("equal names have other IDs, or other names equal ones")
	}
	if a[0].Who != b[0].Who || a[2].Who != b[2].Who {
		t.Error("two sources with one secret disagree")
	}
	if a[0].Who == c[0].Who || a[2].Who == c[2].Who {
		t.Error("two secrets agree")
	}
}

func TestIDsAndSecretsPrintNothing(t *testing.T) {
	secret := NewSecret()
	id := secret.hasher()([]byte("ann"))
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%s", "%d", "%q"} {
		text := fmt.Sprintf(verb, id) + fmt.Sprintf(verb, secret) + fmt.Sprintf(verb, *secret) + fmt.Sprintf(verb, visit{Who: id})
		if strings.Count(text, "private") < 4 || strings.Contains(text, fmt.Sprint(id[0], " ", id[1])) {
			t.Errorf("%s prints %s", verb, text)
		}
	}
	if text, err := json.Marshal(visit{Who: id}); err == nil {
		t.Errorf("an ID is encoded as %s", text)
	}
}

func BenchmarkID(b *testing.B) {
	sum, name := NewSecret().hasher(), []byte("c0102495")
	for b.Loop() {
		sum(name)
	}
}
