import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Lab } from './lab.ts';

export interface Addresses {
  readonly v4: string;
  readonly v6: string;
}

/**
 * The networks of something that stands between an inside host and an outside one: addresses set aside for
 * documentation (RFC 5737, RFC 3849), a block of each for the n-th in a lab.
 */
export class Crossing {
  readonly #lab: Lab;
  readonly #index: number;

  private constructor(lab: Lab, index: number) {
    this.#lab = lab;
    this.#index = index;
  }

  static claim(lab: Lab): Crossing {
    for (let index = 0; index < 15; index += 1) {
      const crossing = new Crossing(lab, index);
      try {
        mkdirSync(crossing.#folder);
        return crossing;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
    }
    throw new Error('a lab has addresses for 15 NATs and directors: stop one that is no longer needed');
  }

  /** For the next one to claim. */
  release(): void {
    rmdirSync(this.#folder);
  }

  /** Its cable's name at the hosts on either side. */
  get device(): string {
    return `nat${this.#index}`;
  }

  /** The near end is the inside host's. */
  get inside() {
    return { near: this.#at('192.0.2', 1, 1), far: this.#at('192.0.2', 1, 2) };
  }

  /** The far end is the outside host's. */
  get outside() {
    return { near: this.#at('198.51.100', 2, 1), far: this.#at('198.51.100', 2, 2) };
  }

  /** What those inside use, where the outside host's own address is not to be seen. */
  get lent(): Addresses {
    return this.#at('203.0.113', 3, 1);
  }

  get #folder(): string {
    return join(this.#lab.folder, `nat-${this.#index}`);
  }

  #at(network4: string, network6: number, host: number): Addresses {
    const index = this.#index;
    return {
      v4: `${network4}.${index * 16 + host}`,
      v6: `2001:db8:${network6}:${index.toString(16)}::${host}`,
    };
  }
}

export function withLength({ v4, v6 }: Addresses): string[] {
  return [`${v4}/28`, `${v6}/64`];
}
