import { refusalLimit } from '../api/status.ts';
import type { Clock } from '../kube/clock.ts';
import type { StatusChange } from '../policy/status-change.ts';
import { Line } from './line.ts';

/** Every status write is an event for each agent: so many of them a second, of each sort that waits, in the whole cluster. */
const eventsPerSecond = 5000;
/** One policy waits for so long between two such writes, for each agent that watches. */
const msPerAgent = 10;
/** Where nothing but connections come and go. */
const connectionsMs = 60_000;
/** What changes so soon after news belongs to it: agents do not all tell at once. */
const settlesMs = 30_000;
type News = 'news' | 'returns' | 'coverage' | 'refusals';

/**
 * Of one policy, before it waits: what a change brings about is seldom seen in one look. Of namespaces that are refused for the
 * first time as many as a status lists: owners of pods wait for it, and to be that again takes a namespace as long as its pause.
 */
const newsAtOnce: Readonly<Record<News, number>> = {
  ...{ news: 3, returns: 3, coverage: 3 },
  refusals: refusalLimit,
};
/** Of so many policies: what somebody changes may be news to every cluster policy that selects his pods. */
const policiesAtOnce = 100;

interface Written {
  readonly atMs: number;
  readonly newsAtMs: number;
  /** When as much may be told at once again as ever. */
  readonly restedAtMs: Readonly<Record<News, number>>;
}

const nothing: Written = {
  ...{ atMs: -Infinity, newsAtMs: -Infinity },
  restedAtMs: { news: -Infinity, returns: -Infinity, coverage: -Infinity, refusals: -Infinity },
};

/**
 * How soon a status is written: a verdict at once, news at once the first few times, counts the less often the more agents have to
 * hear of it. Each sort has a line of its own, so that who makes much of one keeps no other waiting; only that of counts goes at half
 * its pace, at the least, while other things are written.
 */
export class Pace {
  readonly #clock: Clock;
  readonly #written = new Map<string, Written>();
  readonly #lines = {
    counts: new Line(1),
    news: new Line(policiesAtOnce),
    returns: new Line(policiesAtOnce),
    coverage: new Line(policiesAtOnce),
    refusals: new Line(policiesAtOnce * newsAtOnce.refusals),
  };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** 0: it may be written now. */
  waitMs(policy: string, change: StatusChange, agents: number): number {
    if (change === 'none') this.#leave(policy);
    if (change === 'none' || change === 'verdict') return 0;
    const now = this.#clock.now();
    const dueMs = this.#dueAt(policy, change, agents) - now;
    // Whose own time has not come keeps nobody else waiting.
    if (dueMs > 0) return dueMs;
    const line = this.#lines[isNews(change) ? change : 'counts'];
    return line.waitMs(policy, { now, eachMs: eachMsOf(agents) });
  }

  #dueAt(policy: string, change: Exclude<StatusChange, 'none' | 'verdict'>, agents: number): number {
    const { atMs, newsAtMs, restedAtMs } = this.#written.get(policy) ?? nothing;
    const restMs = agents * msPerAgent;
    if (isNews(change)) return restedAtMs[change] - (newsAtOnce[change] - 1) * restMs;
    const isSettling = this.#clock.now() - newsAtMs < settlesMs;
    return atMs + Math.max(change === 'connections' && !isSettling ? connectionsMs : 0, restMs);
  }

  wrote(policy: string, change: StatusChange, agents: number): void {
    const now = this.#clock.now();
    const { newsAtMs, restedAtMs } = this.#written.get(policy) ?? nothing;
    this.#written.set(policy, {
      atMs: now,
      newsAtMs: change === 'verdict' || isNews(change) ? now : newsAtMs,
      restedAtMs: isNews(change)
        ? { ...restedAtMs, [change]: Math.max(restedAtMs[change], now) + agents * msPerAgent }
        : restedAtMs,
    });
    // Whatever else is written carries the counts as well.
    this.#lines.counts.useUp(policy, { now, eachMs: eachMsOf(agents) });
    this.#leave(policy);
  }

  forget(policy: string): void {
    this.#written.delete(policy);
    this.#leave(policy);
  }

  #leave(policy: string): void {
    for (const line of Object.values(this.#lines)) line.leave(policy);
  }
}

function eachMsOf(agents: number): number {
  return (agents / eventsPerSecond) * 1000;
}

function isNews(change: StatusChange): change is News {
  return change in newsAtOnce;
}
