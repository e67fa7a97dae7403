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

/** What a pod says of itself and of its owners. */
interface Claims {
  readonly labels?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly { readonly apiVersion?: string; readonly kind?: string }[];
}

/**
 * Whether a virtual machine of KubeVirt runs in a pod: its guest has a kernel and connections of its own, which pass the
 * pod's network as packets. Anybody may write such a label: all that follows from it is that less is believed
 * of that pod.
 */
export function runsGuest({ labels = {}, ownerReferences = [] }: Claims): boolean {
  return (
    labels['kubevirt.io'] === 'virt-launcher' ||
    ownerReferences.some(
      ({ apiVersion = '', kind }) =>
        kind === 'VirtualMachineInstance' && apiVersion.startsWith('kubevirt.io/'),
    )
  );
}
