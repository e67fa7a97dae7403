import type { KubeObject } from '../kube/resource.ts';
import { oneLine, shortened } from '../policy/words.ts';
import type { Statement } from './explanation.ts';
import { wrong } from './explanation.ts';

interface Waiting {
  readonly reason?: string;
  readonly message?: string;
}

interface RawStatus {
  readonly phase?: string;
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly message?: string;
  }[];
  readonly containerStatuses?: readonly { readonly state?: { readonly waiting?: Waiting } }[];
}

/** Why pods are not ready, one statement for each reason; nothing where no pod says. */
export function podTroubles(pods: readonly KubeObject[]): Statement[] {
  const troubles = pods.flatMap((pod) => {
    const trouble = troubleOf(pod.status ?? {});
    return trouble === undefined ? [] : [{ pod, ...trouble }];
  });
  return [...Map.groupBy(troubles, ({ reason }) => reason).values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { namespace = '', name } = first.pod.metadata;
    const others = group.length === 1 ? '' : ` and ${group.length - 1} more`;
    const words = first.message === '' ? '' : `: ${shortened(oneLine(first.message), 300)}`;
    return [
      wrong(
        `pod ${namespace}/${name}${others}: ${first.reason}${words}`,
        remedyOf(first.reason, { namespace, name }),
      ),
    ];
  });
}

function troubleOf({ conditions = [], containerStatuses = [] }: RawStatus): Required<Waiting> | undefined {
  if (conditions.some(({ type, status }) => type === 'Ready' && status === 'True')) return undefined;
  const unscheduled = conditions.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  if (unscheduled !== undefined) return { reason: 'Unschedulable', message: unscheduled.message ?? '' };
  const waiting = containerStatuses.map(({ state }) => state?.waiting).find((one) => one !== undefined);
  return { reason: waiting?.reason ?? 'NotReady', message: waiting?.message ?? '' };
}

function remedyOf(
  reason: string,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): string {
  if (/Image|ErrPull/.test(reason))
    return 'push the image to where it is named, or name another one, by image.registry of the chart or by an overlay: docs/install.md#build-the-image-and-install';
  if (reason === 'Unschedulable')
    return 'make room on the node, or take away what keeps it off, as the message says';
  if (reason === 'CrashLoopBackOff')
    return `kubectl -n ${namespace} logs ${name} --previous: its last line says why`;
  return `kubectl -n ${namespace} describe pod ${name}`;
}
