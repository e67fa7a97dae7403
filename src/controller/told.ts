import { findingLimit, type Finding } from '../api/status.ts';
import { compareText, rankOf } from '../policy/finding.ts';

/** Of each policy about as many more than a status lists: when some go, the next are at hand. */
const spare = findingLimit;

interface Words {
  readonly node: string;
  /** Of the NodeKeepalive that they stand in. */
  readonly version: string;
  readonly findings: readonly Finding[];
  readonly rank: number;
  /** The last look had to have them. */
  isNeeded: boolean;
}

/**
 * What agents told last of pods, in words: only of the nodes that come first in a status, for each policy. Of all others it is
 * known how much they have to tell, and it is read once more where it is their turn.
 */
export class Told {
  readonly #byPolicy = new Map<string, Words[]>();

  /** What a node tells of a policy by now; kept where it is wanted, or stands before what is kept. */
  offer(policy: string, words: Pick<Words, 'node' | 'version' | 'findings'>, isWanted = false): void {
    const kept = this.#byPolicy.get(policy) ?? [];
    const at = kept.findIndex(({ node }) => node === words.node);
    const [before] = at === -1 ? [] : kept.splice(at, 1);
    if (words.findings.length > 0) {
      const rank = Math.min(...words.findings.map(({ reason }) => rankOf(reason)));
      const isNeeded = isWanted || before?.isNeeded === true;
      const one = { ...words, rank, isNeeded };
      const next = kept.findIndex((other) => isBefore(one, other));
      kept.splice(next === -1 ? kept.length : next, 0, one);
    }
    this.#put(policy, kept);
  }

  /** Undefined where it is not kept: to be read, and offered as wanted. */
  get(policy: string, node: string, version: string): readonly Finding[] | undefined {
    const words = this.#byPolicy.get(policy)?.find((one) => one.node === node);
    return words?.version === version ? words.findings : undefined;
  }

  /** Whatever version they are of. */
  newest(policy: string, node: string): readonly Finding[] {
    return this.#byPolicy.get(policy)?.find((one) => one.node === node)?.findings ?? [];
  }

  /** Whose words the last look at a policy had to have. */
  needs(policy: string, nodes: ReadonlySet<string>): void {
    const kept = this.#byPolicy.get(policy) ?? [];
    for (const words of kept) words.isNeeded = nodes.has(words.node);
    this.#put(policy, kept);
  }

  /** A policy that is gone. */
  forget(policy: string): void {
    this.#byPolicy.delete(policy);
  }

  /** What a node said of these, and does not say any more. */
  takeBack(node: string, policies: Iterable<string>): void {
    for (const policy of policies) {
      const kept = this.#byPolicy.get(policy)?.filter((words) => words.node !== node);
      if (kept !== undefined) this.#put(policy, kept);
    }
  }

  #put(policy: string, words: readonly Words[]): void {
    let findings = 0;
    const kept = words.filter((one) => {
      const isKept = one.isNeeded || findings < findingLimit + spare;
      if (isKept) findings += one.findings.length;
      return isKept;
    });
    if (kept.length === 0) this.#byPolicy.delete(policy);
    else this.#byPolicy.set(policy, kept);
  }
}

/** In the order in which a status lists them. */
function isBefore(a: Words, b: Words): boolean {
  return (a.rank - b.rank || compareText(a.node, b.node)) < 0;
}
