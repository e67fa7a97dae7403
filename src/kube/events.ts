import type { ApiClient } from './client.ts';
import { systemClock, type Clock } from './clock.ts';
import type { Log } from './log.ts';

/** The object an event tells about. */
export interface Regarding {
  readonly apiVersion: string;
  readonly kind: string;
  /** Undefined for an object of cluster scope. */
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion?: string;
}

export interface Notice {
  readonly regarding: Regarding;
  readonly type: 'Normal' | 'Warning';
  /** Why, in CamelCase: `Degraded`. At most 128 characters, like `action`. */
  readonly reason: string;
  /** What was done or tried, in CamelCase: `Reconcile`. */
  readonly action: string;
  /** For a person; what exceeds 1024 bytes is cut. */
  readonly note: string;
}

export interface EventRecorderOptions {
  readonly client: ApiClient;
  /** Who speaks: `keepalive.dev/controller`. */
  readonly reportingController: string;
  /** Which one of them: the pod's name. */
  readonly reportingInstance: string;
  readonly log: Log;
  readonly clock?: Clock;
}

/** Of each object: so many at once, and one more every five minutes (client-go allows 25). */
const burst = 10;
const refillMs = 300_000;
/** Objects whose budgets are remembered; the longest silent one is forgotten first. */
const maxBudgets = 4_096;
/** An API server that hangs must not make us pile up events. */
const maxInFlight = 32;
const maxNoteBytes = 1_024;

const resource = { group: 'events.k8s.io', version: 'v1', plural: 'events' } as const;

/** Writes Events, as a courtesy: never throws, never waits, and drops what the server does not take. */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #clock: Clock;
  readonly #budgets = new Map<string, { tokens: number; at: number }>();
  readonly #inFlight = new Set<Promise<void>>();
  #lastRefusal: string | undefined;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  record(notice: Notice): void {
    if (this.#inFlight.size >= maxInFlight || !this.#spend(notice.regarding.uid)) return;
    const sent = this.#send(notice).finally(() => this.#inFlight.delete(sent));
    this.#inFlight.add(sent);
  }

  /** Resolves when what was recorded so far is sent or dropped. */
  async flush(): Promise<void> {
    await Promise.all(this.#inFlight);
  }

  #spend(uid: string): boolean {
    const now = this.#clock.now();
    const { tokens, at } = this.#budgets.get(uid) ?? { tokens: burst, at: now };
    const available = Math.min(burst, tokens + (now - at) / refillMs);
    if (available < 1) return false;
    // To delete first moves the entry to the end: the map is in the order of last use.
    this.#budgets.delete(uid);
    this.#budgets.set(uid, { tokens: available - 1, at: now });
    for (const oldest of this.#budgets.keys()) {
      if (this.#budgets.size <= maxBudgets) break;
      this.#budgets.delete(oldest);
    }
    return true;
  }

  async #send({ regarding, type, reason, action, note }: Notice): Promise<void> {
    const { client, reportingController, reportingInstance, log } = this.#options;
    // The server accepts events about objects of cluster scope in this namespace only.
    const namespace = regarding.namespace ?? 'default';
    const body = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { namespace, name: eventName(regarding.name) },
      eventTime: new Date().toISOString().replace('Z', '000Z'),
      reportingController,
      reportingInstance: reportingInstance.slice(0, 128),
      action: action.slice(0, 128),
      reason: reason.slice(0, 128),
      note: cutBytes(note, maxNoteBytes),
      type,
      regarding,
    };
    try {
      await client.create({ ...resource, namespace }, body, { timeoutMs: 10_000 });
      this.#lastRefusal = undefined;
    } catch (error) {
      const refusal = (error as Error).message;
      if (refusal !== this.#lastRefusal) log.warn({ reason: refusal }, 'event dropped');
      this.#lastRefusal = refusal;
    }
  }
}

/** Unique in the namespace and at most 253 characters, as each name of an object; none of its parts ends in a hyphen. */
function eventName(object: string): string {
  const beginning = object.slice(0, 220).replace(/[-.]+$/, '');
  return `${beginning}.${crypto.randomUUID().replaceAll('-', '').slice(0, 16)}`;
}

/** The server counts bytes; a character is never cut in two. */
function cutBytes(text: string, limit: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= limit) return text;
  let end = limit - Buffer.byteLength('…');
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return `${bytes.subarray(0, end).toString('utf8')}…`;
}
