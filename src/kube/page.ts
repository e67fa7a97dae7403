import { UnreadableStream } from './errors.ts';
import { Parts } from './parts.ts';
import { parseJson } from './stream.ts';

/** What a page of a list says of itself. */
export interface PageMetadata {
  readonly resourceVersion: string;
  /** The token of the next page; absent or empty on the last one. */
  readonly continue?: string;
}

interface Frame {
  readonly metadata?: Partial<PageMetadata> | null;
  readonly items?: unknown;
}

const code = (character: string) => character.charCodeAt(0);
const [quote, backslash] = [code('"'), code('\\')];
const [openBrace, closeBrace, openBracket, closeBracket] = [code('{'), code('}'), code('['), code(']')];
const betweenItems = new Set([...', \t\r\n'].map(code));

/** The depth between the items of a list: the list and its array are open. */
const itemDepth = 2;

/**
 * Cuts the JSON of a page into its items while it comes. Fifty objects of 1.5 MiB, and what a parser makes of them,
 * are more than a small process has; one is not. The items of a custom resource come before the metadata of their
 * list, those of a built-in kind after it.
 */
export class PageSplitter {
  readonly #item = new Parts('an item of a list');
  readonly #around = new Parts('a page of a list');
  /** The page without its items. */
  #frame = '';
  #depth = 0;
  #inItems = false;
  #inString = false;
  #isEscaped = false;
  /** Where in the chunk that begins which is not kept yet. */
  #from = 0;

  /** The text of each item that ends in this chunk. */
  push(chunk: Uint8Array): string[] {
    const items: string[] = [];
    this.#from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      if (this.#inString) at = this.#endOfString(chunk, at);
      else this.#step(chunk, at, items);
    }
    this.#keep(chunk.subarray(this.#from));
    return items;
  }

  /** After the last chunk. */
  end(): PageMetadata {
    const text = this.#frame + this.#around.end(new Uint8Array());
    const frame = parseJson(text, 'a page of a list is not JSON') as Frame | null;
    if (!Array.isArray(frame?.items) || typeof frame.metadata?.resourceVersion !== 'string') {
      throw new UnreadableStream('a page of a list without items or resourceVersion');
    }
    return frame.metadata as PageMetadata;
  }

  #step(chunk: Uint8Array, at: number, items: string[]): void {
    switch (chunk[at]) {
      case quote:
        this.#inString = true;
        break;
      case openBrace:
      case openBracket:
        this.#open(chunk, at);
        break;
      case closeBrace:
      case closeBracket:
        this.#close(chunk, at, items);
        break;
      default:
    }
  }

  /** Where the string ends, or the chunk before it. */
  #endOfString(chunk: Uint8Array, start: number): number {
    let at = start;
    for (; at < chunk.length; at += 1) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (chunk[at] === backslash) this.#isEscaped = true;
      else if (chunk[at] === quote) {
        this.#inString = false;
        break;
      }
    }
    return at;
  }

  #open(chunk: Uint8Array, at: number): void {
    if (this.#inItems && this.#depth === itemDepth) {
      this.#keep(chunk.subarray(this.#from, at));
      this.#from = at;
    }
    this.#depth += 1;
    if (this.#depth !== itemDepth || chunk[at] !== openBracket) return;
    this.#frame += this.#around.end(chunk.subarray(this.#from, at + 1));
    this.#from = at + 1;
    this.#inItems = /"items"\s*:\s*\[$/.test(this.#frame);
  }

  #close(chunk: Uint8Array, at: number, items: string[]): void {
    this.#depth -= 1;
    if (!this.#inItems) return;
    if (this.#depth === itemDepth) {
      items.push(this.#item.end(chunk.subarray(this.#from, at + 1)));
      this.#from = at + 1;
    } else if (this.#depth < itemDepth) {
      this.#keepBetween(chunk.subarray(this.#from, at));
      this.#from = at;
      this.#inItems = false;
    }
  }

  #keep(part: Uint8Array): void {
    if (!this.#inItems) this.#around.keep(part);
    else if (this.#depth > itemDepth) this.#item.keep(part);
    else this.#keepBetween(part);
  }

  /** Nothing is kept: but an item that is passed over would be one that went. */
  #keepBetween(part: Uint8Array): void {
    if (part.some((byte) => !betweenItems.has(byte)))
      throw new UnreadableStream('an item of a list is no object');
  }
}
