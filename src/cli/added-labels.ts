import type { LabelSelector } from '../api/selector.ts';
import { isObject } from '../api/schema-node.ts';
import { selects } from '../policy/label-selector.ts';
import type { Manifest } from './manifest.ts';

type Labels = Readonly<Record<string, string>>;

/** Labels that a template does not have and every pod of it has: its controller gives them, and admission sees them. */
export interface AddedLabels {
  readonly exact: Labels;
  /** Keys whose values nobody knows before. */
  readonly keys: readonly string[];
}

const jobNames = ['job-name', 'batch.kubernetes.io/job-name'];
const jobUids = ['controller-uid', 'batch.kubernetes.io/controller-uid'];
const completionIndex = 'batch.kubernetes.io/job-completion-index';

/** Of the controllers of Kubernetes (k8s.io/api: apps/v1 and batch/v1, types.go); what those of others add is not known. */
const added: Readonly<Record<string, readonly string[]>> = {
  'Deployment apps': ['pod-template-hash'],
  'DaemonSet apps': ['controller-revision-hash', 'pod-template-generation'],
  'StatefulSet apps': [
    'controller-revision-hash',
    'statefulset.kubernetes.io/pod-name',
    'apps.kubernetes.io/pod-index',
  ],
};

export function addedLabels({ kind, apiVersion, name, object }: Manifest): AddedLabels {
  const [group = ''] = apiVersion.split('/');
  if (group === 'batch' && kind === 'Job') return ofJob(object.spec, name);
  if (group === 'batch' && kind === 'CronJob') {
    const { jobTemplate } = isObject(object.spec) ? object.spec : {};
    return ofJob(isObject(jobTemplate) ? jobTemplate.spec : undefined, '');
  }
  return { exact: {}, keys: added[`${kind} ${group}`] ?? [] };
}

/** `name` is empty where the API server, or a CronJob, makes one. */
function ofJob(spec: unknown, name: string): AddedLabels {
  const { manualSelector, completionMode } = isObject(spec) ? spec : {};
  const index = completionMode === 'Indexed' ? [completionIndex] : [];
  if (manualSelector === true) return { exact: {}, keys: index };
  if (name === '') return { exact: {}, keys: [...jobNames, ...jobUids, ...index] };
  return { exact: Object.fromEntries(jobNames.map((key) => [key, name])), keys: [...jobUids, ...index] };
}

/** Whether a label is there, and with which value, as far as somebody knows. */
export type Knowledge = 'value' | 'only that it is there' | 'nothing';

/** `undefined`: it depends on what is not known. */
export function surelySelects(
  { matchLabels = {}, matchExpressions = [] }: LabelSelector,
  labels: Labels,
  knownOf: (key: string) => Knowledge,
): boolean | undefined {
  const asked = [
    ...Object.entries(matchLabels).map(([key, value]) => ({ key, operator: 'In' as const, values: [value] })),
    ...matchExpressions,
  ];
  const answers = asked.map((one) => {
    const known = knownOf(one.key);
    if (known === 'value') return selects({ matchExpressions: [one] }, labels);
    if (known === 'nothing' || one.operator === 'In' || one.operator === 'NotIn') return undefined;
    return one.operator === 'Exists';
  });
  if (answers.includes(false)) return false;
  return answers.includes(undefined) ? undefined : true;
}
