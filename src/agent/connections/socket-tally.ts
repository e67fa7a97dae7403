import type {
  ConnectionCounts,
  ExposedGroup,
  LeftOut,
  SocketReading,
  SocketTarget,
} from '../../policy/connection.ts';
import { isFragile, judgeConnection } from '../../policy/connection.ts';
import type { KnownSocket } from './process-sockets.ts';

/** Groups named of one pod: what a person can read. */
export const namedGroups = 5;
/** Groups told apart: a program may call each of its processes by another name. */
const countedGroups = 200;

interface Count {
  protected: number;
  exposed: number;
  unknown: number;
  readonly groups: Map<string, { -readonly [K in keyof ExposedGroup]: ExposedGroup[K] }>;
}

/** Adds up how the sockets of one target stand to each of its timeouts. */
export class SocketTally {
  readonly #place: SocketTarget['place'];
  readonly #counts: ReadonlyMap<number, Count>;
  readonly #failures: Record<string, number> = {};
  readonly #leftOut: Partial<Record<LeftOut, number>> = {};
  #repaired = 0;
  #added = 0;

  constructor({ place, timeouts }: SocketTarget) {
    this.#place = place;
    this.#counts = new Map(
      timeouts.map((seconds) => [seconds, { protected: 0, exposed: 0, unknown: 0, groups: new Map() }]),
    );
  }

  /** Sockets that were added, whatever was counted of them. */
  get added(): number {
    return this.#added;
  }

  add(socket: KnownSocket, repaired: boolean): void {
    this.#added += 1;
    if (repaired) this.#repaired += 1;
    if (socket.state !== 'established') return;
    for (const [seconds, count] of this.#counts) {
      const judgement = judgeConnection(socket.view, seconds);
      if (judgement === 'exempt') continue;
      if (judgement === 'protected') count.protected += 1;
      else if (judgement === 'unknown') count.unknown += 1;
      else count.exposed += 1;
      const exposure = isFragile(socket.view, seconds) ? 'UserTimeout' : judgement;
      if (exposure !== 'protected' && exposure !== 'unknown')
        addToGroup(count, { program: socket.program, exposure, peer: socket.peer, count: 1 });
    }
  }

  /** A connection of which nobody can tell how it stands. */
  addUnknown(): void {
    for (const count of this.#counts.values()) count.unknown += 1;
  }

  addFailure(code: string): void {
    this.#failures[code] = (this.#failures[code] ?? 0) + 1;
  }

  leaveOut(why: LeftOut, sockets = 1): void {
    this.#leftOut[why] = (this.#leftOut[why] ?? 0) + sockets;
  }

  reading(): SocketReading {
    const byTimeout = [...this.#counts].map(([seconds, count]) => [seconds, countsOf(count)] as const);
    return {
      ...{ place: this.#place, repaired: this.#repaired, failures: this.#failures, leftOut: this.#leftOut },
      byTimeout: Object.fromEntries(byTimeout),
    };
  }
}

function addToGroup(count: Count, group: ExposedGroup): void {
  const isNamed = count.groups.size < countedGroups || count.groups.has(keyOf(group));
  const program = isNamed ? group.program : 'other programs';
  const key = keyOf({ ...group, program });
  const known = count.groups.get(key);
  if (known === undefined) count.groups.set(key, { ...group, program });
  else known.count += 1;
}

function keyOf({ program, exposure }: ExposedGroup): string {
  return `${program} ${exposure}`;
}

function countsOf({ groups, ...count }: Count): ConnectionCounts {
  const worst = [...groups.values()].sort((a, b) => b.count - a.count || (keyOf(a) < keyOf(b) ? -1 : 1));
  return {
    ...count,
    established: count.protected + count.exposed + count.unknown,
    worst: worst.slice(0, namedGroups),
  };
}
