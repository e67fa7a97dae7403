import { isDeepStrictEqual } from 'node:util';

import type { ClusterBinding } from './admission.ts';
import { clusterBinding } from './admission.ts';
import { firstDifference } from './difference.ts';
import type { Policy } from './policy.ts';
import type { PolicyRecord } from './record.ts';

/** A binding as the cluster holds it, as far as it is ours to say. */
export interface BindingRecord {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ownerReferences: readonly unknown[];
  readonly spec: unknown;
}

export type BindingStep =
  | { readonly do: 'keep' }
  | { readonly do: 'create'; readonly binding: ClusterBinding }
  | { readonly do: 'replace'; readonly binding: ClusterBinding; readonly present: BindingRecord }
  | { readonly do: 'delete'; readonly present: BindingRecord };

/** What has to be done so that the binding of a policy is as the policy asks. */
export function bindingStep(
  record: PolicyRecord,
  policy: Policy,
  present: BindingRecord | undefined,
): BindingStep {
  const { kind, name, uid } = record;
  const wanted =
    kind === 'ClusterKeepalivePolicy' ? clusterBinding({ name, uid, spec: policy.spec }) : undefined;
  if (wanted === undefined) return present === undefined ? { do: 'keep' } : { do: 'delete', present };
  if (present === undefined) return { do: 'create', binding: wanted };
  return isAsWanted(present, wanted) ? { do: 'keep' } : { do: 'replace', binding: wanted, present };
}

/** Other labels may stand beside ours, and fields that a newer API server fills in; of the owners every word counts. */
function isAsWanted(present: BindingRecord, wanted: ClusterBinding): boolean {
  return (
    firstDifference(present.spec, wanted.spec, 'spec') === undefined &&
    isDeepStrictEqual(present.ownerReferences, wanted.metadata.ownerReferences) &&
    Object.entries(wanted.metadata.labels).every(([key, value]) => present.labels[key] === value)
  );
}
