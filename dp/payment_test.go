package dp_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
)

func TestAPaymentIsReadBackWhole(t *testing.T) {
	at := time.Date(2026, 11, 25, 21, 0, 0, 0, time.UTC)
	for _, p := range []dp.Payment{
		{At: at},
		{Account: "visits", Entry: 1<<64 - 1, At: at, Hash: [32]byte{1, 0xfe}, Kept: []byte("about 41"), Repeated: true},
		{Account: "visits", At: at, Kept: []byte{}},
	} {
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var back dp.Payment
		if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, p) {
			t.Errorf("%s is read as %+v, %v, want %+v", text, back, err, p)
		}
	}
}

func TestWhatIsNoPaymentIsNotRead(t *testing.T) {
	text, err := json.Marshal(dp.Payment{Account: "visits", Hash: [32]byte{0xab}})
	if err != nil {
		t.Fatal(err)
	}
	for old, changed := range map[string]string{
		`"repeated"`: `"paid"`, `"hash":"ab`: `"hash":"AB`, `"hash":"ab0`: `"hash":"ab`, `"hash":"ab00`: `"hash":"abxy`, `"kept":null`: `"kept":"?"`, `}`: `}{}`,
	} {
		if !strings.Contains(string(text), old) {
			t.Fatalf("%s has no %s", text, old)
		}
		p := dp.Payment{Account: "before"}
		if err := p.UnmarshalJSON([]byte(strings.Replace(string(text), old, changed, 1))); err == nil || p.Account != "before" {
			t.Errorf("with %s for %s: %v, and %+v is read", changed, old, err, p)
		}
	}
}
