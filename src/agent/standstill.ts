import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Notes on the node that the product is switched off with its values staying: an agent that starts then, and cannot ask
 * the API server, would else put right what somebody is undoing by hand on that very day.
 */
export class Standstill {
  readonly #file: string;
  #noted: boolean;

  constructor(file: string) {
    this.#file = file;
    this.#noted = existsSync(file);
  }

  get isNoted(): boolean {
    return this.#noted;
  }

  /** Where it cannot be written, only an agent that starts misses it; it is tried again with the next call. */
  note(isOff: boolean): void {
    if (isOff === this.#noted) return;
    try {
      if (isOff) this.#write();
      else rmSync(this.#file, { force: true });
      this.#noted = isOff;
    } catch {
      // What is to be done now does not depend on it.
    }
  }

  #write(): void {
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(this.#file, '');
  }
}
