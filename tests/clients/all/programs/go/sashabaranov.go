package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	openai "github.com/sashabaranov/go-openai"
)

func sashabaranov() report {
	ctx := context.Background()
	client := func(key string) *openai.Client {
		config := openai.DefaultConfig(key)
		config.BaseURL = openaiURL
		return openai.NewClientWithConfig(config)
	}
	ask := func(change func(*openai.ChatCompletionRequest)) openai.ChatCompletionRequest {
		request := openai.ChatCompletionRequest{
			Model:               "sparrow",
			MaxCompletionTokens: 200,
			Messages:            []openai.ChatCompletionMessage{{Role: openai.ChatMessageRoleUser, Content: question}},
			TopP:                0.001, // the package leaves a temperature of 0 out
		}
		if change != nil {
			change(&request)
		}
		return request
	}
	create := func(key string, change func(*openai.ChatCompletionRequest)) (openai.ChatCompletionResponse, error) {
		return client(key).CreateChatCompletion(ctx, ask(change))
	}
	fails := func(key string, change func(*openai.ChatCompletionRequest)) string {
		_, err := create(key, change)
		return kind(err, func(e *openai.APIError) []any { return []any{e.HTTPStatusCode, e.Code} })
	}
	read := func(ctx context.Context, count int, change func(*openai.ChatCompletionRequest)) (pieces []string) {
		stream, err := client(openaiKey).CreateChatCompletionStream(ctx, ask(change))
		must(err)
		defer func() { must(stream.Close()) }()
		for len(pieces) != count {
			event, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				break
			}
			must(err)
			if text := event.Choices[0].Delta.Content; text != "" {
				pieces = append(pieces, text)
			}
		}
		return pieces
	}
	answer, err := create(openaiKey, nil)
	must(err)
	schema, err := json.Marshal(place)
	must(err)
	structured, err := create(openaiKey, func(r *openai.ChatCompletionRequest) {
		r.ResponseFormat = &openai.ChatCompletionResponseFormat{
			Type:       openai.ChatCompletionResponseFormatTypeJSONSchema,
			JSONSchema: &openai.ChatCompletionResponseFormatJSONSchema{Name: "place", Schema: json.RawMessage(schema)},
		}
	})
	must(err)
	calling, err := create(openaiKey, func(r *openai.ChatCompletionRequest) {
		function := openai.FunctionDefinition{Name: "weather", Parameters: json.RawMessage(schema)}
		r.Tools = []openai.Tool{{Type: openai.ToolTypeFunction, Function: &function}}
		r.ToolChoice = openai.ToolChoice{Type: openai.ToolTypeFunction, Function: openai.ToolFunction{Name: "weather"}}
	})
	must(err)
	call := calling.Choices[0].Message.ToolCalls[0].Function
	cancelled, cancel := context.WithCancel(ctx)
	defer cancel()
	return report{
		"plain":         answer.Choices[0].Message.Content,
		"usage":         []int{answer.Usage.PromptTokens, answer.Usage.CompletionTokens},
		"stream":        read(ctx, -1, nil),
		"structured":    decoded(structured.Choices[0].Message.Content),
		"tool":          report{"name": call.Name, "args": decoded(call.Arguments)},
		"unknown model": fails(openaiKey, func(r *openai.ChatCompletionRequest) { r.Model = "swan" }),
		"bad key":       fails("wrong", nil),
		"too long":      fails(openaiKey, func(r *openai.ChatCompletionRequest) { r.Messages[0].Content = long }),
		// It has no field for ignore_eos; a text of this many letters does not end either.
		"left": len(read(cancelled, enough, func(r *openai.ChatCompletionRequest) { r.MaxCompletionTokens = 2000 })),
	}
}
