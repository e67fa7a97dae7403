import { closeSync } from 'node:fs';

import { sweep } from '../kernel/connection-program.ts';
import { HomeNamespace, identityInside } from '../kernel/network-namespace.ts';
import { withProcess } from '../kernel/process.ts';
import type { Place } from '../policy/place.ts';
import type { Diary } from './diary.ts';
import type { Network } from './node-kernel.ts';
import type { Looked } from './socket-scan.ts';

/**
 * Lets the kernel give the open connections of one network namespace their values. Whoever holds the lock of one of them
 * makes it wait: nobody can tell which, so the process that led there stands in the diary.
 */
export class NetworkSweep {
  readonly #procRoot: string;
  readonly #diary: Pick<Diary, 'touch'>;
  readonly #home = new HomeNamespace();

  constructor(procRoot: string, diary: Pick<Diary, 'touch'>) {
    this.#procRoot = procRoot;
    this.#diary = diary;
  }

  /** Yields undefined between steps, and at last how it went. */
  *sweep(place: Place, network: Network, pins: string): Generator<Looked | undefined, void> {
    const startedAt = process.cpuUsage();
    const steps = this.#begin(network, pins);
    let repaired = 0;
    if (steps !== undefined) {
      this.#diary.touch(network.pid, 0);
      for (const told of steps) {
        repaired += told.filter((one) => one.repaired).length;
        this.#diary.touch(network.pid, 0);
        yield;
      }
    }
    const { user, system } = process.cpuUsage(startedAt);
    const reading = { place, byTimeout: {}, repaired, failures: {}, leftOut: {} };
    yield { reading, as: steps === undefined ? 'lost' : 'swept', cpuMs: (user + system) / 1000 };
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
