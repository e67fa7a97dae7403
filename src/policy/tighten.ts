import type { Triple, TripleKey } from '../api/triple.ts';
import { tripleKeys } from '../api/triple.ts';
import { amend } from './enough.ts';
import type { Requirement } from './requirement.ts';

/** What is remembered of one value that was changed: enough to put it back, and to know our own hand. */
export interface KeyMemory {
  /** What it was when somebody else had last set it. */
  readonly found: number;
  /** What we may have set it to: two where we were ended between noting and writing. */
  readonly ours: readonly number[];
}
export type Memory = Readonly<Partial<Record<TripleKey, KeyMemory>>>;

export interface Settlement {
  /** To be written; a restored value too. */
  readonly writes: Readonly<Partial<Triple>>;
  /** To be noted before the first write, so that whoever is ended in between can still put things back. */
  readonly before: Memory;
  /** To be noted once everything was written. */
  readonly after: Memory;
  /** Values that were ours and that somebody made looser since. */
  readonly overridden: readonly TripleKey[];
}

/** The same for one value; what is undefined is not written, or not remembered. */
interface KeySettlement {
  readonly write?: number;
  readonly before?: KeyMemory;
  readonly after?: KeyMemory;
  readonly overridden: boolean;
}

/** What policies ask of a network namespace. */
export interface Wanted {
  readonly asked: Requirement | undefined;
  /** Nobody can tell at the moment all that is asked: what is held is not made looser. */
  readonly hold: boolean;
}

/**
 * What to do with the values of one network namespace. It is judged by what it would hold without us: what is enough
 * by itself is left alone, what is not is changed, and goes back when nobody asks any more, or as far back as those
 * allow who still do. A value that somebody else set since is theirs: it is found anew, never "restored" over them.
 *
 * `leave`: values that are left to somebody else for now, with what is remembered of them. The others are judged by what those really
 * hold, and those of ours are not made looser meanwhile, so that a place that is covered all the same stays so.
 */
export function settle(
  current: Partial<Triple>,
  wanted: Wanted,
  memory: Memory,
  leave: readonly TripleKey[] = [],
): Settlement {
  const all = targetsOf(current, wanted, memory);
  const targets = leave.length === 0 ? all : { ...all, ...noLooser(all, current, memory) };
  const settled = tripleKeys.map((key) => ({
    key,
    ...settleKey(leave.includes(key) ? undefined : current[key], targets[key], memory[key]),
  }));
  const gather = <F extends 'write' | 'before' | 'after'>(field: F) =>
    Object.fromEntries(
      settled.filter((one) => one[field] !== undefined).map((one) => [one.key, one[field]]),
    ) as Partial<Record<TripleKey, NonNullable<KeySettlement[F]>>>;
  return {
    writes: gather('write'),
    before: gather('before'),
    after: gather('after'),
    overridden: settled.filter(({ overridden }) => overridden).map(({ key }) => key),
  };
}

/** What each value should be; without those that should be as they would be without us. */
function targetsOf(current: Partial<Triple>, { asked, hold }: Wanted, memory: Memory): Partial<Triple> {
  const amended: Partial<Triple> = (asked && amend(foundIn(current, memory), asked)) ?? {};
  if (!hold) return amended;
  return Object.fromEntries(
    tripleKeys.flatMap((key) => {
      // Not what was found: probes may be more than that, where those gave up too soon.
      const values = [amended[key], current[key], memory[key]?.ours.at(-1)];
      const usable = values.filter((value) => value !== undefined && value > 0) as number[];
      return usable.length === 0 ? [] : [[key, Math.min(...usable)]];
    }),
  );
}

/** Of time and interval, what is ours as it is, or sooner: with a value that is left to somebody else, just that may be enough. */
function noLooser(targets: Partial<Triple>, current: Partial<Triple>, memory: Memory): Partial<Triple> {
  const held = (['timeSeconds', 'intervalSeconds'] as const).flatMap((key) => {
    const now = current[key];
    if (now === undefined || memory[key]?.ours.includes(now) !== true) return [];
    return [[key, Math.min(now, targets[key] ?? now)]];
  });
  return Object.fromEntries(held) as Partial<Triple>;
}

/** What the namespace would hold without us. */
function foundIn(current: Partial<Triple>, memory: Memory): Partial<Triple> {
  return Object.fromEntries(
    tripleKeys.flatMap((key) => {
      const now = current[key];
      if (now === undefined) return [];
      const held = memory[key];
      return [[key, held?.ours.includes(now) === true ? held.found : now]];
    }),
  );
}

const still: KeySettlement = { overridden: false };

/** `target` is undefined where the value should be as it was found. */
function settleKey(
  now: number | undefined,
  target: number | undefined,
  held: KeyMemory | undefined,
): KeySettlement {
  // It cannot be read at the moment, or is left alone: what is known of it stays.
  if (now === undefined) return held === undefined ? still : { ...noted(held), overridden: false };
  if (held?.ours.includes(now) === true) return settleOurs(now, target ?? held.found, held);
  return settleFound(now, target ?? now, held !== undefined);
}

function settleOurs(now: number, target: number, held: KeyMemory): KeySettlement {
  const { found } = held;
  if (target === now)
    return target === found ? still : { ...noted({ found, ours: [now] }), overridden: false };
  if (target === found) return { write: target, before: held, overridden: false };
  const after = { found, ours: [target] };
  return { write: target, before: { found, ours: [now, target] }, after, overridden: false };
}

function settleFound(now: number, target: number, wasOurs: boolean): KeySettlement {
  if (target === now) return still;
  return { write: target, ...noted({ found: now, ours: [target] }), overridden: wasOurs };
}

function noted(memory: KeyMemory) {
  return { before: memory, after: memory };
}

/** What came of the writes: values whose write was refused, and all of them before and after. */
export interface Outcome {
  readonly refused: readonly TripleKey[];
  readonly seen: Partial<Triple>;
  readonly now: Partial<Triple>;
}

/**
 * To be noted after the writes. A value whose write was refused and that is what it was is remembered as it was `known`: it is none of
 * ours, and nobody overrides it. Of one that is another by now nobody can tell whose it is, so that what was noted before stays.
 */
export function rememberedAfter(
  { before, after }: Settlement,
  known: Memory,
  { refused, seen, now }: Outcome,
): Memory {
  const from = (key: TripleKey) => {
    if (!refused.includes(key)) return after;
    return now[key] === seen[key] ? known : before;
  };
  return Object.fromEntries(
    tripleKeys.flatMap((key) => {
      const memory = from(key)[key];
      return memory === undefined ? [] : [[key, memory]];
    }),
  );
}

/** Whether what is `known` says all of that: by it alone, whoever comes after could put the same back. */
export function isKnown(memory: Memory, known: Memory): boolean {
  return tripleKeys.every((key) => {
    const [said, held] = [memory[key], known[key]];
    if (said === undefined) return true;
    return held?.found === said.found && said.ours.every((value) => held.ours.includes(value));
  });
}

/** Whether a memory holds nothing that would have to be put back. */
export function isEmpty(memory: Memory): boolean {
  return Object.keys(memory).length === 0;
}
