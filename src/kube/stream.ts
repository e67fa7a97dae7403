import { fromStatus, UnreadableStream } from './errors.ts';
import type { KubeObject } from './resource.ts';

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject }
  | {
      readonly type: 'BOOKMARK';
      readonly resourceVersion: string;
      /** The last of the initial events went before: what was seen is the whole. */
      readonly initialEventsEnd: boolean;
    };

/** etcd takes objects of 1.5 MiB; a line far beyond that is a proxy's page or an endless stream, not an object. */
const longestLineBytes = 32 * 1024 * 1024;
const newline = 0x0a;

/**
 * Cuts chunks into lines. Only whole lines are decoded, so a chunk may end in the middle of a character, and
 * what a broken connection leaves over is dropped: the server sends it again after the last version we keep.
 */
export class LineSplitter {
  #rest: Uint8Array[] = [];
  #restBytes = 0;

  push(chunk: Uint8Array): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      const line = this.#take(chunk.subarray(from, end));
      if (line.trim() !== '') lines.push(line);
      from = end + 1;
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
    return lines;
  }

  #take(last: Uint8Array): string {
    if (this.#rest.length === 0) return decode(last);
    const line = decode(Buffer.concat([...this.#rest, last]));
    this.#rest = [];
    this.#restBytes = 0;
    return line;
  }

  #keep(part: Uint8Array): void {
    this.#rest.push(part);
    this.#restBytes += part.length;
    if (this.#restBytes > longestLineBytes) throw new UnreadableStream('a line of the watch does not end');
  }
}

/** Of one line. An ERROR event is thrown as the ApiError it carries. */
export function parseEvent(line: string, path: string): WatchEvent {
  const { type, object } = parseJson(line);
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

function parseJson(line: string): { type?: unknown; object?: unknown } {
  try {
    return (JSON.parse(line) ?? {}) as { type?: unknown; object?: unknown };
  } catch {
    // The message of JSON.parse quotes the text, which may be an object of the user.
    throw new UnreadableStream('a line of the watch is not JSON');
  }
}

function decode(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
