import type { Dispatcher } from 'undici';

import type { ApiError } from './errors.ts';
import { fromStatus, parseRetryAfter, type Status } from './errors.ts';

/** Of what an API server says of a refusal, the longest are the faults of an object, of which one line is kept. */
const mostBytes = 64 * 2 ** 10;
/** What refuses is in a hurry. A gateway that never ends its page would else hold up a watch, which nothing bounds once it has headers. */
const mostMs = 5_000;

/** The error that an answer other than success is; with what it says, where all of that comes within `timeoutMs`. */
export async function refusal(
  response: Dispatcher.ResponseData,
  path: string,
  timeoutMs: number,
): Promise<ApiError> {
  const retryAfter = parseRetryAfter(response.headers['retry-after']);
  const text = await textOf(response.body, Math.min(mostMs, timeoutMs));
  return fromStatus({ ...parseStatus(text), code: response.statusCode }, path, retryAfter);
}

/** Nothing where it breaks off, is too long or takes too long: which code it has is known. */
async function textOf(body: Dispatcher.ResponseData['body'], timeoutMs: number): Promise<string> {
  const late = setTimeout(() => body.destroy(), timeoutMs);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > mostBytes) return '';
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  } catch {
    return '';
  } finally {
    clearTimeout(late);
  }
}

/** A proxy or a server that starts up answers with something else than a Status, and its text tells nothing. */
function parseStatus(text: string): Status {
  try {
    const parsed = JSON.parse(text) as Status | null;
    return parsed?.kind === 'Status' ? parsed : {};
  } catch {
    return {};
  }
}
