import { readSync, writeSync } from 'node:fs';

import { createMemoryFile } from '../../kernel/syscall.ts';

/** What the process that looks at sockets is at. */
export interface DiaryEntry {
  /** Grows with everything it does: where it stands still, a system call has not returned. */
  readonly beat: number;
  /** Which of the places that it was asked for, in their order. */
  readonly target: number;
  /** 0 between two processes. */
  readonly pid: number;
  /** The socket; 0 while its process is listed. */
  readonly inode: number;
}

const numberBytes = 8;
const entryBytes = 4 * numberBytes;

/**
 * A few bytes of memory that the process which looks at sockets writes before each of them, and its parent reads when
 * it does not answer: a process that hangs in a system call can be asked for nothing.
 */
export class Diary {
  readonly #fd: number;
  readonly #bytes = Buffer.alloc(entryBytes);
  #beat = 0;
  #target = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  static create(): number {
    return createMemoryFile('keepalive-diary');
  }

  static read(fd: number): DiaryEntry {
    const bytes = Buffer.alloc(entryBytes);
    readSync(fd, bytes, 0, entryBytes, 0);
    const at = (index: number) => bytes.readDoubleLE(index * numberBytes);
    return { beat: at(0), target: at(1), pid: at(2), inode: at(3) };
  }

  begin(target: number): void {
    this.#target = target;
    this.touch(0, 0);
  }

  touch(pid: number, inode: number): void {
    this.#beat += 1;
    [this.#beat, this.#target, pid, inode].forEach((value, index) => {
      this.#bytes.writeDoubleLE(value, index * numberBytes);
    });
    writeSync(this.#fd, this.#bytes, 0, entryBytes, 0);
  }
}
