import {
  closeSync,
  constants,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

import { startTicksOf } from '../kernel/process.ts';
import { tryLock } from '../kernel/syscall.ts';
import { inStateFolder } from './state-folder.ts';

/** The thread that holds the lock, as the lock's file names it. */
interface Holder {
  /** Below the host's proc: `PROCESS/task/THREAD`. */
  readonly thread: string;
  /** Clock ticks since the machine started: its number may have gone to another. */
  readonly started: number;
}

/**
 * One agent at a time on a node: two would each take for somebody else's hand what the other writes, and tear the
 * ledger. A pod that was deleted by force runs on for a while beside the one that follows.
 *
 * The kernel lets go of the lock when the last thread of its holder has ended, however. A thread that hangs in a system
 * call on something of a tenant's never ends, killed or not; so what counts is the thread that writes values: where that is
 * gone, nothing is written any more, and the lock is begun anew.
 */
export class Turn {
  readonly #file: string;
  readonly #procRoot: string;
  #fd: number | undefined;

  constructor(file: string, procRoot: string) {
    this.#file = file;
    this.#procRoot = procRoot;
  }

  /** Undefined once it is the calling thread's; else who has it. Throws where the folder cannot be written. */
  take(): string | undefined {
    return inStateFolder(this.#file, () => this.#take());
  }

  release(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #take(): string | undefined {
    const folder = dirname(this.#file);
    mkdirSync(folder, { recursive: true });
    // Two that wait must not both begin it anew.
    const door = openSync(folder, 'r');
    try {
      return tryLock(door) ? this.#takeAlone() : 'another agent that waits for the node';
    } finally {
      closeSync(door);
    }
  }

  #takeAlone(): string | undefined {
    const fd = openSync(this.#file, constants.O_RDWR | constants.O_CREAT);
    if (tryLock(fd)) {
      this.#fd = fd;
      writeOver(fd, JSON.stringify(this.#self()));
      return undefined;
    }
    const holder = parseHolder(readFileSync(this.#file, 'utf8'));
    closeSync(fd);
    if (holder !== undefined && this.#hasEnded(holder)) {
      rmSync(this.#file);
      return this.#takeAlone();
    }
    return holder === undefined ? 'another agent' : `another agent, process ${parseInt(holder.thread)}`;
  }

  /** Empty where the proc file system does not show this process: then the lock alone says who lives. */
  #self(): Partial<Holder> {
    try {
      const thread = readlinkSync(join(this.#procRoot, 'thread-self'));
      return { thread, started: startTicksOf(this.#procRoot, thread) ?? NaN };
    } catch {
      return {};
    }
  }

  #hasEnded({ thread, started }: Holder): boolean {
    const ticks = startTicksOf(this.#procRoot, thread);
    // One that cannot be read may live, and write.
    return ticks === undefined ? !existsSync(join(this.#procRoot, thread)) : ticks !== started;
  }
}

/** First written, then cut to length: once a disk is full, it would not give again what is let go. */
function writeOver(fd: number, text: string): void {
  let length = 0;
  try {
    length = writeSync(fd, text, 0);
  } catch {
    // Whoever holds the lock holds it without a name too.
  }
  ftruncateSync(fd, length);
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { thread, started } = JSON.parse(text) as Partial<Holder>;
    return typeof thread === 'string' && /^\d+\/task\/\d+$/.test(thread) && typeof started === 'number'
      ? { thread, started }
      : undefined;
  } catch {
    return undefined;
  }
}
