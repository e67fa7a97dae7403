import type { ToldConnection, Unmarked } from '../../kernel/connection-layout.ts';
import { mostToldApart } from '../../kernel/each-once.ts';
import { describeEndpoint } from '../../kernel/endpoint.ts';
import type { ConnectionView, SocketTarget } from '../../policy/connection.ts';
import { tighten } from '../../policy/connection.ts';
import type { Place } from '../../policy/place.ts';
import type { Counted } from './node-connections.ts';
import { SocketTally } from './socket-tally.ts';

/** What was ordered, by cookie of a network namespace, and by inode number of a control group. */
export interface Ordered {
  readonly networks: ReadonlyMap<bigint, SocketTarget>;
  readonly groups: ReadonlyMap<bigint, SocketTarget>;
  /** Of whom the kernel does not tell all. */
  readonly unmarked?: readonly Unmarked[];
}

/**
 * Of whom not all could be marked is believed to have such a connection still for so long: each sweep meets what is open, and there
 * are several in that time.
 */
const believedMs = 600_000;

/** Adds up what the kernel tells of the connections of many places at once. */
export class ToldTally {
  readonly #networks: ReadonlyMap<bigint, SocketTarget>;
  readonly #groups: ReadonlyMap<bigint, SocketTarget>;
  readonly #tallies: ReadonlyMap<SocketTarget, SocketTally>;
  readonly #loosened = new Set<Place>();
  readonly #unmarked: readonly Unmarked[];
  readonly #mostToldApart: number;
  #told = 0;

  constructor({ networks, groups, unmarked = [] }: Ordered, most: number = mostToldApart) {
    this.#mostToldApart = most;
    this.#unmarked = unmarked;
    this.#networks = new Map(networks);
    this.#groups = new Map(groups);
    const targets = [...networks.values(), ...groups.values()];
    this.#tallies = new Map(targets.map((target) => [target, new SocketTally(target)]));
  }

  add(connections: readonly ToldConnection[]): void {
    this.#told += connections.length;
    for (const told of connections) {
      const target = this.#targetOf(told);
      if (target === undefined) continue;
      const view = viewOf(told);
      this.#tallies.get(target)?.add(asKnown(told, view), false);
      if (target.wanted !== undefined && !told.loopback && tighten(view, target.wanted) !== undefined)
        this.#loosened.add(target.place);
    }
  }

  end(): Omit<Counted, 'cpuMs'> {
    if (this.#told >= this.#mostToldApart) this.#largest()?.leaveOut('TooManyOpen', this.#told);
    const sinceMs = Number(process.hrtime.bigint()) / 1e6 - believedMs;
    for (const one of this.#unmarked) if (one.atMs > sinceMs) this.#tallyOf(one)?.leaveOut('NoRoom');
    return {
      readings: [...this.#tallies.values()].map((tally) => tally.reading()),
      loosened: [...this.#loosened],
    };
  }

  #targetOf({ network, group }: Pick<ToldConnection, 'network' | 'group'>): SocketTarget | undefined {
    return group === 0n ? this.#networks.get(network) : this.#groups.get(group);
  }

  #tallyOf(one: Pick<ToldConnection, 'network' | 'group'>): SocketTally | undefined {
    const target = this.#targetOf(one);
    return target && this.#tallies.get(target);
  }

  /** Whoever has most of them: others can do nothing about it. */
  #largest(): SocketTally | undefined {
    const [first] = [...this.#tallies.values()].sort((a, b) => b.added - a.added);
    return first;
  }
}

function viewOf(told: ToldConnection): ConnectionView {
  const { loopback, keepalive, values, userTimeoutMs } = told;
  const timerMs = keepalive ? (told.timerMs ?? 'none') : 'none';
  const { timeSeconds, intervalSeconds, probes } = values;
  // What the kernel counts in ticks, a program set in seconds.
  const inSeconds = {
    timeSeconds: Math.floor(timeSeconds),
    intervalSeconds: Math.floor(intervalSeconds),
    probes,
  };
  return { loopback, keepalive, values: inSeconds, timerMs, userTimeoutMs };
}

/** Whose it is, the kernel does not say. */
function asKnown({ established, peer }: ToldConnection, view: ConnectionView) {
  return {
    state: established ? ('established' as const) : ('half closed' as const),
    ...{ view, program: '' },
    // Only of those that are named.
    get peer() {
      return describeEndpoint(peer);
    },
  };
}
