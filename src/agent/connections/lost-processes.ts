/** Processes that hang in a system call, and keep the memory that they have until it returns. */
export interface Lost {
  readonly count: number;
  /** By so much they had grown since each was ready. */
  readonly grownBytes: number;
}

const mebibyte = 2 ** 20;

/**
 * What may be lost before nothing more is risked. The next one that hangs comes on top. A process begins with 11 MiB, and with 100,000 sockets has 42
 * (docs/performance.md): that is at most 160 MiB in all, of the 256 that the pod of an agent may have, which itself has 57 then.
 */
const most = {
  ofNode: { count: 6, grownBytes: 64 * mebibyte },
  /**
   * For the pods of one namespace; with the next one it stays below what the node may lose. One socket costs two where the kernel sweeps, the sweep and the
   * look that tells which it is, and all others of the namespace are looked at still.
   */
  ofOwner: { count: 3, grownBytes: 32 * mebibyte },
};

export function mayLoseMore(lost: Lost, of: keyof typeof most): boolean {
  return lost.count < most[of].count && lost.grownBytes < most[of].grownBytes;
}

export function sumOf(all: Iterable<{ readonly grownBytes: number }>): Lost {
  const grown = [...all].map(({ grownBytes }) => grownBytes);
  return { count: grown.length, grownBytes: grown.reduce((sum, one) => sum + one, 0) };
}
