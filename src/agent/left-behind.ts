import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { firstProcess, processNumbers, readCgroups, startTicksOf, stateOf } from '../kernel/process.ts';
import { socketProcessFile } from './socket-child.ts';

/** A process, and never another that was given its number since. */
interface LeftBehind {
  readonly pid: number;
  /** Clock ticks since the machine started. */
  readonly started: number;
}

/**
 * Those that earlier agents of this node gave up, and that still wait for a system call. They stand in the control groups
 * of the machine's first process, where no pod's process is, whatever it calls itself.
 */
export class LeftBehindBefore {
  readonly #procRoot: string;
  #processes: readonly LeftBehind[];

  constructor(procRoot: string) {
    this.#procRoot = procRoot;
    const ofFirst = readCgroups(procRoot, firstProcess);
    this.#processes = processNumbers(procRoot)
      .filter((pid) => stateOf(procRoot, pid) === 'D' && readCgroups(procRoot, pid) === ofFirst)
      .filter((pid) => looksAtSockets(procRoot, pid))
      .flatMap((pid) => {
        const started = startTicksOf(procRoot, String(pid));
        return started === undefined ? [] : [{ pid, started }];
      });
  }

  /** How many of them have not ended yet. */
  get count(): number {
    this.#processes = this.#processes.filter(
      ({ pid, started }) => startTicksOf(this.#procRoot, String(pid)) === started,
    );
    return this.#processes.length;
  }
}

function looksAtSockets(procRoot: string, pid: number): boolean {
  try {
    return readFileSync(join(procRoot, String(pid), 'cmdline'), 'utf8')
      .split('\0')
      .some((argument) => argument.endsWith(socketProcessFile));
  } catch {
    return false;
  }
}
