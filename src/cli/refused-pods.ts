import type { Path } from '../api/schema-node.ts';
import { isObject } from '../api/schema-node.ts';
import { podView } from '../policy/pod.ts';
import { enforceVersionLabel, isPinned } from '../policy/skip.ts';
import { entryOf, keyOf, plainInteger } from '../policy/sysctl.ts';
import { tripleKeys } from '../api/triple.ts';
import type { Remark } from './remark.ts';
import { remark } from './remark.ts';
import type { Namespaces, Workload } from './workload.ts';

interface Entry {
  readonly name: string;
  readonly value: unknown;
  readonly path: Path;
}

/** Templates that are no pods: the API server cannot even read them. */
export function malformedPods(workloads: readonly Workload[]): Remark[] {
  return workloads.flatMap(({ manifest, misfits }) =>
    misfits.map(({ path, message }) => remark('malformed-pod', manifest, path, message)),
  );
}

/** Templates whose own keepalive sysctls somebody refuses: the API server, Pod Security, or the kubelet at the start. */
export function refusedPods(workloads: readonly Workload[], namespaces: Namespaces): Remark[] {
  return workloads.flatMap((workload) => {
    const entries = keepaliveEntries(workload);
    return entries.length === 0 ? [] : rules.flatMap((rule) => rule(workload, entries, namespaces));
  });
}

function keepaliveEntries({ written, template }: Workload): Entry[] {
  return written.flatMap((entry, at): Entry[] => {
    if (!isObject(entry) || typeof entry.name !== 'string') return [];
    if (keyOf({ name: entry.name, value: '' }) === undefined) return [];
    return [
      { name: entry.name, value: entry.value, path: [...template, 'spec', 'securityContext', 'sysctls', at] },
    ];
  });
}

type PodRule = (workload: Workload, entries: readonly Entry[], namespaces: Namespaces) => Remark[];

const rules: readonly PodRule[] = [hostNetwork, windows, pinned, twice, unquoted, unreadable, beyondKernel];

/** k8s.io/kubernetes, pkg/apis/core/validation, ValidateHostSysctl. */
function hostNetwork({ manifest, pod }: Workload, entries: readonly Entry[]): Remark[] {
  if (pod.spec?.hostNetwork !== true) return [];
  return entries.map(({ name, path }) =>
    remark(
      'pod-refused',
      manifest,
      path,
      `${name} may not be specified when 'hostNetwork' is true: remove it, and select the node in a ClusterKeepalivePolicy`,
    ),
  );
}

function windows({ manifest, pod }: Workload, entries: readonly Entry[]): Remark[] {
  if (!podView(pod).windows) return [];
  return entries
    .slice(0, 1)
    .map(({ path }) =>
      remark(
        'pod-refused',
        manifest,
        path.slice(0, -1),
        'sysctls cannot be set for a windows pod: remove them, and set KeepAliveTime in the registry of its nodes',
      ),
    );
}

function pinned(
  { manifest, namespace }: Workload,
  entries: readonly Entry[],
  namespaces: Namespaces,
): Remark[] {
  if (!isPinned(namespaces.view(namespace))) return [];
  const words = `namespace ${namespace} enforces Pod Security as of before v1.29, which forbids the keepalive sysctls: raise its label ${enforceVersionLabel}, or remove them`;
  return entries.slice(0, 1).map(({ path }) => remark('pod-refused', manifest, path.slice(0, -1), words));
}

/** The API server knows the second only where both are spelled the same; the kubelet takes the last of any. */
function twice({ manifest }: Workload, entries: readonly Entry[]): Remark[] {
  return entries
    .filter(({ name }, at) => entries.slice(0, at).some((earlier) => earlier.name === name))
    .map(({ name, path }) =>
      remark('pod-refused', manifest, path, `Duplicate value: ${name} is set twice: keep one`),
    );
}

function unquoted({ manifest }: Workload, entries: readonly Entry[]): Remark[] {
  return entries.flatMap(({ name, value, path }) => {
    const words = wordsOfUnquoted(name, value);
    return words === undefined ? [] : [remark('pod-refused', manifest, [...path, 'value'], words)];
  });
}

function wordsOfUnquoted(name: string, value: unknown): string | undefined {
  if (value === undefined) return `${name} has no value: write one in quotes, or remove it`;
  if (typeof value !== 'number' && typeof value !== 'boolean') return undefined;
  return `the value of ${name} is a text: write it in quotes, value: "${value}"`;
}

/** What only the kernel can read; where it cannot, the pod never starts (FailedCreatePodSandBox). */
function unreadable({ manifest, pod }: Workload, entries: readonly Entry[]): Remark[] {
  const counting = tripleKeys.map((key) => entryOf(pod.spec?.securityContext?.sysctls ?? [], key)?.value);
  return entries
    .filter(({ value }) => typeof value === 'string' && !plainInteger.test(value) && counting.includes(value))
    .map(({ name, value, path }) =>
      remark(
        'pod-refused',
        manifest,
        [...path, 'value'],
        `${name} is no plain whole number (${JSON.stringify(value)}), and the pod may never start: write seconds without a unit`,
      ),
    );
}

/**
 * Beyond these Linux says EINVAL: proc_dou8vec_minmax since 5.13, and proc_dointvec_jiffies above INT_MAX / HZ, of which no Linux has fewer
 * than 100. In between it depends on the node.
 */
const kernelMost = { timeSeconds: 21_474_836, intervalSeconds: 21_474_836, probes: 255 } as const;

function beyondKernel({ manifest, pod }: Workload, entries: readonly Entry[]): Remark[] {
  const sysctls = pod.spec?.securityContext?.sysctls ?? [];
  return tripleKeys.flatMap((key) => {
    const counting = entryOf(sysctls, key);
    const entry = entries.findLast(({ name }) => keyOf({ name, value: '' }) === key);
    if (counting === undefined || entry === undefined || !plainInteger.test(counting.value)) return [];
    if (Number(counting.value) <= kernelMost[key]) return [];
    const since = key === 'probes' ? ' since 5.13' : '';
    const words = `${entry.name} is more than Linux takes${since} (${counting.value}), and the pod never starts: write ${kernelMost[key]} at most`;
    return [remark('pod-refused', manifest, [...entry.path, 'value'], words)];
  });
}
