import { backOffMs } from '../kube/backoff.ts';

/** A sandbox is made within a second or never; what cannot be entered is asked for now and then. */
const retry = { minMs: 100, maxMs: 10_000 };
/** Of a core, at the most, whatever comes and goes: one part in so many. */
const restPerWalk = 10;

/**
 * When to look again for what was not found. Once for all of them, since going through the processes of a node
 * finds a hundred pods as dearly as one.
 */
export class Search {
  #failures = 0;
  #lastMs = -Infinity;
  #restMs = retry.minMs;
  #againAtMs = -Infinity;

  /** The next is not put off any longer: somebody new is looked for, or a kubelet has news of one. */
  hasten(): void {
    this.#failures = 0;
    this.#againAtMs = this.#lastMs + this.#restMs;
  }

  isDue(nowMs: number): boolean {
    return this.#againAtMs <= nowMs;
  }

  /** Milliseconds until it is due. */
  dueInMs(nowMs: number): number {
    return Math.max(0, this.#againAtMs - nowMs);
  }

  /** To be told of each; `walkMs`: all that it took, where all processes were gone through. */
  ended({ nowMs, walkMs = 0 }: { nowMs: number; walkMs: number | undefined }): void {
    this.#lastMs = nowMs;
    this.#restMs = Math.max(retry.minMs, walkMs * restPerWalk);
    this.#againAtMs = nowMs + Math.max(this.#restMs, backOffMs(this.#failures, retry, Math.random));
    this.#failures += 1;
  }
}
