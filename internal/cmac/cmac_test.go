package cmac

import (
	"encoding/hex"
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
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		mac := New(key)
		for range 2 { // it begins anew
			if got := mac.Sum(text[:c.n]); hex.EncodeToString(got[:]) != c.want {
				t.Errorf("%d bytes: %x, want %s", c.n, got[:], c.want)
			}
		}
	}
}

// Many hash at the same time, each with a CMAC of its own; none allocates.
func TestSumAllocatesNothing(t *testing.T) {
	mac, text := New(make([]byte, 32)), make([]byte, 40)
	if n := testing.AllocsPerRun(100, func() { mac.Sum(text) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAKeyOfAnotherLengthIsAnInternalError(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a key of 31 bytes is taken")
		}
	}()
	New(make([]byte, 31))
}

func BenchmarkSum(b *testing.B) {
	mac, text := New(make([]byte, 32)), make([]byte, 8)
	for b.Loop() {
		mac.Sum(text)
	}
}
