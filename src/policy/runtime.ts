/** A RuntimeClass as decisions see it. */
export interface RuntimeClassView {
  readonly name: string;
  /** How the container runtime of the node calls it. */
  readonly handler: string;
}

/** gVisor's runsc has a network stack of its own, Kata's handlers (kata, kata-qemu, kata-clh…) a kernel of their own. */
const sandboxes = /^(runsc|gvisor|kata)\b/i;

/**
 * The handler by which a pod runs outside the host's kernel: nothing that is written on the host reaches its
 * connections. `undefined` for a pod of the host's kernel. A class that is not there is judged by its name.
 */
export function sandboxOf(
  runtimeClass: string | undefined,
  classes: { get(name: string): RuntimeClassView | undefined },
): string | undefined {
  if (runtimeClass === undefined) return undefined;
  const handler = classes.get(runtimeClass)?.handler ?? runtimeClass;
  return sandboxes.test(handler) ? handler : undefined;
}
