package main

import (
	"context"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"
)

func openaiGo() report {
	ctx := context.Background()
	client := openai.NewClient(option.WithBaseURL(openaiURL), option.WithAPIKey(openaiKey), option.WithMaxRetries(0))
	ask := func(change func(*openai.ChatCompletionNewParams)) openai.ChatCompletionNewParams {
		params := openai.ChatCompletionNewParams{
			Model:               "sparrow",
			Temperature:         openai.Float(0),
			MaxCompletionTokens: openai.Int(200),
			Messages:            []openai.ChatCompletionMessageParamUnion{openai.UserMessage(question)},
		}
		if change != nil {
			change(&params)
		}
		return params
	}
	fails := func(change func(*openai.ChatCompletionNewParams), options ...option.RequestOption) string {
		_, err := client.Chat.Completions.New(ctx, ask(change), options...)
		return kind(err, func(e *openai.Error) []any { return []any{e.StatusCode, e.Code} })
	}
	answer, err := client.Chat.Completions.New(ctx, ask(nil))
	must(err)
	response, err := client.Responses.New(ctx, responses.ResponseNewParams{
		Model:       "sparrow",
		Temperature: openai.Float(0),
		Input:       responses.ResponseNewParamsInputUnion{OfString: openai.String(question)},
	})
	must(err)

	stream := client.Chat.Completions.NewStreaming(ctx, ask(nil))
	pieces, whole := []string{}, openai.ChatCompletionAccumulator{}
	for stream.Next() {
		event := stream.Current()
		whole.AddChunk(event)
		if text := event.Choices[0].Delta.Content; text != "" {
			pieces = append(pieces, text)
		}
	}
	must(stream.Err())

	schema := shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: "place", Schema: place, Strict: openai.Bool(true)}
	structured, err := client.Chat.Completions.New(ctx, ask(func(p *openai.ChatCompletionNewParams) {
		p.ResponseFormat = openai.ChatCompletionNewParamsResponseFormatUnion{
			OfJSONSchema: &shared.ResponseFormatJSONSchemaParam{JSONSchema: schema},
		}
	}))
	must(err)
	calling, err := client.Chat.Completions.New(ctx, ask(func(p *openai.ChatCompletionNewParams) {
		p.Tools = []openai.ChatCompletionToolUnionParam{
			openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{Name: "weather", Parameters: place}),
		}
		named := openai.ChatCompletionNamedToolChoiceFunctionParam{Name: "weather"}
		p.ToolChoice = openai.ToolChoiceOptionFunctionToolChoice(named)
	}))
	must(err)
	call := calling.Choices[0].Message.ToolCalls[0].Function

	cancelled, cancel := context.WithCancel(ctx)
	many := ask(func(p *openai.ChatCompletionNewParams) { p.MaxCompletionTokens = openai.Int(2000) })
	endless := client.Chat.Completions.NewStreaming(cancelled, many, option.WithJSONSet("ignore_eos", true))
	left := 0
	for left < enough && endless.Next() {
		left++
	}
	cancel()
	must(endless.Close())
	return report{
		"plain":         answer.Choices[0].Message.Content,
		"response":      response.OutputText(),
		"usage":         []int64{answer.Usage.PromptTokens, answer.Usage.CompletionTokens},
		"stream":        pieces,
		"accumulated":   whole.Choices[0].Message.Content,
		"structured":    decoded(structured.Choices[0].Message.Content),
		"tool":          report{"name": call.Name, "args": decoded(call.Arguments)},
		"unknown model": fails(func(p *openai.ChatCompletionNewParams) { p.Model = "swan" }),
		"bad key":       fails(nil, option.WithAPIKey("wrong")),
		"too long": fails(func(p *openai.ChatCompletionNewParams) {
			p.Messages = []openai.ChatCompletionMessageParamUnion{openai.UserMessage(long)}
		}),
		"left": left,
	}
}
