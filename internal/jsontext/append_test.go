package jsontext_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/equipoise-dp/equipoise/internal/jsontext"
)

// Every byte, alone and between others, is written as the encoder writes it, and what is
// plain no encoder escapes.
func TestTextsAreWrittenAsTheEncoderWritesThem(t *testing.T) {
	texts := []string{"", "visits", "é", "\u2028", "\u2029", "日本", "\xff", "a\xc3"}
	for c := range 256 {
		texts = append(texts, string([]byte{byte(c)}), "a"+string([]byte{byte(c)})+"b")
	}
	plain := 0
	for _, text := range texts {
		want, err := json.Marshal(text)
		if got := jsontext.Append([]byte("x"), text); err != nil || string(got) != "x"+string(want) {
			t.Errorf("%q is written as %s, must be x%s (%v)", text, got, want, err)
		}
		if !jsontext.Plain(text) {
			continue
		}
		plain++
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(text); err != nil || b.String() != `"`+text+"\"\n" {
			t.Errorf("%q is plain and written as %s (%v)", text, b.String(), err)
		}
	}
	if want := 2 + 2*(0x7f-int(' ')-5); plain != want {
		t.Errorf("%d texts are plain, want %d", plain, want)
	}
}
