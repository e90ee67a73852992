package main

import (
	"context"
	"os"

	"github.com/anthropics/anthropic-sdk-go/v2"
	"github.com/anthropics/anthropic-sdk-go/v2/option"
)

func anthropicGo() report {
	ctx := context.Background()
	base := os.Getenv("ANTHROPIC_BASE_URL")
	client := anthropic.NewClient(option.WithBaseURL(base), option.WithAPIKey(openaiKey), option.WithMaxRetries(0))
	sure := option.WithJSONSet("temperature", 0) // the package has no field for it
	ask := func(change func(*anthropic.MessageNewParams)) anthropic.MessageNewParams {
		params := anthropic.MessageNewParams{
			Model:     "sparrow",
			MaxTokens: 100,
			Messages:  []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(question))},
		}
		if change != nil {
			change(&params)
		}
		return params
	}
	fails := func(change func(*anthropic.MessageNewParams), options ...option.RequestOption) string {
		_, err := client.Messages.New(ctx, ask(change), options...)
		return kind(err, func(e *anthropic.Error) []any { return []any{e.StatusCode} })
	}
	calling := func(name string, schema map[string]any) func(*anthropic.MessageNewParams) {
		return func(p *anthropic.MessageNewParams) {
			input := anthropic.ToolInputSchemaParam{
				Properties:  schema["properties"],
				Required:    schema["required"].([]string),
				ExtraFields: map[string]any{"additionalProperties": false},
			}
			p.Tools = []anthropic.ToolUnionParam{anthropic.ToolUnionParamOfTool(input, name)}
			p.ToolChoice = anthropic.ToolChoiceParamOfTool(name)
		}
	}
	answer, err := client.Messages.New(ctx, ask(nil), sure)
	must(err)
	stream := client.Messages.NewStreaming(ctx, ask(nil), sure)
	pieces, whole := []string{}, anthropic.Message{}
	for stream.Next() {
		event := stream.Current()
		must(whole.Accumulate(event))
		if text := event.Delta.Text; text != "" {
			pieces = append(pieces, text)
		}
	}
	must(stream.Err())
	called, err := client.Messages.New(ctx, ask(calling("weather", place)))
	must(err)
	tool := report{}
	for _, block := range called.Content {
		if block.Type == "tool_use" {
			tool = report{"name": block.Name, "args": decoded(string(block.Input))}
		}
	}
	counted, err := client.Messages.CountTokens(ctx, anthropic.MessageCountTokensParams{
		Model:    "sparrow",
		Messages: ask(nil).Messages,
	})
	must(err)

	cancelled, cancel := context.WithCancel(ctx)
	letter := map[string]any{
		"properties": map[string]any{"text": map[string]any{"type": "string", "minLength": 1500}},
		"required":   []string{"text"},
	}
	many := ask(calling("write", letter))
	many.MaxTokens = 2000
	endless := client.Messages.NewStreaming(cancelled, many)
	left := 0
	for left < enough && endless.Next() {
		left++
	}
	cancel()
	must(endless.Close())
	return report{
		"plain":         answer.Content[0].Text,
		"usage":         []int64{answer.Usage.InputTokens, answer.Usage.OutputTokens},
		"stream":        pieces,
		"accumulated":   whole.Content[0].Text,
		"counted":       counted.InputTokens,
		"tool":          tool,
		"unknown model": fails(func(p *anthropic.MessageNewParams) { p.Model = "swan" }),
		"bad key":       fails(nil, option.WithAPIKey("wrong")),
		"too long": fails(func(p *anthropic.MessageNewParams) {
			p.Messages = []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(long))}
		}),
		"left": left,
	}
}
