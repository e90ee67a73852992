// Vercel's AI SDK, by each of the providers that such a gateway can be named with.
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, Output, streamText, tool } from 'ai';
import { anthropic, enough, error, long, openai, pieces, place, question, show } from './report.mjs';

const v1 = { ...anthropic, baseURL: `${anthropic.baseURL}/v1` };
const providers = {
  compatible: (key) => createOpenAICompatible({ name: 'gateway', supportsStructuredOutputs: true, ...openai, ...key }),
  chat: (key) => createOpenAI({ ...openai, ...key }).chat,
  responses: (key) => createOpenAI({ ...openai, ...key }),
  anthropic: (key) => createAnthropic({ ...v1, ...key }),
};
const weather = tool({ description: 'Says what the weather is like.', inputSchema: place });
const calling = { tools: { weather }, toolChoice: { type: 'tool', toolName: 'weather' } };

async function report(name) {
  const provider = providers[name];
  const settings = { maxRetries: 0, temperature: 0, maxOutputTokens: 100 };
  const ask = (more = {}, model = 'sparrow', key = {}) =>
    generateText({ model: provider(key)(model), prompt: question, ...settings, ...more });
  const stream = (more = {}) => streamText({ model: provider({})('sparrow'), prompt: question, ...settings, ...more });

  const answer = await ask();
  const call = (await ask(calling)).toolCalls[0];
  const found = {
    plain: answer.text,
    usage: [answer.usage.inputTokens, answer.usage.outputTokens],
    stream: await pieces(stream().textStream),
    tool: { name: call.toolName, args: call.input },
    'unknown model': await error(() => ask({}, 'swan')),
    'bad key': await error(() => ask({}, 'sparrow', { apiKey: 'wrong' })),
    'too long': await error(() => ask({ prompt: long })),
  };
  if (name !== 'anthropic') found.structured = (await ask({ output: Output.object({ schema: place }) })).output;
  // The next turn: what was said goes along. Of the responses API it is by reference, unless store is off.
  const turns = [{ role: 'user', content: question }, ...answer.response.messages, { role: 'user', content: 'What is vLLM?' }];
  const next = { prompt: undefined, messages: turns, providerOptions: { openai: { store: false } } };
  found['second turn'] = (await ask(next)).text;

  const aborting = new AbortController();
  const endless = { maxOutputTokens: 2000, providerOptions: { gateway: { ignore_eos: true } } }; // of compatible alone
  const left = [];
  for await (const piece of stream({ ...endless, abortSignal: aborting.signal }).textStream) {
    left.push(piece);
    if (left.length === enough) {
      aborting.abort();
      break;
    }
  }
  found.left = left.length;
  return found;
}

const reports = {};
for (const name of Object.keys(providers)) reports[name] = await report(name);
show(reports);
