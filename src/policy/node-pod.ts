import type { PodView, RawContainerStatus, RawPod } from './pod.ts';
import { podView } from './pod.ts';
import type { Stored } from './record.ts';

/** A pod as the agent of its node sees it. */
export interface NodePod extends Stored<PodView> {
  /** As the kubelet names it in control groups: of a static pod not the uid of its copy in the API. */
  readonly kubeletUid: string;
  readonly runtimeClass: string | undefined;
  /** It ended by itself and has no sandbox any more. One that is ending still has. */
  readonly ended: boolean;
  /** Some container of it runs, so that there must be a process. */
  readonly started: boolean;
  /** A new sandbox most often has new ones. */
  readonly addresses: string;
}

interface RawNodePod extends RawPod {
  readonly metadata: NonNullable<RawPod['metadata']> & { readonly uid: string };
  readonly spec?: RawPod['spec'] & { readonly runtimeClassName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly podIPs?: readonly { readonly ip: string }[];
    readonly initContainerStatuses?: readonly RawContainerStatus[];
    readonly containerStatuses?: readonly RawContainerStatus[];
  };
}

/** The kubelet derives the uid of a static pod from its file. */
const fileHashAnnotation = 'kubernetes.io/config.hash';

export function nodePod(raw: RawNodePod): NodePod {
  const view = podView(raw);
  const { metadata, spec, status = {} } = raw;
  const { podIPs = [], initContainerStatuses = [], containerStatuses = [], phase } = status;
  const hash = metadata.annotations?.[fileHashAnnotation];
  return {
    ...view,
    uid: metadata.uid,
    kubeletUid: view.staticPod && hash !== undefined ? hash : metadata.uid,
    runtimeClass: spec?.runtimeClassName,
    ended: phase === 'Succeeded' || phase === 'Failed',
    started: [...initContainerStatuses, ...containerStatuses].some(
      ({ state }) => state?.running !== undefined,
    ),
    addresses: podIPs.map(({ ip }) => ip).join(' '),
  };
}
