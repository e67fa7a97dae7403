import { plurals } from '../api/group.ts';
import type { Path } from '../api/schema-node.ts';
import type { Source } from './input.ts';
import type { Manifest, Unreadable } from './manifest.ts';
import { manifestsOf, mayHoldManifests, templateAdvice } from './manifest.ts';
import type { InputPolicy } from './policies.ts';
import { judgePolicies } from './policies.ts';
import { malformedPods, refusedPods } from './refused-pods.ts';
import type { Remark } from './remark.ts';
import { inOrder, remark } from './remark.ts';
import { remarksOnSelection } from './selection.ts';
import { RuntimeClasses } from './runtime-classes.ts';
import type { Templates, Workload } from './workload.ts';
import { Namespaces, withoutTemplates, workloadsIn } from './workload.ts';

export interface ReviewOptions {
  readonly namespace: string;
  readonly templates: Templates;
  /** What is written out again, and not only judged: there everything has to be read. */
  readonly whole?: readonly Source[];
}

/** An input that was read and judged. */
export interface Review {
  readonly sources: readonly Source[];
  readonly policies: readonly InputPolicy[];
  readonly workloads: readonly Workload[];
  readonly namespaces: Namespaces;
  readonly remarks: readonly Remark[];
}

export function review(
  sources: readonly Source[],
  { namespace, templates, whole = [] }: ReviewOptions,
): Review {
  const mayMatter = mattering(templates);
  const written = new Set(
    whole.filter((one) => mayHoldManifests(one) || (one.brokenLine !== undefined && !one.found)),
  );
  const read = sources
    .filter((source) => mayMatter.test(source.text) || written.has(source))
    .map(manifestsOf);
  const manifests = read.flatMap((one) => one.manifests);
  const { policies, remarks } = judgePolicies(manifests, namespace);
  const runtimeClasses = new RuntimeClasses(manifests);
  const workloads = manifests
    .flatMap((manifest) => workloadsIn(manifest, templates, namespace))
    .map((workload) => runtimeClasses.applied(workload));
  const namespaces = new Namespaces(manifests);
  return {
    sources,
    policies,
    workloads,
    namespaces,
    remarks: inOrder([
      ...read.flatMap(({ unreadable }) => unreadable.map(unreadableRemark)),
      ...remarks,
      ...withoutTemplates(manifests, templates).map(withoutTemplateRemark),
      ...remarksOnSelection(policies, workloads, { namespaces, runtimeClasses }),
      ...malformedPods(workloads),
      ...refusedPods(workloads, namespaces),
    ]),
  };
}

const others = [...Object.keys(plurals), 'Namespace', 'RuntimeClass', 'ConfigMap', '\\w*List'];

/** A text without any kind that we look at is not worth parsing, which takes a millisecond each. */
function mattering(templates: Templates): RegExp {
  const kinds = [...templates.keys()].map((kind) => kind.split('.')[0]);
  const marks = '(?:[&!]\\S*\\s+)*';
  return new RegExp(
    `keepalive\\.dev|\\bkind["']?\\s*:\\s*${marks}["']?(${[...kinds, ...others].join('|')})\\b`,
  );
}

function withoutTemplateRemark({
  manifest,
  paths,
}: {
  readonly manifest: Manifest;
  readonly paths: readonly Path[];
}): Remark {
  const places = paths.map((path) => path.join('.')).join(', nor at ');
  return remark(
    'no-template',
    manifest,
    ['kind'],
    `nothing is at ${places}, where --template looks for pods of a ${manifest.kind}, and so in all of that kind: name the field that holds their metadata and spec`,
  );
}

function unreadableRemark({ source, place, message, isTemplate }: Unreadable): Remark {
  return {
    kind: isTemplate ? 'template-text' : 'unreadable',
    manifest: undefined,
    file: source.name,
    place,
    object: '',
    message: isTemplate ? templateAdvice : `it cannot be read as YAML: ${message}`,
  };
}
