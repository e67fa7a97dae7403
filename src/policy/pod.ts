import { OWN_VALUES_ANNOTATION, REQUIREMENT_ANNOTATION } from '../api/group.ts';
import type { Triple } from '../api/triple.ts';
import { ownValuesPattern } from './admitted.ts';
import type { Sysctl } from './sysctl.ts';
import { declaredTriple } from './sysctl.ts';
import type { Scheduling } from './scheduling.ts';
import { wantsWindows } from './windows.ts';

/** The fields of a Pod, as the API server sends it, that a decision can depend on. */
export interface RawPod {
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: unknown;
    readonly creationTimestamp?: string;
  };
  readonly spec?: Scheduling & {
    readonly hostNetwork?: boolean;
    readonly runtimeClassName?: string;
    readonly securityContext?: { readonly sysctls?: readonly Sysctl[] };
  };
  readonly status?: {
    readonly phase?: string;
    readonly initContainerStatuses?: readonly RawContainerStatus[];
    readonly containerStatuses?: readonly RawContainerStatus[];
  };
}

export interface RawContainerStatus {
  readonly containerID?: string;
  readonly restartCount?: number;
  readonly state?: { readonly running?: unknown; readonly terminated?: unknown };
}

/** A pod as decisions see it: small, since a controller holds one for every pod of the cluster. */
export interface PodView {
  readonly namespace: string;
  readonly name: string;
  /** Undefined before there is a pod. */
  readonly uid?: string;
  /** Of its uid, where it is reckoned beforehand (`partOfPod`): whoever counts it for a thousand policies asks for it a thousand times. */
  readonly digestPart?: number;
  readonly node: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly hostNetwork: boolean;
  readonly windows: boolean;
  /** A mirror of a file on its node: the API holds a copy, so changing it changes nothing. */
  readonly staticPod: boolean;
  /** Neither ended nor ending. */
  readonly live: boolean;
  /** Not scheduled, or none of its containers has run yet: nothing of it can have a connection. */
  readonly pending: boolean;
  /** What its spec makes the kernel start with; `undefined` where that cannot be told. */
  readonly declared: Triple | undefined;
  /** What its spec said before admission changed it, where it said anything: `600/-/-`. */
  readonly changedFrom: string | undefined;
  /** Admission has seen it, and noted what policies ask for: a claim, like all that stands in a pod. */
  readonly noted: boolean;
  /** In milliseconds, of a whole second, by the clock of the API server; undefined before there is a pod. */
  readonly createdAtMs: number | undefined;
}

type RawStatus = NonNullable<RawPod['status']>;

const mirrorAnnotation = 'kubernetes.io/config.mirror';

export function podView({ metadata = {}, spec = {}, status }: RawPod): PodView {
  const { namespace = '', name = '', labels = {}, annotations = {} } = metadata;
  const { nodeName: node, hostNetwork = false, securityContext } = spec;
  return {
    namespace,
    name,
    node,
    labels,
    hostNetwork,
    windows: wantsWindows(spec),
    staticPod: Object.hasOwn(annotations, mirrorAnnotation),
    live: metadata.deletionTimestamp === undefined && !hasEnded(status),
    pending: isPending(status),
    declared: declaredTriple(securityContext?.sysctls),
    changedFrom: changedFrom(annotations[OWN_VALUES_ANNOTATION]),
    noted: annotations[REQUIREMENT_ANNOTATION] !== undefined,
    createdAtMs: createdAtMs(metadata),
  };
}

function createdAtMs({ creationTimestamp }: NonNullable<RawPod['metadata']>): number | undefined {
  return creationTimestamp === undefined ? undefined : Date.parse(creationTimestamp);
}

/** Whoever makes a pod may write the annotation too: it is only ever shown. */
function changedFrom(text: string | undefined): string | undefined {
  return text !== undefined && ownValuesPattern.test(text) && /\d/.test(text) ? text : undefined;
}

/** The phase stays Pending while init containers run. */
function isPending({ phase, initContainerStatuses = [], containerStatuses = [] }: RawStatus = {}): boolean {
  return (
    (phase ?? 'Pending') === 'Pending' &&
    ![...initContainerStatuses, ...containerStatuses].some(
      ({ restartCount = 0, state = {} }) =>
        restartCount > 0 || state.running !== undefined || state.terminated !== undefined,
    )
  );
}

function hasEnded(status: RawStatus | undefined): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

/** A namespace as decisions see it. */
export interface NamespaceView {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}
