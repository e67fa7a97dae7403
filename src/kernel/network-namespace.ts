import { closeSync, fstatSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { throughLiving } from './process.ts';
import { enterNetworkNamespace, networkNamespaceCookie } from './syscall.ts';

/** What tells one network namespace from every other. */
export interface NamespaceIdentity {
  /** Of the namespace's file: the same for all that is in it, given to another once it is gone. */
  readonly inode: bigint;
  /** Never given again while the machine runs; undefined before Linux 5.14. */
  readonly cookie: bigint | undefined;
}

/** The network namespace that the calling thread belongs to; made once, before it goes anywhere. */
export class HomeNamespace {
  readonly #fd: number;

  constructor() {
    this.#fd = openSync('/proc/thread-self/ns/net', 'r');
  }

  /** Runs `action` in the namespace behind `fd`. The thread is back home when this returns, or throws. */
  away<T>(fd: number, action: () => T): T {
    enterNetworkNamespace(fd);
    try {
      return action();
    } finally {
      enterNetworkNamespace(this.#fd);
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Of the namespace behind `fd`, in which the calling thread is. */
export function identityInside(fd: number): NamespaceIdentity {
  return { inode: inodeOf(fd), cookie: networkNamespaceCookie() };
}

export function inodeOf(fd: number): bigint {
  return fstatSync(fd, { bigint: true }).ino;
}

/** Inode number of the network namespace of a process. Throws where it has ended, or may not be looked at. */
export function networkOf(procRoot: string, pid: number): bigint {
  const folder = join(procRoot, String(pid));
  return throughLiving(folder, (one) => statSync(join(one, 'ns/net'), { bigint: true }).ino);
}
