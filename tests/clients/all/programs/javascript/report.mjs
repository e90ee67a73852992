// What the programs beside it share: the question, a schema of a structured answer, and errors as a line of text.
import { z } from 'zod';

export const question = 'What is Ray?';
export const long = 'What is Ray? '.repeat(900); // more than the model's 2048 tokens
export const messages = [{ role: 'user', content: question }];
export const openai = { baseURL: process.env.OPENAI_BASE_URL, apiKey: process.env.OPENAI_API_KEY };
export const anthropic = { baseURL: process.env.ANTHROPIC_BASE_URL, apiKey: process.env.ANTHROPIC_API_KEY };
export const place = z.object({ city: z.enum(['Rome', 'Oslo']) }).strict();
export const enough = 10; // pieces that are read of a stream before it is left

/** The class of what a call throws, with the status and the code that it carries. */
export async function error(call) {
  try {
    await call();
  } catch (caught) {
    const status = caught.status ?? caught.statusCode;
    const code = caught.code ?? caught.data?.error?.code;
    return [caught.constructor.name, status, code].filter((word) => word != null).join(' ');
  }
  return 'no error';
}

/** The pieces of text of a stream: all, or as many as are enough. */
export async function pieces(stream, count = Infinity) {
  const found = [];
  for await (const piece of stream) {
    if (piece) found.push(piece);
    if (found.length === count) break;
  }
  return found;
}

/** Prints API -> check -> what came of it. */
export function show(report) {
  process.stdout.write(JSON.stringify(report));
}
