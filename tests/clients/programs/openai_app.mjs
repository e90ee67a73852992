// A program as users of the openai npm package write it. Prints as JSON what came back; the environment says where the
// API is.
import OpenAI, { AuthenticationError, NotFoundError } from 'openai';

const client = new OpenAI({ maxRetries: 0 });
const question = [{ role: 'user', content: 'What is Ray?' }];
const ask = { model: 'sparrow', temperature: 0, max_completion_tokens: 200, messages: question };
const schema = {
  type: 'object',
  properties: { city: { type: 'string', enum: ['Rome', 'Oslo'] } },
  required: ['city'],
  additionalProperties: false,
};
const error = async (promise, kind) => {
  try {
    await promise;
  } catch (caught) {
    return { right: caught instanceof kind, status: caught.status, code: caught.code, id: Boolean(caught.requestID) };
  }
  return null;
};

const printed = {};
printed.chat = (await client.chat.completions.create(ask)).choices[0].message.content;

printed.stream = [];
const streaming = { ...ask, stream: true, stream_options: { include_usage: true } };
for await (const chunk of await client.chat.completions.create(streaming)) {
  if (chunk.choices[0]?.delta.content) printed.stream.push(chunk.choices[0].delta.content);
  if (chunk.usage) printed.usage = chunk.usage;
}

printed.longStream = [];
const endless = { ...ask, max_completion_tokens: 1000, ignore_eos: true, stream: true };
for await (const chunk of await client.chat.completions.create(endless)) {
  if (chunk.choices[0].delta.content) printed.longStream.push(chunk.choices[0].delta.content);
}

const tools = [{ type: 'function', function: { name: 'weather', parameters: schema } }];
const named = { type: 'function', function: { name: 'weather' } };
const call = (await client.chat.completions.create({ ...ask, tools, tool_choice: named })).choices[0].message.tool_calls[0];
printed.tool = { name: call.function.name, args: JSON.parse(call.function.arguments) };

const runner = client.chat.completions.stream({ ...ask, tools, tool_choice: named });
const streamed = (await runner.finalChatCompletion()).choices[0].message.tool_calls[0];
printed.toolStream = { name: streamed.function.name, args: JSON.parse(streamed.function.arguments) };

const response_format = { type: 'json_schema', json_schema: { name: 'place', strict: true, schema } };
const structured = await client.chat.completions.create({ ...ask, response_format });
printed.structured = JSON.parse(structured.choices[0].message.content);

const input = { model: 'sparrow', temperature: 0, input: 'What is Ray?' };
const response = await client.responses.create(input);
printed.response = response.output_text;
printed.retrieved = (await client.responses.retrieve(response.id)).output_text;
printed.responseStream = [];
for await (const event of await client.responses.create({ ...input, stream: true })) {
  if (event.type === 'response.output_text.delta') printed.responseStream.push(event.delta);
}

printed.longResponseStream = [];
const long = { ...input, max_output_tokens: 1000, ignore_eos: true, stream: true };
for await (const event of await client.responses.create(long)) {
  if (event.type === 'response.output_text.delta') printed.longResponseStream.push(event.delta);
}

const embeddings = await client.embeddings.create({ model: 'embedder', input: ['a bird', 'a plane'] });
printed.embeddings = embeddings.data.map((entry) => entry.embedding);
printed.models = [];
for await (const model of client.models.list()) printed.models.push(model.id);
printed.model = (await client.models.retrieve('sparrow')).id;

printed.unknown = await error(client.chat.completions.create({ ...ask, model: 'swan' }), NotFoundError);
printed.refused = await error(client.withOptions({ apiKey: 'wrong' }).chat.completions.create(ask), AuthenticationError);
process.stdout.write(JSON.stringify(printed));
