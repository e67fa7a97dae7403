import type { NodeRequirement, Scheduling } from './scheduling.ts';
import { asksForNothing, requiredTerms } from './scheduling.ts';

/**
 * Whether a pod can only run on Windows, whose kubelet fails a pod with sysctls, and its controller then makes
 * another without end. Once as a function and once in CEL; test/support/admission-cases.ts holds both together.
 *
 * The nodeSelector of a RuntimeClass or of a namespace need not be looked up: the API server has merged it into
 * the pod before admission policies are asked (k8s.io/kubernetes, pkg/kubeapiserver/options/plugins.go).
 */

/** Labels that the kubelet gives its node; their values are GOOS: `linux` or `windows`. */
const osLabels = ['kubernetes.io/os', 'beta.kubernetes.io/os'];
/** Of Windows nodes only. */
const buildLabel = 'node.kubernetes.io/windows-build';
const presence = ['In', 'Exists', 'Gt', 'Lt'];
/** The taint that the Kubernetes documentation gives Windows nodes, and that of GKE. */
const taints = ['os', 'node.kubernetes.io/os'];
/** Left out, it is Equal. */
const equality = ['', 'Equal'];

export function wantsWindows(spec: Scheduling): boolean {
  return (
    spec.os?.name === 'windows' ||
    selectsWindows(spec.nodeSelector ?? {}) ||
    requiresWindows(spec) ||
    isPutOnWindows(spec)
  );
}

function selectsWindows(nodeSelector: Readonly<Record<string, string>>): boolean {
  return osLabels.some((label) => nodeSelector[label] === 'windows') || buildLabel in nodeSelector;
}

/** Says for itself that it is of Linux: what a RuntimeClass selects beside it may not differ, or the pod is refused. */
export function saysLinux({ os, nodeSelector = {} }: Scheduling): boolean {
  return os?.name === 'linux' || osLabels.some((label) => nodeSelector[label] === 'linux');
}

/** Terms are alternatives: each has to lead to Windows. */
function requiresWindows(spec: Scheduling): boolean {
  const terms = (requiredTerms(spec) ?? []).filter((term) => !asksForNothing(term));
  return (
    terms.length > 0 && terms.every(({ matchExpressions = [] }) => matchExpressions.some(demandsWindows))
  );
}

function demandsWindows({ key, operator, values = [] }: NodeRequirement): boolean {
  if (key === buildLabel) return presence.includes(operator);
  if (!osLabels.includes(key)) return false;
  return operator === 'In'
    ? values.every((value) => value === 'windows')
    : operator === 'NotIn' && values.includes('linux');
}

/** A toleration alone lets a pod go to either; nobody needs one for Windows who puts a pod on a Linux node himself. */
function isPutOnWindows({ nodeName = '', tolerations = [] }: Scheduling): boolean {
  return (
    nodeName !== '' &&
    tolerations.some(
      ({ key = '', operator = '', value }) =>
        taints.includes(key) && equality.includes(operator) && value === 'windows',
    )
  );
}

const quoted = (names: readonly string[]) => `['${names.join("', '")}']`;
const selectorCel = 'object.spec.?nodeSelector.orValue({})';
const termsCel =
  'object.spec.?affinity.?nodeAffinity.?requiredDuringSchedulingIgnoredDuringExecution.?nodeSelectorTerms.orValue([])' +
  '.filter(t, size(t.?matchExpressions.orValue([])) + size(t.?matchFields.orValue([])) > 0)';
const demandsCel =
  `e.key == '${buildLabel}' ? e.operator in ${quoted(presence)} : e.key in ${quoted(osLabels)} && ` +
  "(e.operator == 'In' ? e.?values.orValue([]).all(v, v == 'windows') : e.operator == 'NotIn' && 'linux' in e.?values.orValue([]))";

/** CEL, with the pod as `object`: what each of the functions above says, negated, in their order. */
export const notWindowsCel: readonly string[] = [
  "object.spec.?os.?name.orValue('') != 'windows'",
  `!(${quoted(osLabels)}.exists(l, ${selectorCel}[?l].orValue('') == 'windows') || '${buildLabel}' in ${selectorCel})`,
  `!(size(${termsCel}) > 0 && ${termsCel}.all(t, t.?matchExpressions.orValue([]).exists(e, ${demandsCel})))`,
  "!(object.spec.?nodeName.orValue('') != '' && object.spec.?tolerations.orValue([]).exists(t, " +
    `t.?key.orValue('') in ${quoted(taints)} && t.?operator.orValue('') in ${quoted(equality)} && t.?value.orValue('') == 'windows'))`,
];
