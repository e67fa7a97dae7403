import type { Clock } from '../kube/clock.ts';
import type { StatusChange } from '../policy/status-change.ts';

/** Every status write is an event for each agent: so many of them a second, for counts alone, in the whole cluster. */
const eventsPerSecond = 5000;
/** One policy waits for so long between two such writes, for each agent that watches. */
const msPerAgent = 10;
/** Where nothing but connections come and go. */
const connectionsMs = 60_000;
/** What changes so soon after news belongs to it: agents do not all tell at once. */
const settlesMs = 30_000;

interface Written {
  readonly atMs: number;
  readonly newsAtMs: number;
}

/** How soon a status is written: news at once, counts the less often the more agents have to hear of it. */
export class Pace {
  readonly #clock: Clock;
  readonly #written = new Map<string, Written>();
  /** When it is the turn of those that wait for nothing else. */
  readonly #turns = new Map<string, number>();
  #nextTurnAt = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** 0: it may be written now. */
  waitMs(policy: string, change: StatusChange, agents: number): number {
    const now = this.#clock.now();
    const turn = this.#turns.get(policy);
    if (change === 'news') return 0;
    if (turn !== undefined) return Math.max(0, turn - now);
    const { atMs, newsAtMs } = this.#written.get(policy) ?? { atMs: -Infinity, newsAtMs: -Infinity };
    const isSettling = now - newsAtMs < settlesMs;
    const least = change === 'connections' && !isSettling ? connectionsMs : 0;
    const at = Math.max(now, atMs + Math.max(least, agents * msPerAgent), this.#nextTurnAt);
    // A turn is kept for it alone, or all that wait would come at once and be sent away again.
    this.#nextTurnAt = Math.max(now, this.#nextTurnAt) + (agents / eventsPerSecond) * 1000;
    this.#turns.set(policy, at);
    return at - now;
  }

  wrote(policy: string, change: StatusChange): void {
    const now = this.#clock.now();
    const newsAtMs = change === 'news' ? now : (this.#written.get(policy)?.newsAtMs ?? -Infinity);
    this.#written.set(policy, { atMs: now, newsAtMs });
    this.#turns.delete(policy);
  }

  forget(policy: string): void {
    this.#written.delete(policy);
    this.#turns.delete(policy);
  }
}
