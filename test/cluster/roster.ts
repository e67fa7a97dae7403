import type { GuestSpec } from './guest-node/guest-spec.ts';

/** A node of a cluster, and its number in the plan of addresses, from 1. */
export interface Member {
  readonly name: string;
  readonly index: number;
}

export interface Guest extends Member {
  readonly spec: GuestSpec;
}

export interface Roster {
  /** Those that are namespaces of this machine. */
  readonly nodes: readonly string[];
  /** Those that are machines of their own; named g1, g2 and so on. */
  readonly guests?: readonly GuestSpec[] | undefined;
}

export function guestsOf({ nodes, guests = [] }: Roster): Guest[] {
  return guests.map((spec, at) => ({ name: `g${at + 1}`, index: nodes.length + at + 1, spec }));
}

export function membersOf(roster: Roster): Member[] {
  return [...roster.nodes.map((name, at) => ({ name, index: at + 1 })), ...guestsOf(roster)];
}
