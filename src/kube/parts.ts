import { UnreadableStream } from './errors.ts';

/** etcd takes objects of 1.5 MiB; a text far beyond that is a proxy's page or an endless stream, not an object. */
const longestBytes = 32 * 1024 * 1024;

/**
 * A text whose bytes come in parts. Only the whole is decoded, so a part may end in the middle of a character, and
 * what a broken connection leaves over is dropped.
 */
export class Parts {
  readonly #what: string;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  /** `what` it is, for whoever reads why it was not taken. */
  constructor(what: string) {
    this.#what = what;
  }

  keep(part: Uint8Array): void {
    if (part.length === 0) return;
    this.#parts.push(part);
    this.#bytes += part.length;
    if (this.#bytes > longestBytes) throw new UnreadableStream(`${this.#what} does not end`);
  }

  /** The text that ends with this part; what comes after it is another. */
  end(last: Uint8Array): string {
    if (this.#parts.length === 0) return decode(last);
    const whole = decode(Buffer.concat([...this.#parts, last]));
    this.#parts = [];
    this.#bytes = 0;
    return whole;
  }
}

function decode(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
