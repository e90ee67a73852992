// LangChain.js over both of OpenAI's APIs.
import { ChatOpenAI } from '@langchain/openai';
import { tool } from '@langchain/core/tools';
import { enough, error, long, openai, pieces, place, question, show } from './report.mjs';

const weather = tool(({ city }) => `rain in ${city}`, {
  name: 'weather',
  description: 'Says what the weather is like.',
  schema: place,
});

async function* texts(stream) {
  for await (const chunk of stream) yield chunk.text;
}

async function report(useResponsesApi) {
  const model = (more = {}) => {
    const { apiKey, baseURL } = { ...openai, ...more };
    const settings = { model: 'sparrow', temperature: 0, maxTokens: 200, maxRetries: 0, useResponsesApi };
    return new ChatOpenAI({ ...settings, ...more, apiKey, configuration: { baseURL } });
  };
  const answer = await model().invoke(question);
  const call = (await model().bindTools([weather], { tool_choice: 'weather' }).invoke(question)).tool_calls[0];
  const aborting = new AbortController();
  const endless = model({ maxTokens: 2000, modelKwargs: { ignore_eos: true } });
  const left = await pieces(texts(await endless.stream(question, { signal: aborting.signal })), enough);
  aborting.abort();
  return {
    plain: answer.text,
    usage: [answer.usage_metadata.input_tokens, answer.usage_metadata.output_tokens],
    stream: await pieces(texts(await model().stream(question))),
    tool: { name: call.name, args: call.args },
    structured: await model().withStructuredOutput(place, { method: 'jsonSchema' }).invoke(question),
    'unknown model': await error(() => model({ model: 'swan' }).invoke(question)),
    'bad key': await error(() => model({ apiKey: 'wrong' }).invoke(question)),
    'too long': await error(() => model().invoke(long)),
    left: left.length,
  };
}

show({ chat: await report(false), responses: await report(true) });
