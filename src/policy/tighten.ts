import type { Triple } from './derive.ts';

export type TripleKey = keyof Triple;
export const tripleKeys: readonly TripleKey[] = ['timeSeconds', 'intervalSeconds', 'probes'];

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

/**
 * What to do with the values of one network namespace. A value is only ever made smaller than it was found, and
 * goes back to that when nobody wants it any more, or as far back as those allow who still do. A value that
 * somebody else set since is theirs: it is found anew, never "restored" over them.
 */
export function settle(current: Partial<Triple>, wanted: Triple | undefined, memory: Memory): Settlement {
  const settled = tripleKeys.map((key) => ({
    key,
    ...settleKey(current[key], wanted?.[key] ?? Infinity, memory[key]),
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

const still: KeySettlement = { overridden: false };

function settleKey(now: number | undefined, wanted: number, held: KeyMemory | undefined): KeySettlement {
  // It cannot be read at the moment: what is known of it stays.
  if (now === undefined) return held === undefined ? still : { ...noted(held), overridden: false };
  if (held?.ours.includes(now) === true) return settleOurs(now, wanted, held);
  return settleFound(now, wanted, held !== undefined);
}

function settleOurs(now: number, wanted: number, held: KeyMemory): KeySettlement {
  const { found } = held;
  const target = Math.min(found, wanted);
  if (target === now)
    return target === found ? still : { ...noted({ found, ours: [now] }), overridden: false };
  if (target === found) return { write: target, before: held, overridden: false };
  const after = { found, ours: [target] };
  return { write: target, before: { found, ours: [now, target] }, after, overridden: false };
}

function settleFound(now: number, wanted: number, wasOurs: boolean): KeySettlement {
  const target = Math.min(now, wanted);
  if (target === now) return still;
  return { write: target, ...noted({ found: now, ours: [target] }), overridden: wasOurs };
}

function noted(memory: KeyMemory) {
  return { before: memory, after: memory };
}

/** Whether a memory holds nothing that would have to be put back. */
export function isEmpty(memory: Memory): boolean {
  return Object.keys(memory).length === 0;
}
