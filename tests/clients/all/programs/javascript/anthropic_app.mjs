// The @anthropic-ai/sdk npm package.
import Anthropic from '@anthropic-ai/sdk';
import { anthropic, enough, error, long, messages, pieces, show } from './report.mjs';

const client = new Anthropic({ ...anthropic, maxRetries: 0 });
const ask = { model: 'sparrow', max_tokens: 100, temperature: 0, messages };
const schema = { type: 'object', properties: { city: { type: 'string', enum: ['Rome', 'Oslo'] } }, required: ['city'], additionalProperties: false };
const letter = { type: 'object', properties: { text: { type: 'string', minLength: 1500 } }, required: ['text'], additionalProperties: false };
const calling = (name, input_schema) => ({ tools: [{ name, input_schema }], tool_choice: { type: 'tool', name } });

async function* deltas(stream) {
  for await (const event of stream) {
    if (event.type === 'content_block_delta') yield event.delta.text ?? event.delta.partial_json;
  }
}

const answer = await client.messages.create(ask);
const call = (await client.messages.create({ ...ask, ...calling('weather', schema) })).content.find((block) => block.type === 'tool_use');
const streaming = client.messages.stream(ask);
const stream = await pieces(deltas(streaming));
const endless = { ...ask, max_tokens: 2000, ...calling('write', letter), stream: true };
show({
  anthropic: {
    plain: answer.content[0].text,
    usage: [answer.usage.input_tokens, answer.usage.output_tokens],
    stream,
    'final message': (await streaming.finalMessage()).content[0].text,
    counted: (await client.messages.countTokens({ model: 'sparrow', messages })).input_tokens,
    tool: { name: call.name, args: call.input },
    'unknown model': await error(() => client.messages.create({ ...ask, model: 'swan' })),
    'bad key': await error(() => new Anthropic({ ...anthropic, apiKey: 'wrong', maxRetries: 0 }).messages.create(ask)),
    'too long': await error(() => client.messages.create({ ...ask, messages: [{ role: 'user', content: long }] })),
    'timed out': await error(() => client.messages.create({ ...endless, stream: false }, { timeout: 500 })),
    left: (await pieces(deltas(await client.messages.create(endless)), enough)).length,
  },
});
