import type { Clock } from '../kube/clock.ts';
import type { Log } from '../kube/log.ts';

const everyMs = 60_000;
const mostCharacters = 200;

/** Warnings that whoever reaches a port can bring about: each is given once a minute, and says how often it was not given before. */
export class Seldom {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #given = new Map<string, { readonly at: number; unsaid: number }>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** `message` is one of ours; a text of somebody else has its place in `about`. */
  warn(about: Readonly<Record<string, string>>, message: string): void {
    const given = this.#given.get(message);
    const now = this.#clock.now();
    if (given !== undefined && now - given.at < everyMs) {
      given.unsaid += 1;
      return;
    }
    this.#given.set(message, { at: now, unsaid: 0 });
    const short = Object.entries(about).map(([name, text]) => [name, text.slice(0, mostCharacters)] as const);
    this.#log.warn({ ...Object.fromEntries(short), unsaid: given?.unsaid ?? 0 }, message);
  }
}
