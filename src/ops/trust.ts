import type { KeyPair, Pair } from './certificate.ts';
import { isFor, isValidAt, madeAtMs } from './certificate.ts';

/**
 * How a certificate is followed by another one without a moment in which whoever calls does not trust what is served: its
 * authority is made known first, and only then it is stored, which is when it is served.
 */

/** A certificate is made for so long, */
export const lifeMs = 90 * 86_400_000;
/** and is followed by the next one after two thirds of that: a month to notice that this fails. */
const usedPart = 2 / 3;
/** How long callers may take until they trust what was made known; watches tell them at once. */
const settledMs = 60_000;
/** The same where nothing that is trusted is served meanwhile. */
const urgentMs = 2_000;
/** How long servers may take until they serve what was stored. */
const followedMs = 60_000;

export interface Situation {
  /** By which the servers are called. */
  readonly host: string;
  /** Of those who call: they refuse what is not valid yet. */
  readonly now: Date;
  /** What is stored, and so served, where it can be. */
  readonly stored: Pair | undefined;
  /** What was made to follow, and since when callers are told to trust it; undefined: they are not. */
  readonly next: { readonly pair: Pair; readonly trustedForMs: number | undefined } | undefined;
  /** Certificates of the authorities whom callers are told to trust: of each that is told. */
  readonly trusted: readonly (readonly string[])[];
}

export type TrustStep =
  | { readonly do: 'make' }
  | { readonly do: 'trust'; readonly authorities: readonly string[] }
  | { readonly do: 'store'; readonly pair: KeyPair }
  | { readonly do: 'wait'; readonly forMs: number };

export function trustStep(asSeen: Situation): TrustStep {
  const { now } = asSeen;
  // What a clock made that was ahead nobody would trust before its time has come: it is made anew where one is due.
  const hasCome = asSeen.next !== undefined && asSeen.next.pair.fromMs <= now.getTime();
  const situation = hasCome ? asSeen : { ...asSeen, next: undefined };
  const { next } = situation;
  const stored = usable(situation);
  if (next === undefined && (stored === undefined || dueInMs(stored, now) <= 0)) return { do: 'make' };
  const authorities = toTrust(situation, stored);
  if (!situation.trusted.every((list) => isSame(list, authorities))) return { do: 'trust', authorities };
  if (next !== undefined) return following(next, stored, now);
  // What is still trusted beside it goes when all servers have had their time.
  const again = [dueInMs(stored as Pair, now), followedMs - ageMs(stored as Pair, now)];
  return { do: 'wait', forMs: Math.min(...again.filter((ms) => ms > 0)) };
}

/** What is stored, where callers of that name can be served by it. One whose time has not come was made by a clock that was ahead. */
function usable({ stored, host, now }: Situation): Pair | undefined {
  if (stored === undefined || !isFor(stored, host)) return undefined;
  return stored.fromMs <= now.getTime() && now.getTime() < stored.untilMs ? stored : undefined;
}

function dueInMs({ fromMs, untilMs }: Pair, now: Date): number {
  return fromMs + (untilMs - fromMs) * usedPart - now.getTime();
}

function ageMs(pair: Pair, now: Date): number {
  return now.getTime() - madeAtMs(pair);
}

/** Of what is to come and of what is served; and while servers may still serve something older, of that. */
function toTrust({ next, now, trusted }: Situation, stored: Pair | undefined): string[] {
  const isFollowed = stored !== undefined && next === undefined && ageMs(stored, now) >= followedMs;
  const all = [
    ...(next?.pair.authorities.slice(0, 1) ?? []),
    ...(stored?.authorities ?? []),
    ...(isFollowed ? [] : trusted.flat()),
  ];
  return [...new Set(all)].filter((one) => isValidAt(one, now.getTime())).slice(0, mostAuthorities);
}

/** Nobody can make the list longer than this, whatever he adds to it. */
const mostAuthorities = 5;

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((certificate, at) => certificate === other[at]);
}

function following(
  { pair, trustedForMs }: NonNullable<Situation['next']>,
  stored: Pair | undefined,
  now: Date,
): TrustStep {
  const leftMs = stored === undefined ? 0 : stored.untilMs - now.getTime();
  const forMs = (leftMs > 2 * settledMs ? settledMs : urgentMs) - (trustedForMs ?? 0);
  if (forMs > 0) return { do: 'wait', forMs };
  const before = (stored?.authorities ?? []).filter((one) => isValidAt(one, now.getTime()));
  const authorities = [...new Set([...pair.authorities.slice(0, 1), ...before])].slice(0, mostAuthorities);
  return { do: 'store', pair: { ...pair, authorities } };
}
