// Programs as users of Go's packages for OpenAI's and Anthropic's APIs write them. Prints as JSON: package -> check ->
// what came of it; the environment says where the API is.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
)

const (
	question = "What is Ray?"
	enough   = 10 // pieces that are read of a stream before it is left
)

var (
	long      = strings.Repeat("What is Ray? ", 900) // more than the model's 2048 tokens
	openaiURL = os.Getenv("OPENAI_BASE_URL")
	openaiKey = os.Getenv("OPENAI_API_KEY")
	place     = map[string]any{
		"type":                 "object",
		"properties":           map[string]any{"city": map[string]any{"type": "string", "enum": []string{"Rome", "Oslo"}}},
		"required":             []string{"city"},
		"additionalProperties": false,
	}
)

type report map[string]any

// kind is the class of an error, with the status and the code that it carries.
func kind[E error](err error, words func(E) []any) string {
	if err == nil {
		return "no error"
	}
	var target E
	if !errors.As(err, &target) {
		return fmt.Sprintf("%T %v", err, err)
	}
	found := []string{fmt.Sprintf("%T", target)}
	for _, word := range words(target) {
		if word != nil && word != "" {
			found = append(found, fmt.Sprint(word))
		}
	}
	return strings.Join(found, " ")
}

// decoded is JSON that a model wrote.
func decoded(text string) map[string]any {
	found := map[string]any{}
	must(json.Unmarshal([]byte(text), &found))
	return found
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	found := map[string]report{"sashabaranov": sashabaranov(), "openai-go": openaiGo(), "anthropic-sdk-go": anthropicGo()}
	must(json.NewEncoder(os.Stdout).Encode(found))
}
