import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

import type { Place } from '../policy/place.ts';
import type { LedgerEntry, Removal } from './ledger-line.ts';
import { parseLine } from './ledger-line.ts';
import { inStateFolder } from './state-folder.ts';

/** What was found cannot be noted, so nothing may be changed. */
export class LedgerError extends Error {
  override readonly name = 'LedgerError';

  constructor(cause: unknown) {
    super((cause as NodeJS.ErrnoException).code ?? (cause as Error).message, { cause });
  }
}

export type Noting = 'once' | 'where possible' | 'later';

const longestBytes = 1_000_000;
const isHeader = /^\{"ledger":\d+,"boot":"[^"]+"\}$/;

/**
 * Remembers on the node itself what values were found before the first write, so that they can be put back by
 * whoever comes after: the agent of the next version, or the one that is told that the product is uninstalled.
 * Lines are only ever added, each before the write that it speaks of; the last one of a place counts. Of another
 * boot nothing is left to put back. No fsync: what would lose it, loses the values as well.
 */
export class Ledger {
  readonly #file: string;
  readonly #bootId: string;
  readonly #header: string;
  readonly #entries = new Map<Place, LedgerEntry>();
  #bytes = 0;
  /** Whether what is in the file is of this boot, and ends with a whole line; a disk that is full tears the last one. */
  #isWhole = false;
  #ignored = 0;

  private constructor(file: string, bootId: string) {
    this.#file = file;
    this.#bootId = bootId;
    this.#header = JSON.stringify({ ledger: 2, boot: bootId });
  }

  /** Reads what is there. Where that cannot be written, it is known all the same, and {@link note} says what cannot be added. */
  static open(file: string, bootId: string): Ledger {
    const ledger = new Ledger(file, bootId);
    inStateFolder(file, () => ledger.#replay());
    try {
      ledger.#rewrite();
    } catch {
      // It is tried again before anything is added.
    }
    return ledger;
  }

  /** Lines that were there and are not believed, for people to be told. */
  get ignored(): number {
    return this.#ignored;
  }

  get(place: Place): LedgerEntry | undefined {
    return this.#entries.get(place);
  }

  entries(): IterableIterator<LedgerEntry> {
    return this.#entries.values();
  }

  /**
   * `once`: it is in the file before this returns, or a {@link LedgerError} is thrown. `later`: for now only in this process, since
   * what the file says is good enough for whoever comes after. `where possible`: good enough too, if the file cannot be written.
   */
  note(entry: LedgerEntry, at: Noting): void {
    if (at !== 'later') {
      try {
        this.#append(entry);
      } catch (error) {
        if (at === 'once') throw new LedgerError(error);
      }
    }
    this.#entries.set(entry.place, entry);
  }

  /** Where that cannot be written, what is there leads to a namespace that is gone, or to values that are as found. */
  remove(place: Place): void {
    if (!this.#entries.delete(place)) return;
    try {
      this.#append({ place, gone: true });
    } catch {
      // The next line that can be written brings the whole of it up to date.
    }
  }

  /**
   * What is remembered of a namespace goes on under another place: a static pod's copy in the API is deleted and made
   * anew, with another uid, while the pod runs on. Only by a cookie, since inode numbers are given again.
   */
  adopt(place: Place, namespace: string): LedgerEntry | undefined {
    if (!namespace.startsWith('cookie ')) return undefined;
    const known = this.#entries.values().find((entry) => entry.namespace === namespace);
    if (known === undefined) return undefined;
    const adopted = { ...known, place };
    // The cookie leads whoever comes after to what the file says of the other place.
    this.note(adopted, 'where possible');
    this.remove(known.place);
    return adopted;
  }

  /** Leaves no trace of itself, where that can be: of what it says then nothing is left to be put back. */
  erase(): void {
    this.#entries.clear();
    for (const file of [this.#file, this.#next]) {
      try {
        rmSync(file, { force: true });
      } catch {
        // A folder that nobody can write to any more.
      }
    }
  }

  /** Becomes the file once all of it is written; where that fails, it stays. */
  get #next(): string {
    return `${this.#file}.new`;
  }

  #append(line: LedgerEntry | Removal): void {
    // Somebody removed it, or a disk that was full tore its last line: what begins in the middle says nothing to the
    // next agent.
    if (!this.#isWhole || this.#bytes > longestBytes || !existsSync(this.#file)) this.#rewrite();
    const text = `${JSON.stringify(line)}\n`;
    this.#isWhole = false;
    appendFileSync(this.#file, text);
    this.#isWhole = true;
    this.#bytes += text.length;
  }

  #replay(): void {
    const [header = '', ...rest] = readIfThere(this.#file).split('\n');
    const lines = rest.filter((line) => line !== '');
    if (header !== this.#header) {
      this.#ignored = isHeader.test(header) && !header.includes(this.#bootId) ? 0 : lines.length;
      return;
    }
    for (const line of lines) {
      const entry = parseLine(line);
      if (entry === undefined) {
        this.#ignored += 1;
        continue;
      }
      if ('gone' in entry) this.#entries.delete(entry.place);
      else this.#entries.set(entry.place, entry);
    }
  }

  /** Whole or not at all. */
  #rewrite(): void {
    mkdirSync(dirname(this.#file), { recursive: true });
    const lines = [this.#header, ...this.#entries.values().map((entry) => JSON.stringify(entry))];
    const text = `${lines.join('\n')}\n`;
    writeFileSync(this.#next, text);
    renameSync(this.#next, this.#file);
    this.#bytes = text.length;
    this.#isWhole = true;
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
