/** By what open connections are reached on a node. */
export interface ConnectionMeans {
  /**
   * `BPF`: the kernel gives a connection its values when it is established. `Descriptors`: sockets are found, some time later, by the descriptors of
   * programs. `ValuesOnly`: neither can be had, and only what programs ask for themselves has the values.
   */
  readonly by: 'BPF' | 'Descriptors' | 'ValuesOnly';
  /** What tells how many there are, and how they stand, in the networks of pods. */
  readonly countedBy: 'BPF' | 'Descriptors' | 'Nobody';
  /** Why not by BPF, or not all of it: `no BTF`, `EPERM at attach born`. */
  readonly why: string | undefined;
}

/** Where the kernel is not told, for `why`. `fault`: why no descriptors are to be had either. */
export function meansWithoutProgram(why: string, fault: string | undefined): ConnectionMeans {
  return fault === undefined
    ? { by: 'Descriptors', countedBy: 'Descriptors', why }
    : { by: 'ValuesOnly', countedBy: 'Nobody', why: `${why}, and ${fault}` };
}
