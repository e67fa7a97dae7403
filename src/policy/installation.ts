import { createHash } from 'node:crypto';

import type { PolicyKind } from '../api/group.ts';
import { GROUP } from '../api/group.ts';
import { SETTINGS_NAMESPACE } from '../api/settings.ts';
import { admissionPolicyNames, admissionPolicyOf, namespacedBinding } from './admission.ts';
import { firstDifference } from './difference.ts';
import { fenceBinding, fencePolicy, witnessNames, witnessPolicyOf } from './witness.ts';

/** On each admission object of the manifests: what its spec was when it was generated. */
const contentAnnotation = `${GROUP}/content`;

/** How an admission object in the cluster differs from what this version installs. */
export interface AdmissionDifference {
  /** The first field that does, as in `spec.matchConditions[0].expression`. */
  readonly field: string;
  /** `somebody` edited it; or it came with `another version` of the manifests, as in an upgrade. */
  readonly by: 'somebody' | 'another version';
}

interface AdmissionObject {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: unknown;
}

const kinds = ['KeepalivePolicy', 'ClusterKeepalivePolicy'] as const;

/** What the manifests install of a kind, as they carry it. */
export const staticAdmission = {
  policies: kinds.map((kind) => stamped(admissionPolicyOf(kind))),
  bindings: [stamped(namespacedBinding())],
  /** What the API server is asked by. */
  witnesses: kinds.map((kind) => stamped(witnessPolicyOf(kind))),
  /** What keeps the asking to dry runs. */
  fence: [stamped(fencePolicy(SETTINGS_NAMESPACE)), stamped(fenceBinding())],
} as const;

/** The same fence where the operator was put elsewhere. */
export function fenceAround(namespace: string) {
  const { spec } = fencePolicy(namespace);
  return staticAdmission.fence.map((object) =>
    object.kind === 'ValidatingAdmissionPolicy' ? { ...object, spec } : object,
  );
}

function stamped<T extends AdmissionObject>(object: T) {
  const annotations = { [contentAnnotation]: digestOf(object.spec) };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

function digestOf(spec: unknown): string {
  return createHash('sha256').update(JSON.stringify(spec)).digest('hex').slice(0, 16);
}

/** Undefined where it is as this version installs it, and for an object that the manifests do not install. */
export function admissionDifference(
  object: AdmissionObject,
  among: readonly AdmissionObject[],
): AdmissionDifference | undefined {
  const wanted = among.find(({ metadata }) => metadata.name === object.metadata.name);
  const field = wanted && firstDifference(object.spec ?? {}, wanted.spec, 'spec');
  if (wanted === undefined || field === undefined) return undefined;
  const stampOf = ({ metadata }: AdmissionObject) => metadata.annotations?.[contentAnnotation];
  return { field, by: stampOf(object) === stampOf(wanted) ? 'somebody' : 'another version' };
}

interface Installed {
  readonly differs?: AdmissionDifference | undefined;
}

/** Asked by name; a map is one, and so is a store. */
interface Lookup {
  get(name: string): Installed | undefined;
}

/** What of the manifests, as far as a kind of policy depends on it, is not there or not as it should be. */
export interface Installation {
  /** As in `MutatingAdmissionPolicy keepalivepolicy.keepalive.dev`. */
  readonly missing: readonly string[];
  readonly differing: readonly (AdmissionDifference & { readonly object: string })[];
}

export function installationFor(
  kind: PolicyKind,
  { policies, bindings }: { readonly policies: Lookup; readonly bindings: Lookup },
): Installation {
  const name = admissionPolicyNames[kind];
  const needed = [
    { object: `MutatingAdmissionPolicy ${name}`, found: policies.get(name) },
    // Of the cluster kind each policy has a binding of its own, which is put right.
    ...(kind === 'ClusterKeepalivePolicy'
      ? []
      : [{ object: `MutatingAdmissionPolicyBinding ${name}`, found: bindings.get(name) }]),
  ];
  return {
    missing: needed.filter(({ found }) => found === undefined).map(({ object }) => object),
    differing: needed.flatMap(({ object, found }) => (found?.differs ? [{ object, ...found.differs }] : [])),
  };
}

/** What keeps a kind from being asked about; undefined: nothing. `fence` is asked by the name of the kind of object. */
export function witnessFault(
  kind: PolicyKind,
  { policies, fence }: { readonly policies: Lookup; readonly fence: Lookup },
): string | undefined {
  const name = witnessNames[kind];
  const needed = [
    { object: `MutatingAdmissionPolicy ${name}`, found: policies.get(name) },
    ...staticAdmission.fence.map((object) => ({
      object: `${object.kind} ${object.metadata.name}`,
      found: fence.get(object.kind),
    })),
  ];
  const [missing] = needed.filter(({ found }) => found === undefined);
  if (missing !== undefined) return `${missing.object} is not installed`;
  const [edited] = needed.filter(({ found }) => found?.differs !== undefined);
  return (
    edited && `${edited.object} differs in ${edited.found?.differs?.field} from what this version installs`
  );
}
