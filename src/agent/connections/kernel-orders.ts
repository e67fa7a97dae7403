import { isDeepStrictEqual } from 'node:util';

import type { Order, Unmarked } from '../../kernel/connection-layout.ts';
import { leftAlone, onlyTold } from '../../kernel/connection-layout.ts';
import type { ConnectionProgram } from '../../kernel/connection-program.ts';
import type { OrderMaps } from '../../kernel/order-maps.ts';
import { workedOut } from '../../policy/worked-requirement.ts';
import type { SocketTarget } from '../../policy/connection.ts';
import type { Place } from '../../policy/place.ts';
import { HOST } from '../../policy/place.ts';
import type { Followed, Following, Served } from './node-connections.ts';
import type { Network } from '../node-kernel.ts';
import type { PodFolders } from './pod-folders.ts';

const shortestRestMs = 5000;

export interface KernelOrdersOptions {
  readonly program: Pick<
    ConnectionProgram,
    | 'order'
    | 'orderGroup'
    | 'ordered'
    | 'orderedGroups'
    | 'withdraw'
    | 'withdrawGroup'
    | 'others'
    | 'unmarked'
  >;
  /** The network namespace of a place, where it is known. */
  readonly networkOf: (place: Place) => Network | undefined;
  /** Undefined where control groups do not tell pods of the host's network apart. */
  readonly folders: PodFolders | undefined;
}

interface HeldBack {
  readonly network: (cookie: bigint) => boolean;
  readonly groups: boolean;
}

export const nothingHeld: HeldBack = { network: () => false, groups: false };

/**
 * What the program in the kernel was told. A pod with a network of its own is known by that; in the host's network pods
 * are known by their control groups, and everything else is the host's own.
 */
export class KernelOrders {
  readonly #options: KernelOrdersOptions;
  #networks = new Map<bigint, SocketTarget>();
  #groups = new Map<bigint, SocketTarget>();
  #sent = new Map<string, unknown>();
  #hasFollowed = false;
  #refused: Record<string, number> = {};

  constructor(options: KernelOrdersOptions) {
    this.#options = options;
  }

  /** Whether all that the kernel was told is what was asked of this agent, and nothing an earlier one was. */
  get hasFollowed(): boolean {
    return this.#hasFollowed;
  }

  get networks(): ReadonlyMap<bigint, SocketTarget> {
    return this.#networks;
  }

  get groups(): ReadonlyMap<bigint, SocketTarget> {
    return this.#groups;
  }

  /** Of whom a count does not tell all, whatever was ordered. */
  get unmarked(): readonly Unmarked[] {
    return this.#options.program.unmarked();
  }

  follow(followed: Followed): Following {
    const { networkOf } = this.#options;
    this.#refused = {};
    this.#networks = new Map();
    this.#groups = new Map();
    const ofHost = followed.targets.filter((target) => isOfHost(target, followed));
    const own = followed.targets.filter((target) => !isOfHost(target, followed));
    const served = own.flatMap((target) => {
      const network = networkOf(target.place);
      if (network === undefined || !this.#send(network.cookie, orderOf(target))) return [];
      this.#networks.set(network.cookie, target);
      return [{ place: target.place, network }];
    });
    const hostServed = this.#followHost(ofHost, followed);
    this.#withdraw(hostServed.cookie, followed);
    this.#hasFollowed ||= followed.held.size === 0;
    const all = [...served, ...hostServed.served];
    return { served: all, againMs: this.#againMs(ofHost, followed), refused: this.#refused };
  }

  #againMs(ofHost: readonly SocketTarget[], { running }: Followed): number | undefined {
    const { folders } = this.#options;
    const known = new Set([...this.#groups.values()].map(({ place }) => place));
    const isMissing = ofHost.some(({ place }) => isIn(running, place) && !known.has(place));
    // Whatever it lacks, the network of the host for one, nobody is asked for it all the time.
    return isMissing && folders !== undefined ? Math.max(folders.restMs, shortestRestMs) : undefined;
  }

  #followHost(
    targets: readonly SocketTarget[],
    { hostPods, running, pods }: Followed,
  ): { readonly served: Served[]; readonly cookie: bigint | undefined } {
    const { networkOf, folders } = this.#options;
    const network = networkOf(HOST);
    const none = { served: [], cookie: undefined };
    if (folders === undefined || network === undefined || targets.length === 0) return none;
    const asked = new Set(targets.map(({ place }) => place));
    const sought = new Set([...running].filter((place) => asked.has(place)));
    const found = folders.find({ places: hostPods, sought }, pods);
    const host = targets.filter(({ place }) => place === HOST);
    const isHeld = targets.some((target) => isIn(running, target.place) && isYetToBeSpared(target, found));
    if (isHeld && host.some(({ wanted }) => wanted !== undefined)) return none;
    const ofPods = this.#followHostPods(targets, found);
    const [order = leftAlone] = host.map(orderOf);
    if (!this.#send(network.cookie, order, { asksGroups: true })) return none;
    for (const target of host) this.#networks.set(network.cookie, target);
    const served = [...host, ...ofPods].map(({ place }) => ({ place, network }));
    return { served, cookie: network.cookie };
  }

  #followHostPods(
    targets: readonly SocketTarget[],
    found: ReadonlyMap<Place, bigint>,
  ): readonly SocketTarget[] {
    return targets.filter((target) => {
      const inode = found.get(target.place);
      if (inode === undefined || !this.#sendGroup(inode, orderOf(target))) return false;
      this.#groups.set(inode, target);
      return true;
    });
  }

  /** False where the kernel refuses it, as where there is no room. */
  #send(cookie: bigint, order: Order, how: { readonly asksGroups?: boolean } = {}): boolean {
    return this.#sendOnce(`network ${cookie}`, { order, ...how }, () =>
      this.#options.program.order(cookie, order, how),
    );
  }

  #sendGroup(inode: bigint, order: Order): boolean {
    return this.#sendOnce(`group ${inode}`, { order }, () => this.#options.program.orderGroup(inode, order));
  }

  #sendOnce(key: string, what: object, send: () => void): boolean {
    if (isDeepStrictEqual(this.#sent.get(key), what)) return true;
    try {
      send();
    } catch (error) {
      // Nobody else is to go without for it.
      const { code = 'unknown' } = error as NodeJS.ErrnoException;
      this.#refused[code] = (this.#refused[code] ?? 0) + 1;
      return false;
    }
    this.#sent.set(key, what);
    return true;
  }

  /** What is asked no more of what was sent, and what an earlier agent was asked, but for what may still be asked. */
  #withdraw(hostCookie: bigint | undefined, followed: Followed): void {
    const { program } = this.#options;
    const isHeld = this.#heldBack(followed);
    for (const cookie of this.#hasFollowed ? this.#keysSent('network') : program.ordered())
      if (!this.#networks.has(cookie) && cookie !== hostCookie)
        this.#take(`network ${cookie}`, isHeld.network(cookie), () => program.withdraw(cookie));
    for (const inode of this.#hasFollowed ? this.#keysSent('group') : program.orderedGroups())
      if (!this.#groups.has(inode))
        this.#take(`group ${inode}`, isHeld.groups, () => program.withdrawGroup(inode));
    if (!this.#hasFollowed && followed.held.size > 0) this.#withdrawOthers(isHeld);
  }

  /** What other builds were told acts beside it for as long as anything is held. */
  #withdrawOthers(isHeld: HeldBack): void {
    for (const other of this.#options.program.others()) {
      try {
        withdrawFrom(other, isHeld);
      } finally {
        other.close();
      }
    }
  }

  /** What this agent sent itself is taken back whether it is held or not. */
  #take(key: string, isHeld: boolean, withdraw: () => void): void {
    if (!this.#sent.has(key) && isHeld) return;
    withdraw();
    this.#sent.delete(key);
  }

  /** What an earlier agent ordered there may be asked still, though nobody can tell. */
  #heldBack({ held, hostPods, pods }: Followed): HeldBack {
    // From then on all that is looked at was sent by this agent.
    if (this.#hasFollowed) return nothingHeld;
    const { networkOf } = this.#options;
    // Pods of the host's network are found through what is ordered for that.
    const places = new Set(held.values().map((place) => (isIn(hostPods, place) ? HOST : place)));
    const cookies = new Set(places.values().map((place) => networkOf(place)?.cookie));
    const all: readonly Place[] = [HOST, ...pods.keys()];
    const known = new Set(all.map((place) => networkOf(place)?.cookie));
    // One that no place is known by may be that of a held one, as long as that is not known.
    const isAnyUnknown = cookies.has(undefined);
    return {
      network: (cookie) => cookies.has(cookie) || (isAnyUnknown && !known.has(cookie)),
      groups: places.has(HOST),
    };
  }

  #keysSent(kind: 'network' | 'group'): bigint[] {
    const keys = [...this.#sent.keys()].filter((key) => key.startsWith(`${kind} `));
    return keys.map((key) => BigInt(key.slice(kind.length + 1)));
  }
}

export function withdrawFrom(
  other: Pick<OrderMaps, 'ordered' | 'orderedGroups' | 'withdraw' | 'withdrawGroup'>,
  isHeld: HeldBack,
): void {
  for (const cookie of other.ordered()) if (!isHeld.network(cookie)) other.withdraw(cookie);
  for (const inode of other.orderedGroups()) if (!isHeld.groups) other.withdrawGroup(inode);
}

function isOfHost({ place }: SocketTarget, { hostPods }: Followed): boolean {
  return place === HOST || hostPods.has(place);
}

function isIn(places: ReadonlySet<Place>, place: Place): boolean {
  return places.has(place);
}

/** It wants to be left alone, or only looked at, and would be given what the host is given, since its group is not known. */
function isYetToBeSpared({ place, wanted }: SocketTarget, found: ReadonlyMap<Place, bigint>): boolean {
  return place !== HOST && wanted === undefined && !found.has(place);
}

function orderOf({ wanted }: SocketTarget): Order {
  return wanted === undefined ? onlyTold : workedOut(wanted);
}
