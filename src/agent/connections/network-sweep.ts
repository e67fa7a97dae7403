import { closeSync } from 'node:fs';

import { sweep } from '../../kernel/connection-program.ts';
import { HomeNamespace, identityInside } from '../../kernel/network-namespace.ts';
import { withProcess } from '../../kernel/process.ts';
import type { Diary } from './diary.ts';
import type { Network } from '../node-kernel.ts';

export interface OwnedNetwork extends Network {
  /** Whose programs may hold what a sweep of it waits for. */
  readonly owner: string;
}

export interface SweepRequest {
  readonly networks: readonly OwnedNetwork[];
  /** Where the program is pinned that sweeps them. */
  readonly pins: string;
}

/** What came of the sweep of one network namespace. */
export interface Swept {
  readonly cookie: bigint;
  /** `lost`: the process that led there is not there any more. */
  readonly as: 'swept' | 'lost' | 'failed';
  /** Connections that were given values. */
  readonly repaired: number;
  /** Of a core. */
  readonly cpuMs: number;
  /** Where it failed. */
  readonly error?: string;
}

/**
 * Lets the kernel give the open connections of network namespaces their values. Whoever holds the lock of one of them
 * makes it wait: nobody can tell which, so the process that led there stands in the diary.
 */
export class NetworkSweep {
  readonly #procRoot: string;
  readonly #diary: Pick<Diary, 'begin' | 'touch'>;
  readonly #home = new HomeNamespace();

  constructor(procRoot: string, diary: Pick<Diary, 'begin' | 'touch'>) {
    this.#procRoot = procRoot;
    this.#diary = diary;
  }

  /** Yields undefined between steps, and what came of each network once it is done. */
  *sweep({ networks, pins }: SweepRequest): Generator<Swept | undefined, void> {
    for (const [at, network] of networks.entries()) {
      this.#diary.begin(at);
      yield* this.#sweepOne(network, pins);
    }
    this.#diary.begin(0);
  }

  *#sweepOne(network: Network, pins: string): Generator<Swept | undefined, void> {
    const startedAt = process.cpuUsage();
    let repaired = 0;
    const result = (as: Swept['as']) => {
      const { user, system } = process.cpuUsage(startedAt);
      return { cookie: network.cookie, as, repaired, cpuMs: (user + system) / 1000 };
    };
    try {
      const steps = this.#begin(network, pins);
      if (steps === undefined) {
        yield result('lost');
        return;
      }
      this.#diary.touch(network.pid, 0);
      for (const told of steps) {
        repaired += told.filter((one) => one.repaired).length;
        this.#diary.touch(network.pid, 0);
        yield;
      }
      yield result('swept');
    } catch (error) {
      yield { ...result('failed'), error: (error as Error).message };
    }
  }

  /** Undefined where the process has ended, or its number is another's by now. */
  #begin({ cookie, pid }: Network, pins: string): ReturnType<typeof sweep> | undefined {
    return withProcess(this.#procRoot, pid, (process) => {
      const fd = process.openNetworkNamespace();
      try {
        return this.#home.away(fd, () => (identityInside(fd).cookie === cookie ? sweep(pins) : undefined));
      } finally {
        closeSync(fd);
      }
    });
  }
}
