/** A program has started by then, and said all that it has to say at first. */
const settledMs = 60_000;
const againMs = 3_600_000;
/** The allocator is that of all threads: the others have let go of theirs by then. */
const lastMs = 5000;

/**
 * Gives back what only the start needed, in this thread, and later what only a busy hour did. V8 looks for garbage where something is
 * allocated: a program that has little to do keeps what it has. Without `--expose-gc` nothing is collected. `trim` is for one thread of
 * a process: what the C library keeps of what was freed.
 */
export function giveBackMemory(trim?: () => void): void {
  const giveBack = () => {
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    trim?.();
  };
  setTimeout(
    () => {
      giveBack();
      setInterval(giveBack, againMs).unref();
    },
    settledMs + (trim === undefined ? 0 : lastMs),
  ).unref();
}
