// Package jsontext writes texts into JSON that is appended field by field, where package
// encoding/json would take most of the time.
package jsontext

import "encoding/json"

// Append appends a text as json.Marshal writes it.
func Append(b []byte, text string) []byte {
	if Plain(text) {
		return append(append(append(b, '"'), text...), '"')
	}
	quoted, _ := json.Marshal(text) // a string always has one
	return append(b, quoted...)
}

// Field appends a name as it stands before a value, and a text, unless that is empty.
func Field(b []byte, name, text string) []byte {
	if text == "" {
		return b
	}
	return Append(append(b, name...), text)
}

// Plain says whether JSON has a text as it is, between quotes, whatever an encoder escapes.
func Plain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}
