import { closeSync } from 'node:fs';

import { KeepaliveFiles } from '../kernel/keepalive-files.ts';
import type { NamespaceIdentity } from '../kernel/network-namespace.ts';
import { HomeNamespace, identityInside, inodeOf } from '../kernel/network-namespace.ts';
import { firstProcess, withProcess } from '../kernel/process.ts';
import { HOST } from '../policy/reading.ts';
import { isOfPod, processesOfPods } from './sandbox.ts';

export interface OpenNamespace {
  readonly files: KeepaliveFiles;
  /** Names this very namespace: a pod's next one has another. */
  readonly identity: string;
}

/** The network namespaces of the host and of its pods, found through their processes and held open. */
export class Namespaces {
  readonly #procRoot: string;
  readonly #home = new HomeNamespace();
  readonly #opened = new Map<string, OpenNamespace>();

  constructor(procRoot: string) {
    this.#procRoot = procRoot;
  }

  get(place: string): OpenNamespace | undefined {
    return this.#opened.get(place);
  }

  places(): string[] {
    return [...this.#opened.keys()];
  }

  /**
   * Looks for these places, through the processes of the host once for all. What has no process stays unopened;
   * the error codes of what has one and cannot be entered are given back.
   */
  open(places: readonly string[]): ReadonlyMap<string, string> {
    if (places.length === 0) return new Map();
    const host = attempt(() => this.#openProcess(firstProcess, () => true));
    // Whoever does not know the host's own namespace could take it for a pod's.
    if (typeof host === 'string' || host === undefined)
      return new Map(places.map((place) => [place, host ?? 'ESRCH']));
    if (places.includes(HOST)) this.#opened.set(HOST, host);
    else host.files.close();
    return this.#openPods(new Set(places.filter((place) => place !== HOST)), host.inode);
  }

  close(place: string): void {
    this.#opened.get(place)?.files.close();
    this.#opened.delete(place);
  }

  closeAll(): void {
    for (const place of this.places()) this.close(place);
    this.#home.close();
  }

  /**
   * Passed over is what is in the host's own network, as what starts a container is for a moment and some
   * runtimes' monitors are: pods of the host's network are not looked for here.
   */
  #openPods(uids: ReadonlySet<string>, hostInode: bigint): Map<string, string> {
    const failures = new Map<string, string>();
    if (uids.size === 0) return failures;
    for (const [uid, pids] of processesOfPods(this.#procRoot, uids)) {
      for (const pid of pids) {
        const found = attempt(() => this.#openProcess(pid, (inode) => inode !== hostInode, uid));
        if (found === undefined) continue;
        if (typeof found === 'string') failures.set(uid, found);
        else this.#opened.set(uid, found);
        break;
      }
    }
    return failures;
  }

  /** Undefined where the process has ended, is of another pod by now, or its namespace is not to be had. */
  #openProcess(
    pid: number,
    mayBe: (inode: bigint) => boolean,
    uid?: string,
  ): (OpenNamespace & { readonly inode: bigint }) | undefined {
    return withProcess(this.#procRoot, pid, (process) => {
      if (uid !== undefined && !isOfPod(process, uid)) return undefined;
      const fd = process.openNetworkNamespace();
      try {
        const inode = inodeOf(fd);
        if (!mayBe(inode)) return undefined;
        return this.#home.away(fd, () => ({
          inode,
          identity: nameOf(identityInside(fd)),
          files: KeepaliveFiles.open(this.#procRoot),
        }));
      } finally {
        closeSync(fd);
      }
    });
  }
}

/** An error's code instead of the error. */
function attempt<T>(action: () => T): T | string {
  try {
    return action();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
  }
}

function nameOf({ cookie, inode }: NamespaceIdentity): string {
  return cookie === undefined ? `inode ${inode}` : `cookie ${cookie}`;
}
