import type { Clock } from '../kube/clock.ts';
import type { StatusChange } from '../policy/status-change.ts';
import { Line } from './line.ts';

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
  readonly #line = new Line(1);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** 0: it may be written now. */
  waitMs(policy: string, change: StatusChange, agents: number): number {
    if (change === 'none') this.#line.leave(policy);
    if (change === 'none' || change === 'news') return 0;
    const now = this.#clock.now();
    const { atMs, newsAtMs } = this.#written.get(policy) ?? { atMs: -Infinity, newsAtMs: -Infinity };
    const isSettling = now - newsAtMs < settlesMs;
    const least = change === 'connections' && !isSettling ? connectionsMs : 0;
    const dueMs = atMs + Math.max(least, agents * msPerAgent) - now;
    // Whose own time has not come keeps nobody else waiting.
    return dueMs > 0 ? dueMs : this.#line.waitMs(policy, { now, eachMs: (agents / eventsPerSecond) * 1000 });
  }

  wrote(policy: string, change: StatusChange): void {
    const now = this.#clock.now();
    const newsAtMs = change === 'news' ? now : (this.#written.get(policy)?.newsAtMs ?? -Infinity);
    this.#written.set(policy, { atMs: now, newsAtMs });
    this.#line.leave(policy);
  }

  forget(policy: string): void {
    this.#written.delete(policy);
    this.#line.leave(policy);
  }
}
