// The openai npm package: its helpers, and every way of leaving. The other uses are in tests/clients/programs.
import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { enough, error, long, messages, openai, pieces, place, show } from './report.mjs';

const client = new OpenAI({ ...openai, maxRetries: 0 });
const ask = { model: 'sparrow', temperature: 0, max_completion_tokens: 200, messages };
const endless = { ...ask, max_completion_tokens: 2000, ignore_eos: true, stream: true };
const completions = client.chat.completions;

async function* texts(stream) {
  for await (const chunk of stream) yield chunk.choices[0]?.delta.content;
}

const answer = await completions.create(ask);
const structured = await completions.parse({ ...ask, response_format: zodResponseFormat(place, 'place') });
const tools = [
  {
    type: 'function',
    function: {
      name: 'weather',
      description: 'Says what the weather is like.',
      parameters: { type: 'object', properties: { city: { type: 'string', enum: ['Rome', 'Oslo'] } }, required: ['city'], additionalProperties: false },
      parse: JSON.parse,
      function: ({ city }) => `rain in ${city}`,
    },
  },
];
const runner = completions.runTools({ ...ask, tools, tool_choice: { type: 'function', function: { name: 'weather' } } }, { maxChatCompletions: 1 });
await runner.done();
const call = runner.messages.at(-2).tool_calls[0].function;

const aborted = await completions.create(endless);
const left = await pieces(texts(aborted), enough);
const controller = new AbortController();
const aborting = error(() => completions.create({ ...endless, stream: false }, { signal: controller.signal }));
setTimeout(() => controller.abort(), 500);
const [one, other] = (await completions.create({ ...ask, stream: true })).tee();
show({
  chat: {
    plain: answer.choices[0].message.content,
    usage: [answer.usage.prompt_tokens, answer.usage.completion_tokens],
    stream: await pieces(texts(one)),
    tee: (await pieces(texts(other))).join(''),
    structured: structured.choices[0].message.parsed,
    tool: { name: call.name, args: JSON.parse(call.arguments) },
    'unknown model': await error(() => completions.create({ ...ask, model: 'swan' })),
    'bad key': await error(() => client.withOptions({ apiKey: 'wrong' }).chat.completions.create(ask)),
    'too long': await error(() => completions.create({ ...ask, messages: [{ role: 'user', content: long }] })),
    'timed out': await error(() => completions.create({ ...endless, stream: false }, { timeout: 500 })),
    aborted: await aborting,
    left: left.length,
  },
});
