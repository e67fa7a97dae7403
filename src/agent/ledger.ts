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

import type { Memory } from '../policy/tighten.ts';

/** What is remembered of one network namespace whose values we changed. */
export interface LedgerEntry {
  /** The pod's uid as the kubelet knows it, or `host`. */
  readonly place: string;
  /** Of the very namespace: a pod whose sandbox was made anew has another, with values of its own. */
  readonly namespace: string;
  readonly memory: Memory;
  /** How often a value was put right after somebody else had made it looser. */
  readonly repaired: number;
}

/** A line that takes an entry back. */
interface Removal {
  readonly place: string;
  readonly gone: true;
}

/** What was found cannot be noted, so nothing may be changed. */
export class LedgerError extends Error {
  override readonly name = 'LedgerError';

  constructor(cause: unknown) {
    super((cause as NodeJS.ErrnoException).code ?? (cause as Error).message, { cause });
  }
}

const longestBytes = 1_000_000;

/**
 * Remembers on the node itself what values were found before the first write, so that they can be put back by
 * whoever comes after: the agent of the next version, or the one that is told that the product is uninstalled.
 * Lines are only ever added, each before the write that it speaks of; the last one of a place counts. Of another
 * boot nothing is left to put back. No fsync: what would lose it, loses the values as well.
 */
export class Ledger {
  readonly #file: string;
  readonly #header: string;
  readonly #entries = new Map<string, LedgerEntry>();
  #bytes = 0;

  private constructor(file: string, bootId: string) {
    this.#file = file;
    this.#header = JSON.stringify({ ledger: 1, boot: bootId });
  }

  /** Reads what is there. Throws where the folder cannot be written: without it no value may be changed. */
  static open(file: string, bootId: string): Ledger {
    const ledger = new Ledger(file, bootId);
    ledger.#replay();
    ledger.#rewrite();
    return ledger;
  }

  get(place: string): LedgerEntry | undefined {
    return this.#entries.get(place);
  }

  entries(): IterableIterator<LedgerEntry> {
    return this.#entries.values();
  }

  /**
   * `once`: it is in the file before this returns. `later`: for now only in this process, since what the file says
   * is good enough for whoever comes after. Throws a {@link LedgerError}.
   */
  note(entry: LedgerEntry, at: 'once' | 'later'): void {
    this.#entries.set(entry.place, entry);
    if (at === 'later') return;
    try {
      this.#append(entry);
    } catch (error) {
      throw new LedgerError(error);
    }
  }

  remove(place: string): void {
    if (!this.#entries.delete(place)) return;
    this.#append({ place, gone: true });
  }

  /** Leaves no trace of itself. */
  erase(): void {
    this.#entries.clear();
    rmSync(this.#file, { force: true });
  }

  #append(line: LedgerEntry | Removal): void {
    // Somebody removed it: a file that begins in the middle would say nothing to the next agent.
    if (!existsSync(this.#file)) return this.#rewrite();
    const text = `${JSON.stringify(line)}\n`;
    appendFileSync(this.#file, text);
    this.#bytes += text.length;
    if (this.#bytes > longestBytes) this.#rewrite();
  }

  #replay(): void {
    const [header, ...lines] = readIfThere(this.#file).split('\n');
    if (header !== this.#header) return;
    for (const line of lines) {
      const entry = parseLine(line);
      if (entry === undefined) continue;
      if ('gone' in entry) this.#entries.delete(entry.place);
      else this.#entries.set(entry.place, entry);
    }
  }

  /** Whole or not at all. */
  #rewrite(): void {
    mkdirSync(dirname(this.#file), { recursive: true });
    const lines = [this.#header, ...this.#entries.values().map((entry) => JSON.stringify(entry))];
    const text = `${lines.join('\n')}\n`;
    writeFileSync(`${this.#file}.new`, text);
    renameSync(`${this.#file}.new`, this.#file);
    this.#bytes = text.length;
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

/** The last line may have been cut off by the end of its writer: then the write it speaks of did not happen either. */
function parseLine(line: string): LedgerEntry | Removal | undefined {
  try {
    return JSON.parse(line) as LedgerEntry | Removal;
  } catch {
    return undefined;
  }
}
