import { isDeepStrictEqual } from 'node:util';

import * as z from 'zod';

import type { PolicyKind } from '../api/group.ts';
import { dnsLabel } from '../api/hop.ts';
import type { Admitted } from './admit.ts';
import { admit } from './admit.ts';
import type { NamespaceView, RawPod } from './pod.ts';
import type { Policy } from './policy.ts';
import type { PolicyRecord } from './record.ts';
import { withheldOf } from './withholding.ts';
import { answersTo } from './witness.ts';

/**
 * What a webhook is asked while a pod is created, and what it answers: admit() as a patch. It acts by what the status of a
 * policy says, as the CEL of admission.ts does, so that both do the same of the same objects.
 */
export interface PodReview {
  /** Of the request; the answer has to name it. */
  readonly uid: string;
  readonly namespace: string;
  readonly dryRun: boolean;
  readonly pod: RawPod;
}

/** An operation of RFC 6902. */
export interface PatchOperation {
  readonly op: 'add' | 'remove' | 'replace';
  readonly path: string;
  readonly value?: unknown;
}

const uid = z.string().min(1).max(253);
const texts = z.record(z.string(), z.string()).optional();
/** Of the pod only that which is taken apart here: its shape the API server has checked. */
const reviewSchema = z.object({
  apiVersion: z.literal('admission.k8s.io/v1'),
  kind: z.literal('AdmissionReview'),
  request: z.object({
    uid,
    // Anybody can ask, and it goes into a request: no namespace has another name.
    namespace: z.string().max(63).regex(dnsLabel),
    operation: z.literal('CREATE'),
    dryRun: z.boolean().default(false),
    resource: z.object({ group: z.literal(''), version: z.literal('v1'), resource: z.literal('pods') }),
    subResource: z.literal('').optional(),
    object: z.looseObject({
      metadata: z.looseObject({ labels: texts, annotations: texts }),
      spec: z.looseObject({}),
    }),
  }),
});

/** Undefined for anything that is not about a pod which is created. */
export function readReview(body: unknown): PodReview | undefined {
  const { success, data } = reviewSchema.safeParse(body);
  if (!success) return undefined;
  const { uid, namespace, dryRun, object } = data.request;
  const pod = object as RawPod;
  return { uid, namespace, dryRun, pod: { ...pod, metadata: { ...pod.metadata, namespace } } };
}

/** The uid of the request, of whatever can be read of it. */
export function uidIn(body: unknown): string {
  const { success, data } = z.object({ request: z.object({ uid }) }).safeParse(body);
  return success ? data.request.uid : '';
}

/** The AdmissionReview that answers: always that the pod may be made. */
export function answerTo(uid: string, patch: readonly PatchOperation[]) {
  const change =
    patch.length === 0
      ? {}
      : { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') };
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid, allowed: true, ...change },
  };
}

/** What becomes of a pod, by the policies of its namespace and of the cluster. */
export function patchOf(
  { pod, namespace }: PodReview,
  known: { readonly namespace: NamespaceView; readonly policies: Iterable<PolicyRecord> },
): PatchOperation[] {
  const acting = [...known.policies].flatMap((record) => actingIn(record, namespace) ?? []);
  const given: Admitted = {
    sysctls: pod.spec?.securityContext?.sysctls ?? [],
    annotations: pod.metadata?.annotations ?? {},
  };
  return difference(pod, given, admit(pod, known.namespace, acting));
}

/**
 * A policy as its status says that it acts in a namespace; the conditions of the CEL, one by one. One that is not understood goes on
 * with what was understood before: a rollback, or kinds that are upgraded before the replicas, must not leave new pods without values.
 */
function actingIn({ policy, unread, status }: PolicyRecord, namespace: string): Policy | undefined {
  const { effective, admission, refusals = [] } = status;
  const said = policy ?? unread;
  if (said === undefined || effective === undefined || admission === 'Withheld') return undefined;
  const isRefused = withheldOf(refusals).some((refusal) => refusal.namespace === namespace);
  return isRefused ? undefined : { ...said, effective };
}

function difference(pod: RawPod, given: Admitted, made: Admitted): PatchOperation[] {
  const { sysctls } = made;
  if (isDeepStrictEqual(given.sysctls, sysctls)) return annotate(pod, made.annotations);
  const change: PatchOperation =
    pod.spec?.securityContext === undefined
      ? { op: 'add', path: '/spec/securityContext', value: { sysctls } }
      : { op: 'add', path: '/spec/securityContext/sysctls', value: sysctls };
  return [change, ...annotate(pod, made.annotations)];
}

function annotate(pod: RawPod, made: Admitted['annotations']): PatchOperation[] {
  const given = pod.metadata?.annotations;
  if (given === undefined)
    return Object.keys(made).length === 0 ? [] : [{ op: 'add', path: '/metadata/annotations', value: made }];
  const pathOf = (name: string) =>
    `/metadata/annotations/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const removed = Object.keys(given).filter((name) => !Object.hasOwn(made, name));
  const changed = Object.entries(made).filter(([name, value]) => given[name] !== value);
  return [
    ...removed.map((name) => ({ op: 'remove' as const, path: pathOf(name) })),
    ...changed.map(([name, value]) => ({ op: 'add' as const, path: pathOf(name), value })),
  ];
}

/** What a pod that asks is told: which versions are known here. Only of one that nobody makes. */
export function answerPatch(
  { pod, dryRun }: PodReview,
  policyOf: (kind: PolicyKind, key: string) => PolicyRecord | undefined,
): PatchOperation[] {
  const { annotations = {} } = pod.metadata ?? {};
  if (!dryRun) return [];
  return annotate(pod, { ...annotations, ...answersTo(annotations, policyOf) });
}
