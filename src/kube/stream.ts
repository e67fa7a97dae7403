import { fromNetwork, fromStatus, UnreadableStream } from './errors.ts';
import { Parts } from './parts.ts';
import type { KubeObject } from './resource.ts';

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject }
  | {
      readonly type: 'BOOKMARK';
      readonly resourceVersion: string;
      /** The last of the initial events went before: what was seen is the whole. */
      readonly initialEventsEnd: boolean;
    };

const newline = 0x0a;

/** Cuts chunks into lines. What a broken connection leaves over, the server sends again after the last version we keep. */
export class LineSplitter {
  readonly #line = new Parts('a line of the watch');

  push(chunk: Uint8Array): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      const line = this.#line.end(chunk.subarray(from, end));
      if (line.trim() !== '') lines.push(line);
      from = end + 1;
    }
    this.#line.keep(chunk.subarray(from));
    return lines;
  }
}

/** A broken connection shows while its body is read; it must look like any other failed request. */
export async function* wholeOrApiError(
  body: AsyncIterable<Uint8Array>,
  path: string,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw fromNetwork(error, path);
  }
}

interface Raw {
  readonly type?: unknown;
  readonly object?: unknown;
}

/** Of one line. An ERROR event is thrown as the ApiError it carries. */
export function parseEvent(line: string, path: string): WatchEvent {
  const { type, object } = (parseJson(line, 'a line of the watch is not JSON') ?? {}) as Raw;
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, object: checkObject(object) };
    case 'BOOKMARK':
      return parseBookmark(object);
    case 'ERROR':
      throw fromStatus(object ?? {}, path);
    default:
      throw new UnreadableStream(`unknown type of watch event: ${JSON.stringify(type)?.slice(0, 40)}`);
  }
}

function parseBookmark(object: unknown): WatchEvent {
  const metadata = (object as Partial<KubeObject> | undefined)?.metadata;
  if (!metadata?.resourceVersion) throw new UnreadableStream('a bookmark without a resourceVersion');
  const initialEventsEnd = metadata.annotations?.['k8s.io/initial-events-end'] === 'true';
  return { type: 'BOOKMARK', resourceVersion: metadata.resourceVersion, initialEventsEnd };
}

/** Throws unless the object can be stored: without these three it has no key, no identity and no position. */
export function checkObject(object: unknown): KubeObject {
  const metadata = (object as Partial<KubeObject> | undefined)?.metadata;
  if (!metadata?.name || !metadata.uid || !metadata.resourceVersion) {
    throw new UnreadableStream('an object without name, uid or resourceVersion');
  }
  return object as KubeObject;
}

/** The message of JSON.parse quotes the text, which may be an object of the user. */
export function parseJson(text: string, otherwise: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UnreadableStream(otherwise);
  }
}
