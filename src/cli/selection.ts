import type { Policy } from '../policy/policy.ts';
import { namespaceSelectorOf, selectsNamespace } from '../policy/policy.ts';
import { podView } from '../policy/pod.ts';
import { skipOf } from '../policy/skip.ts';
import { saysLinux } from '../policy/windows.ts';
import { someOf } from '../policy/finding.ts';
import { shorthand } from '../api/triple.ts';
import { surelySelects } from './added-labels.ts';
import type { InputPolicy } from './policies.ts';
import type { Remark } from './remark.ts';
import { describeManifest, remark } from './remark.ts';
import type { RuntimeClasses } from './runtime-classes.ts';
import type { Namespaces, Workload } from './workload.ts';
import { describeWorkload } from './workload.ts';

/** Of the input, what decides on workloads without being one. */
interface Beside {
  readonly namespaces: Namespaces;
  readonly runtimeClasses: RuntimeClasses;
}

/** What policies mean for the workloads beside them in the input. */
export function remarksOnSelection(
  policies: readonly InputPolicy[],
  workloads: readonly Workload[],
  { namespaces, runtimeClasses }: Beside,
): Remark[] {
  const selected = new Map(
    policies.map((one) => [one, workloads.filter((workload) => isSelected(one, workload, namespaces))]),
  );
  return [
    ...policies.flatMap((one) => {
      const unknown = [
        ...unknownNamespaces(one, workloads, namespaces),
        ...unknownLabels(one, workloads, namespaces),
      ];
      return unknown.length > 0 ? unknown : nothingSelected(one, selected.get(one) ?? [], workloads);
    }),
    ...overlaps(selected),
    ...leftAlone(selected, namespaces),
    ...unknownRuntimeClasses(selected, { namespaces, runtimeClasses }),
  ];
}

/** For certain: where it cannot be told, nothing follows. */
export function isSelected({ policy }: InputPolicy, workload: Workload, namespaces: Namespaces): boolean {
  return (
    selectsNamespaceNamed(policy, workload.namespace, namespaces) === true &&
    selectsPodsOf(policy, workload) === true
  );
}

/** `undefined`: it depends on what the controller of the pods writes into their labels. */
function selectsPodsOf(
  { spec: { podSelector } }: Policy,
  { pod, openLabels }: Workload,
): boolean | undefined {
  if (podSelector === undefined) return false;
  return surelySelects(podSelector, pod.metadata?.labels ?? {}, (key) =>
    openLabels.includes(key) ? 'only that it is there' : 'value',
  );
}

/** `undefined`: it depends on labels that are not in the input, which a selector may also ask not to be there. */
function selectsNamespaceNamed(policy: Policy, name: string, namespaces: Namespaces): boolean | undefined {
  const view = namespaces.view(name);
  const selector = namespaceSelectorOf(policy);
  if (selector === undefined || namespaces.isKnown(name)) return selectsNamespace(policy, view);
  return surelySelects(selector, view.labels, (key) =>
    Object.hasOwn(view.labels, key) ? 'value' : 'nothing',
  );
}

function nothingSelected(
  { policy, manifest }: InputPolicy,
  selected: readonly Workload[],
  workloads: readonly Workload[],
): Remark[] {
  if (selected.length > 0 || workloads.length === 0 || policy.spec.podSelector === undefined) return [];
  const near = workloads.filter(({ namespace }) => policy.namespace === '' || policy.namespace === namespace);
  const where = policy.namespace === '' ? 'in the input' : `in namespace ${policy.namespace}`;
  const there =
    near.length === 0
      ? `no pod template of the input is ${where}`
      : `none of the ${near.length} pod templates ${where} is: they have ${someOf([...new Set(near.map(labelsOf))])}`;
  return [
    remark(
      'selects-nothing',
      manifest,
      ['spec', 'podSelector'],
      `nothing is selected: ${there}. Compare spec.podSelector with the labels of the templates`,
    ),
  ];
}

function labelsOf({ pod, openLabels }: Workload): string {
  const labels = Object.entries(pod.metadata?.labels ?? {})
    .filter(([key]) => !openLabels.includes(key))
    .map(([key, value]) => `${key}: ${value}`);
  return `{${labels.join(', ')}}`;
}

/** A namespaceSelector asks for labels, which only a Namespace in the input can show. */
function unknownNamespaces(
  { policy, manifest }: InputPolicy,
  workloads: readonly Workload[],
  namespaces: Namespaces,
): Remark[] {
  const unknown = [
    ...new Set(
      workloads
        .filter((workload) => selectsPodsOf(policy, workload) !== false)
        .map(({ namespace }) => namespace),
    ),
  ].filter((name) => selectsNamespaceNamed(policy, name, namespaces) === undefined);
  if (unknown.length === 0) return [];
  return [
    remark(
      'unknown-namespace',
      manifest,
      ['spec', 'namespaceSelector'],
      `whether it selects ${someOf(unknown)} cannot be told: add the Namespace with its labels to the input`,
    ),
  ];
}

/** A value that is made with a pod, such as a hash, stands in no input. */
function unknownLabels(
  { policy, manifest }: InputPolicy,
  workloads: readonly Workload[],
  namespaces: Namespaces,
): Remark[] {
  const unknown = workloads.filter(
    (workload) =>
      selectsNamespaceNamed(policy, workload.namespace, namespaces) === true &&
      selectsPodsOf(policy, workload) === undefined,
  );
  if (unknown.length === 0) return [];
  const names = someOf([...new Set(unknown.map(describeWorkload))]);
  return [
    remark(
      'unknown-label',
      manifest,
      ['spec', 'podSelector'],
      `which pods of ${names} it selects cannot be told: it asks for the value of a label that their controller gives them`,
    ),
  ];
}

/** Said once for each two policies, at the looser one. */
function overlaps(selected: ReadonlyMap<InputPolicy, readonly Workload[]>): Remark[] {
  const all = [...selected];
  return all.flatMap(([one, ones], at) =>
    all.slice(at + 1).flatMap(([other, others]) => {
      const both = ones.filter((workload) => others.includes(workload));
      return both.length === 0 ? [] : overlap(one, other, both);
    }),
  );
}

function overlap(one: InputPolicy, other: InputPolicy, both: readonly Workload[]): Remark[] {
  const timeoutOf = ({ policy }: InputPolicy) => policy.effective?.idleTimeoutSeconds ?? Infinity;
  const [looser, stricter] = timeoutOf(one) > timeoutOf(other) ? [one, other] : [other, one];
  const { effective, spec } = stricter.policy;
  if (effective === undefined) return [];
  const names = someOf(both.map(describeWorkload));
  const how =
    timeoutOf(one) === timeoutOf(other)
      ? `asks for the same timeout`
      : `${spec.mode === 'Audit' ? 'would bind, were it not in Audit' : 'binds'} there with ${shorthand(effective)}`;
  return [
    remark(
      'overlap',
      looser.manifest,
      ['spec', 'podSelector'],
      `${describeManifest(stricter.manifest)} selects ${names} too, and ${how}`,
    ),
  ];
}

/** Each workload once, with whichever policy selects it first. */
function firstOfEach(
  selected: ReadonlyMap<InputPolicy, readonly Workload[]>,
): ReadonlyMap<Workload, InputPolicy> {
  return new Map(
    [...selected].reverse().flatMap(([policy, list]) => list.map((one) => [one, policy] as const)),
  );
}

/** A class may be of Windows, whose kubelet fails pods with sysctls; one that says for itself where it runs does not depend on it. */
function unknownRuntimeClasses(
  selected: ReadonlyMap<InputPolicy, readonly Workload[]>,
  { namespaces, runtimeClasses }: Beside,
): Remark[] {
  return [...firstOfEach(selected).keys()].flatMap(({ manifest, template, pod, namespace }) => {
    const { runtimeClassName: name = '' } = pod.spec ?? {};
    if (name === '' || runtimeClasses.isKnown(name) || saysLinux(pod.spec ?? {})) return [];
    if (skipOf(podView(pod), namespaces.view(namespace)) !== undefined) return [];
    const words = `whether RuntimeClass ${name} is of Windows, where pods with sysctls fail, cannot be told: add it to the input`;
    return [remark('unknown-runtime-class', manifest, [...template, 'spec', 'runtimeClassName'], words)];
  });
}

function leftAlone(
  selected: ReadonlyMap<InputPolicy, readonly Workload[]>,
  namespaces: Namespaces,
): Remark[] {
  return [...firstOfEach(selected)].flatMap(([{ manifest, template, pod, namespace }, policy]) => {
    const skip = skipOf(podView(pod), namespaces.view(namespace));
    if (skip === undefined) return [];
    const words = `${describeManifest(policy.manifest)} selects its pods, which are left as they are: ${skip.advice}`;
    return [remark('left-alone', manifest, [...template, 'spec'], words)];
  });
}
