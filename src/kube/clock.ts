/** Time as the loops of this folder see it, so that a test can move it by hand. */
export interface Clock {
  /** Milliseconds of a clock that never goes backwards; only differences mean anything. */
  now(): number;
  /** Runs `action` once after `delayMs`, unless the returned function is called before. */
  schedule(delayMs: number, action: () => void): () => void;
}

/**
 * A longer delay would wrap to 1 ms in Node's timers, and a fraction is cut off: an action would come too early. Of a negative one, as where a
 * process was not run past a deadline, Node warns in a line that is no line of our log.
 */
const longestDelayMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  schedule(delayMs, action) {
    const timer = setTimeout(action, Math.min(Math.max(0, Math.ceil(delayMs)), longestDelayMs));
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs`, or as soon as `signal` aborts; which of the two, the caller reads from the signal. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.schedule(delayMs, done);
    signal.addEventListener('abort', done, { once: true });
  });
}
