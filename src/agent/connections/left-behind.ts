import { basename } from 'node:path';

import type { MetProcess } from '../../kernel/process.ts';
import {
  firstProcess,
  isStillThere,
  numbersIn,
  readCgroups,
  startTicksOf,
  stateOf,
  withProcess,
} from '../../kernel/process.ts';
import { socketProcessName } from './socket-child.ts';

/**
 * Those that earlier agents of this node gave up, and that still wait for a system call. They stand in the control groups
 * of the machine's first process, where no pod's process is, whatever it calls itself.
 */
export class LeftBehindBefore {
  readonly #procRoot: string;
  #processes: readonly MetProcess[];

  constructor(procRoot: string) {
    this.#procRoot = procRoot;
    const ofFirst = readCgroups(procRoot, firstProcess);
    const isOfFirst = (pid: number) => ofFirst !== undefined && readCgroups(procRoot, pid) === ofFirst;
    this.#processes = numbersIn(procRoot)
      .filter((pid) => stateOf(procRoot, pid) === 'D' && isOfFirst(pid))
      .filter((pid) => looksAtSockets(procRoot, pid))
      .flatMap((pid) => {
        const started = startTicksOf(procRoot, String(pid));
        return started === undefined ? [] : [{ pid, started }];
      })
      .toArray();
  }

  /** How many of them have not ended yet. */
  get count(): number {
    this.#processes = this.#processes.filter((one) => isStillThere(this.#procRoot, one));
    return this.#processes.length;
  }
}

/** By what the kernel tells: what it was started with is read of its memory, which may be a page that never comes. */
function looksAtSockets(procRoot: string, pid: number): boolean {
  try {
    const isOurs = withProcess(
      procRoot,
      pid,
      (one) => one.program() === socketProcessName && one.executable() === basename(process.execPath),
    );
    return isOurs === true;
  } catch {
    return false;
  }
}
