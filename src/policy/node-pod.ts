import { heldLabels } from './held-labels.ts';
import type { PodPlace } from './place.ts';
import { placeOfPod } from './place.ts';
import type { PodIdentity } from './pod-identity.ts';
import type { PodView, RawContainerStatus, RawPod } from './pod.ts';
import { podView } from './pod.ts';
import { runsGuest } from './runtime.ts';
import type { Stored } from './record.ts';

/** A pod as the agent of its node sees it. */
export interface NodePod extends Stored<PodView> {
  readonly place: PodPlace;
  readonly identity: PodIdentity;
  /** A virtual machine runs in it. */
  readonly guest: boolean;
  /** It ended by itself and has no sandbox any more. One that is ending still has. */
  readonly ended: boolean;
  /** Some container of it runs, so that there must be a process. */
  readonly started: boolean;
  /** A new sandbox most often has new ones. */
  readonly addresses: string;
}

interface RawNodePod extends RawPod {
  readonly metadata: NonNullable<RawPod['metadata']> & {
    readonly uid: string;
    readonly ownerReferences?: readonly { readonly apiVersion?: string; readonly kind?: string }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly podIPs?: readonly { readonly ip: string }[];
    readonly initContainerStatuses?: readonly RawContainerStatus[];
    readonly containerStatuses?: readonly RawContainerStatus[];
    readonly ephemeralContainerStatuses?: readonly RawContainerStatus[];
  };
}

export function nodePod(raw: RawNodePod): NodePod {
  const view = podView(raw);
  const { metadata, status = {} } = raw;
  const { podIPs = [], initContainerStatuses = [], containerStatuses = [], phase } = status;
  const containers = [...initContainerStatuses, ...containerStatuses];
  return {
    ...view,
    labels: heldLabels(view.labels),
    uid: metadata.uid,
    place: placeOfPod(metadata.uid),
    identity: {
      name: `${view.namespace}/${view.name}`,
      // The annotation of a mirror only ever takes something away, so whoever lies with it harms his own pod.
      group: view.staticPod ? undefined : metadata.uid,
      containers: [...containers, ...(status.ephemeralContainerStatuses ?? [])].flatMap(containerIdOf),
    },
    guest: runsGuest(metadata),
    ended: phase === 'Succeeded' || phase === 'Failed',
    started: containers.some(({ state }) => state?.running !== undefined),
    addresses: podIPs.map(({ ip }) => ip).join(' '),
  };
}

/** `containerd://` or `cri-o://` and what every runtime makes of it: 64 hexadecimal digits. */
const containerId = /^[a-z0-9-]+:\/\/([0-9a-f]{64})$/;

function containerIdOf({ containerID = '' }: RawContainerStatus): string[] {
  const id = containerId.exec(containerID)?.[1];
  return id === undefined ? [] : [id];
}
