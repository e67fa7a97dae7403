import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { keyAsBytes, keyBytes } from './connection-layout.ts';
import { keysOf, openPinned, removeFromMap, updateMap } from './libbpf.ts';
import { close } from './syscall.ts';

/** What is ordered, in the maps that a build of keepalive.bpf.c has pinned. */
export class OrderMaps {
  readonly #networks: number;
  readonly #groups: number;

  constructor(folder: string) {
    this.#networks = openPinned(join(folder, 'networks'));
    try {
      this.#groups = openPinned(join(folder, 'groups'));
    } catch (error) {
      close(this.#networks);
      throw error;
    }
  }

  /** Of a build that need not be this one: undefined where it has none, or keeps them in another way. */
  static ofAny(folder: string): OrderMaps | undefined {
    try {
      const maps = new OrderMaps(folder);
      if ([maps.#networks, maps.#groups].every(hasOurKeys)) return maps;
      maps.close();
    } catch {
      // Half of it may have been taken away.
    }
    return undefined;
  }

  /** E2BIG where there are too many of them. */
  order(cookie: bigint, order: Buffer): void {
    updateMap(this.#networks, keyAsBytes(cookie), order);
  }

  orderGroup(inode: bigint, order: Buffer): void {
    updateMap(this.#groups, keyAsBytes(inode), order);
  }

  withdraw(cookie: bigint): void {
    removeFromMap(this.#networks, keyAsBytes(cookie));
  }

  withdrawGroup(inode: bigint): void {
    removeFromMap(this.#groups, keyAsBytes(inode));
  }

  ordered(): bigint[] {
    return keysOf(this.#networks, keyBytes).map((key) => key.readBigUInt64LE());
  }

  orderedGroups(): bigint[] {
    return keysOf(this.#groups, keyBytes).map((key) => key.readBigUInt64LE());
  }

  close(): void {
    close(this.#networks);
    close(this.#groups);
  }
}

/** The kernel writes a key of whatever size the map has. */
function hasOurKeys(map: number): boolean {
  return readFileSync(`/proc/self/fdinfo/${map}`, 'utf8').includes(`key_size:\t${keyBytes}\n`);
}
