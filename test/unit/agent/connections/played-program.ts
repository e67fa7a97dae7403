import type { OrderMaps } from '../../../../src/kernel/order-maps.ts';
import type { Order, ToldConnection, Unmarked } from '../../../../src/kernel/connection-layout.ts';

/** The program in the kernel, as far as it keeps what it is told. */
export class PlayedProgram {
  readonly folder = '/pins';
  sweeps = true;
  isWhole = true;
  isClosed = false;
  readonly networks = new Map<bigint, Order>();
  readonly groups = new Map<bigint, Order>();
  readonly countless: string | undefined;

  constructor(countless?: string) {
    this.countless = countless;
  }

  order = (cookie: bigint, order: Order) => void this.networks.set(cookie, order);
  orderGroup = (inode: bigint, order: Order) => void this.groups.set(inode, order);
  withdraw = (cookie: bigint) => void this.networks.delete(cookie);
  withdrawGroup = (inode: bigint) => void this.groups.delete(inode);
  ordered = () => [...this.networks.keys()];
  orderedGroups = () => [...this.groups.keys()];
  /** Of other builds. */
  beside: readonly PlayedProgram[] = [];
  others = () => this.beside as unknown as OrderMaps[];
  /** What each read gives. */
  steps: readonly ToldConnection[][] = [];
  *read() {
    yield* this.steps;
  }
  /** Of whom a read does not give all. */
  untold: readonly Unmarked[] = [];
  unmarked = () => [...this.untold];
  removeOthers = () => undefined;
  close = () => void (this.isClosed = true);
}
