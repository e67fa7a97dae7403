import type { Refused } from '../policy/refusal.ts';

/** So many namespaces are remembered; the longest silent one is forgotten first. */
const maxNamespaces = 1_000;

/** The newest refusal of each namespace. */
export class RefusalLog {
  /** In the order in which they were heard of last. */
  readonly #newest = new Map<string, Refused>();

  /** True when it is news. A time to come, which anybody may write, is taken for now: what follows has to be newer. */
  note(refused: Refused, nowMs: number): boolean {
    const { namespace } = refused;
    const atMs = Math.min(refused.atMs, nowMs);
    const held = this.#newest.get(namespace);
    if (held !== undefined && held.atMs >= atMs) return false;
    this.#newest.delete(namespace);
    this.#newest.set(namespace, { ...refused, atMs });
    for (const silent of this.#newest.keys()) {
      if (this.#newest.size <= maxNamespaces) break;
      this.#newest.delete(silent);
    }
    return true;
  }

  of(namespace: string): readonly Refused[] {
    const held = this.#newest.get(namespace);
    return held === undefined ? [] : [held];
  }

  list(): IterableIterator<Refused> {
    return this.#newest.values();
  }
}
