import { createHash } from 'node:crypto';

import type { PolicyKind } from '../api/group.ts';
import { GROUP } from '../api/group.ts';
import { SETTINGS_NAMESPACE } from '../api/settings.ts';
import { admissionPolicyNames, admissionPolicyOf, namespacedBinding } from './admission.ts';
import { firstDifference } from './difference.ts';
import { asIfNoMoreLeftOut } from './left-out.ts';
import type { Homes } from './webhook.ts';
import { usualHomes, webhookConfiguration } from './webhook.ts';
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
  /** Of a configuration of webhooks, which has no spec. */
  readonly webhooks?: readonly { readonly clientConfig: unknown; readonly [field: string]: unknown }[];
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
  /** Instead of policies, bindings and witnesses, where the API server does not serve these. */
  webhook: stamped(webhookConfiguration(usualHomes)),
} as const;

/** The same fence where the operator was put elsewhere. */
export function fenceAround(namespace: string) {
  const { spec } = fencePolicy(namespace);
  return staticAdmission.fence.map((object) =>
    object.kind === 'ValidatingAdmissionPolicy' ? { ...object, spec } : object,
  );
}

/** The same configuration where the operator was put elsewhere. */
export function webhookAround(homes: Homes) {
  return { ...staticAdmission.webhook, webhooks: webhookConfiguration(homes).webhooks };
}

function stamped<T extends AdmissionObject>(object: T) {
  const annotations = {
    ...object.metadata.annotations,
    [contentAnnotation]: digestOf(object.spec ?? object.webhooks),
  };
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
  const field = wanted && differenceBetween(object, wanted);
  if (wanted === undefined || field === undefined) return undefined;
  const stampOf = ({ metadata }: AdmissionObject) => metadata.annotations?.[contentAnnotation];
  return { field, by: stampOf(object) === stampOf(wanted) ? 'somebody' : 'another version' };
}

function differenceBetween(object: AdmissionObject, wanted: AdmissionObject): string | undefined {
  if (wanted.webhooks === undefined) return firstDifference(object.spec ?? {}, wanted.spec, 'spec');
  // Where it leads to an overlay may change; what is trusted there is written by whoever makes the certificates.
  const ours = wanted.webhooks.map(({ clientConfig: _clientConfig, ...webhook }) => webhook);
  const there = (object.webhooks ?? []).map(({ namespaceSelector, ...webhook }, index) => ({
    ...webhook,
    namespaceSelector: asIfNoMoreLeftOut(namespaceSelector, ours[index]?.['namespaceSelector']),
  }));
  return firstDifference(there, ours, 'webhooks');
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

/** The same where a webhook does the work, for either kind. */
export function webhookInstallation(found: Installed | undefined): Installation {
  const { kind, metadata } = staticAdmission.webhook;
  const object = `${kind} ${metadata.name}`;
  return {
    missing: found === undefined ? [object] : [],
    differing: found?.differs === undefined ? [] : [{ object, ...found.differs }],
  };
}

/** What keeps a kind from being asked about; undefined: nothing. `fence` is asked by the name of the kind of object. */
export function witnessFault(
  kind: PolicyKind,
  { policies, fence }: { readonly policies: Lookup; readonly fence: Lookup },
): string | undefined {
  const name = witnessNames[kind];
  return faultOf([
    { object: `MutatingAdmissionPolicy ${name}`, found: policies.get(name) },
    ...inFence(fence),
  ]);
}

/** The same where the webhook is asked: its configuration is what is looked at before. */
export function fenceFault(fence: Lookup): string | undefined {
  return faultOf(inFence(fence));
}

function inFence(fence: Lookup): Needed[] {
  return staticAdmission.fence.map((object) => ({
    object: `${object.kind} ${object.metadata.name}`,
    found: fence.get(object.kind),
  }));
}

interface Needed {
  readonly object: string;
  readonly found: Installed | undefined;
}

function faultOf(needed: readonly Needed[]): string | undefined {
  const [missing] = needed.filter(({ found }) => found === undefined);
  if (missing !== undefined) return `${missing.object} is not installed`;
  const [edited] = needed.filter(({ found }) => found?.differs !== undefined);
  return (
    edited && `${edited.object} differs in ${edited.found?.differs?.field} from what this version installs`
  );
}
