import type { SocketTarget } from '../../policy/connection.ts';
import { scanPeriodSeconds, stepSeconds } from '../../policy/socket-target.ts';

/** Of a core: where nothing presses, where a timeout is too short for that, and where somebody waits to hear how they stand. */
const most = { usual: 0.001, pressed: 0.01, awaited: 0.05 };
/** Networks that are swept at once are counted at once. */
const shortestRestMs = 500;
/** Later than this nobody is told how connections stand, however many there are. */
const longestRestMs = 120_000;

/**
 * How often the kernel is asked how connections stand: so that one which its program loosened is found in time, as far as the
 * processor allows it.
 */
export class CountPace {
  /** As often as new ones are looked for elsewhere: a program may undo what its connection was given when it was established. */
  #periodMs = Infinity;
  #stepMs = Infinity;
  #cpuMs = 0;
  #endedMs = -Infinity;

  /** Whose connections are counted from now on. */
  follow(targets: readonly SocketTarget[]): void {
    this.#periodMs = (scanPeriodSeconds(targets) ?? Infinity) * 1000;
    this.#stepMs = stepSeconds(targets.map(({ wanted }) => wanted)) * 1000;
  }

  /** `cpuMs`: of a core; undefined where nothing came of it. */
  counted(cpuMs: number | undefined, nowMs: number): void {
    this.#cpuMs = cpuMs ?? this.#cpuMs;
    this.#endedMs = nowMs;
  }

  /** From the end of one count to the beginning of the next, where nobody waits for it. */
  get intervalMs(): number {
    return Math.max(this.#restMs(false), Math.min(this.#periodMs, this.#stepMs));
  }

  /** Until a count is nobody's burden. */
  waitMs(nowMs: number, { isAwaited }: { readonly isAwaited: boolean }): number {
    return Math.max(0, this.#endedMs + this.#restMs(isAwaited) - nowMs);
  }

  #restMs(isAwaited: boolean): number {
    const longMs = Math.min(this.#cpuMs / most.usual, this.#stepMs);
    const restMs = Math.max(longMs, this.#cpuMs / most.pressed);
    const dueMs = isAwaited ? this.#cpuMs / most.awaited : restMs;
    return Math.min(Math.max(dueMs, shortestRestMs), longestRestMs);
  }
}
