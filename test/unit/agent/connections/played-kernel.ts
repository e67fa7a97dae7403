import { setImmediate } from 'node:timers/promises';

import { jest } from '@jest/globals';

import type {
  Counted,
  Followed,
  Following,
  Served,
} from '../../../../src/agent/connections/node-connections.ts';
import type { Swept } from '../../../../src/agent/connections/network-sweep.ts';
import type { SweepHang } from '../../../../src/agent/connections/socket-link.ts';
import type { Reach } from '../../../../src/agent/kernel-link.ts';
import type { ConnectionCounts, SocketReading } from '../../../../src/policy/connection.ts';
import type { Place } from '../../../../src/policy/place.ts';
import { placeOfPod } from '../../../../src/policy/place.ts';

export const one = placeOfPod('one');
export const other = placeOfPod('other');

/** A kernel that serves each pod in a network of its own, and a process that sweeps, as far as a test lets them. */
export class PlayedKernel {
  readonly cookies = new Map<Place, bigint>([
    [one, 1n],
    [other, 2n],
  ]);
  reach: Reach = {
    pins: '/pins',
    byDescriptors: true,
    means: { by: 'BPF', countedBy: 'BPF', why: undefined },
  };
  followFails = false;
  /** Somebody took away what it serves and counts by: nothing is counted until it is told anew what is asked. */
  isGone = false;
  countFails = false;
  counted: Omit<Counted, 'cpuMs'> = { readings: [], loosened: [] };
  sweeps: bigint[] = [];
  sweepOf: (cookie: bigint) => Swept | SweepHang = (cookie) => ({
    ...{ cookie, as: 'swept', repaired: 0, cpuMs: 0 },
  });
  sweepTakesMs = 0;
  counting = 0;
  countTakesMs = 0;
  /** Of a core: waiting is none. */
  countCpuMs = 0;
  /** Of these, no more processes may be lost to sockets. */
  readonly risky = new Set<string>();
  mayRisk = (owner: string) => !this.risky.has(owner);

  followConnections({ targets }: Followed): Promise<Following> {
    if (this.followFails) return Promise.reject(new Error('EIO'));
    const served: Served[] = targets.flatMap(({ place }) => {
      const cookie = this.cookies.get(place);
      return cookie === undefined ? [] : [{ place, network: { cookie, pid: 1 } }];
    });
    const isAnew = this.isGone;
    this.isGone = false;
    return Promise.resolve({ served, againMs: undefined, refused: {}, isAnew });
  }

  async countConnections(): Promise<Counted> {
    this.counting += 1;
    const { counted } = this;
    await Promise.race([take(this.countTakesMs), this.#ended.promise]);
    if (this.countFails || this.isGone) throw new Error('EIO');
    return { ...counted, cpuMs: this.countCpuMs };
  }

  #ended = Promise.withResolvers<void>();
  endCounts(): Promise<void> {
    this.#ended.resolve();
    this.#ended = Promise.withResolvers();
    return Promise.resolve();
  }

  async sweep(
    { networks }: { readonly networks: readonly { readonly cookie: bigint }[] },
    onSwept: (swept: Swept) => void,
  ): Promise<SweepHang | undefined> {
    for (const { cookie } of networks) {
      await take(this.sweepTakesMs);
      this.sweeps.push(cookie);
      const result = this.sweepOf(cookie);
      if ('released' in result) return result;
      onSwept(result);
    }
    return undefined;
  }
}

function take(ms: number): Promise<void> {
  return ms === 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms));
}

const passSteps = 100;

/** Lets time pass, in milliseconds, and everybody do what is due then; what follows from that takes turns of the real event loop. */
export async function pass(ms: number): Promise<void> {
  for (let step = 0; step < passSteps; step += 1) {
    await jest.advanceTimersByTimeAsync(ms / passSteps);
    for (let turn = 0; turn < 5; turn += 1) await setImmediate();
  }
}

export const counts = (over: Partial<ConnectionCounts> = {}): ConnectionCounts => ({
  ...{ established: 1, protected: 1, exposed: 0, unknown: 0, worst: [] },
  ...over,
});
export const reading = (place: Place, over?: Partial<ConnectionCounts>): SocketReading => ({
  ...{ place, byTimeout: { 90: counts(over) }, repaired: 0, failures: {}, leftOut: {} },
});
export const group = (program: string, count: number) => ({
  ...{ program, exposure: 'KeepaliveOff' as const, peer: '192.0.2.1:443', count },
});
export const exposedBy = (...worst: readonly ReturnType<typeof group>[]): Partial<ConnectionCounts> => {
  const all = worst.reduce((sum, { count }) => sum + count, 0);
  return { established: all, protected: 0, exposed: all, worst };
};
