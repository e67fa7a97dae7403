import { isComponent } from '../api/group.ts';
import type { Placement } from './placement.ts';
import { placementOf } from './placement.ts';
import type { RawObject, Stored } from './record.ts';
import type { Scheduling } from './scheduling.ts';

/** What is kept of a DaemonSet, by whoever has to know on which nodes there are agents. */
export type DaemonSetRecord = Stored<{
  readonly namespace: string;
  readonly name: string;
  /** Whether its pods are agents of ours, as far as labels tell. */
  readonly isOfAgents: boolean;
  readonly isEnding: boolean;
  readonly placement: Placement;
}>;

interface RawDaemonSet extends RawObject {
  readonly metadata: RawObject['metadata'] & { readonly deletionTimestamp?: unknown };
}

export function daemonSetRecord({ metadata, spec }: RawDaemonSet): DaemonSetRecord {
  const { uid, namespace = '', name, deletionTimestamp } = metadata;
  const { template } = (spec ?? {}) as {
    template?: { metadata?: { labels?: Readonly<Record<string, string>> }; spec?: Scheduling };
  };
  return {
    ...{ uid, namespace, name, isEnding: deletionTimestamp !== undefined },
    isOfAgents: isComponent('agent', template?.metadata?.labels),
    placement: placementOf(template?.spec),
  };
}
