import type { Path } from '../api/schema-node.ts';
import { isObject } from '../api/schema-node.ts';
import { withoutNulls } from '../api/verdict.ts';
import type { NamespaceView, RawPod } from '../policy/pod.ts';
import { addedLabels } from './added-labels.ts';
import type { Manifest } from './manifest.ts';
import type { Misfit } from './pod-shape.ts';
import { fitted } from './pod-shape.ts';
import { CommandError } from './terminal.ts';

/** What makes pods, as far as a manifest says: one template of it. */
export interface Workload {
  readonly manifest: Manifest;
  readonly namespace: string;
  /** Where the template is: its metadata and its spec are below. Empty for a Pod. */
  readonly template: Path;
  /** As a pod of it reaches the API server; without what is in no pod. */
  readonly pod: RawPod;
  /** Keys of labels that its controller gives to its pods, with values that nobody knows before: empty ones stand for them. */
  readonly openLabels: readonly string[];
  readonly misfits: readonly Misfit[];
  /** Its sysctls as they are written, whatever they are. */
  readonly written: readonly unknown[];
}

/** Where a kind has its templates: `*` stands for every field or item there. */
export type Templates = ReadonlyMap<string, readonly Path[]>;

const template = ['spec', 'template'];
const builtIn: readonly (readonly [kind: string, Path])[] = [
  ['Pod.', []],
  ['ReplicationController.', template],
  ['Deployment.apps', template],
  ['StatefulSet.apps', template],
  ['DaemonSet.apps', template],
  ['ReplicaSet.apps', template],
  ['Job.batch', template],
  ['CronJob.batch', ['spec', 'jobTemplate', 'spec', 'template']],
];

const example = 'Rollout.argoproj.io=spec.template';

/** `Rollout.argoproj.io=spec.template`, or `*` for a step that has several: `PyTorchJob.kubeflow.org=spec.pytorchReplicaSpecs.*.template`. */
export function templatesOf(texts: readonly string[] = []): Templates {
  const named = texts.map((text): [string, Path] => {
    const match = /^([A-Z]\w*\.[a-z0-9.-]*)=([\w*]+(?:\.[\w*]+)*)$/.exec(text);
    if (match === null) {
      throw new CommandError(
        `--template ${text}: write KIND.GROUP=FIELD.PATH, such as ${example}: the field that holds metadata and spec of a pod`,
      );
    }
    const [, kind = '', path = ''] = match;
    return [kind, path.split('.')];
  });
  const byKind = Map.groupBy([...builtIn, ...named], ([kind]) => kind);
  return new Map([...byKind].map(([kind, ones]) => [kind, ones.map(([, path]) => path)]));
}

function kindOf({ apiVersion, kind }: Manifest): string {
  return `${kind}.${apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''}`;
}

const builtInKinds = new Set(builtIn.map(([kind]) => kind));

/**
 * Of each kind that was named, of which no object has anything where its template was said to be: the first object, and where it was
 * looked for. One that has nothing there among others that have is a patch, or refers to a template elsewhere.
 */
export function withoutTemplates(
  manifests: readonly Manifest[],
  templates: Templates,
): { readonly manifest: Manifest; readonly paths: readonly Path[] }[] {
  const named = manifests.filter((one) => templates.has(kindOf(one)) && !builtInKinds.has(kindOf(one)));
  return [...Map.groupBy(named, kindOf)].flatMap(([kind, ones]) => {
    const paths = templates.get(kind) ?? [];
    const has = ({ object }: Manifest) => paths.some((path) => expand(object, path, []).length > 0);
    const [manifest] = ones;
    return manifest === undefined || ones.some(has) ? [] : [{ manifest, paths }];
  });
}

/** What the manifests make, template by template. */
export function workloadsIn(manifest: Manifest, templates: Templates, defaultNamespace: string): Workload[] {
  const paths = templates.get(kindOf(manifest)) ?? [];
  if (paths.length === 0) return [];
  const namespace = manifest.namespace === '' ? defaultNamespace : manifest.namespace;
  return templatesIn(withoutNulls(manifest.object), paths).flatMap(([template, found]) => {
    const { value, misfits } = fitted(found, template);
    const { metadata, spec = {} } = (value ?? {}) as RawPod;
    const { exact, keys: openLabels } = addedLabels(manifest);
    const open = Object.fromEntries(openLabels.map((key) => [key, '']));
    const labels = { ...metadata?.labels, ...exact, ...open };
    const pod = { metadata: { ...metadata, labels, namespace, name: manifest.name }, spec };
    return [{ manifest, namespace, template, pod, openLabels, misfits, written: writtenSysctls(found) }];
  });
}

/** Each once, whichever paths lead to it. */
function templatesIn(object: unknown, paths: readonly Path[]): [at: Path, found: unknown][] {
  const found = paths.flatMap((path) =>
    expand(object, path, []).filter(([, template]) => isPodTemplate(template, path)),
  );
  return [...new Map(found.map((one) => [JSON.stringify(one[0]), one])).values()];
}

/** A patch has a part of a template and no spec; where a step may be any field, most of them are none. */
function isPodTemplate(found: unknown, path: Path): boolean {
  if (isObject(found) && found.spec === undefined) return false;
  return !path.includes('*') || (isObject(found) && isObject(found.spec));
}

function writtenSysctls(template: unknown): readonly unknown[] {
  const spec = isObject(template) ? template.spec : undefined;
  const context = isObject(spec) ? spec.securityContext : undefined;
  const sysctls = isObject(context) ? context.sysctls : undefined;
  return Array.isArray(sysctls) ? sysctls : [];
}

function expand(value: unknown, path: Path, walked: Path): [at: Path, found: unknown][] {
  const [step, ...rest] = path;
  if (step === undefined) return [[walked, value]];
  if (typeof value !== 'object' || value === null) return [];
  const steps = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return steps
    .filter((one) => step === '*' || one === step)
    .flatMap((one) => expand((value as Record<string | number, unknown>)[one], rest, [...walked, one]));
}

/** Labels of the namespaces that are in the input; of any other all that is known is its name. */
export class Namespaces {
  readonly #labels = new Map<string, Record<string, string>>();

  constructor(manifests: readonly Manifest[]) {
    for (const { kind, apiVersion, name, object } of manifests) {
      if (kind !== 'Namespace' || apiVersion !== 'v1') continue;
      const { labels } = isObject(object.metadata) ? object.metadata : {};
      this.#labels.set(name, (isObject(labels) ? labels : {}) as Record<string, string>);
    }
  }

  isKnown(name: string): boolean {
    return this.#labels.has(name);
  }

  /** With the label that the API server gives every namespace. */
  view(name: string): NamespaceView {
    return { name, labels: { ...this.#labels.get(name), 'kubernetes.io/metadata.name': name } };
  }
}

/** `Deployment db/mongo` */
export function describeWorkload({ manifest, namespace }: Pick<Workload, 'manifest' | 'namespace'>): string {
  return `${manifest.kind} ${namespace}/${manifest.name}`;
}
