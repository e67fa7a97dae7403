import type { Path } from '../api/schema-node.ts';
import type { Manifest, Place } from './manifest.ts';
import { placeOf } from './manifest.ts';

/** Everything that `check` can remark: its names are the rule ids of SARIF, and stand in docs/cli.md. */
export const remarkKinds = {
  refused: ['error', 'The API server refuses the policy.'],
  'unknown-field': ['error', 'The API server drops the field, and kubectl refuses the policy.'],
  'beyond-limits': ['error', 'The settings of the cluster do not allow it to a KeepalivePolicy.'],
  'duplicate-policy': [
    'error',
    'The same policy is in the input twice, and the one that is applied last wins.',
  ],
  unreadable: ['error', 'The text is not YAML.'],
  'malformed-pod': ['error', 'The API server cannot read pods of the template: a field is of another type.'],
  'pod-refused': [
    'error',
    'The API server, Pod Security, the kubelet or the kernel refuses pods of the template.',
  ],
  'odd-value': ['warning', 'Valid, and most often not meant.'],
  'gives-up-early': ['warning', 'Declared values end connections that the path would keep.'],
  'selects-nothing': ['warning', 'No pod template of the input is selected.'],
  'left-alone': ['warning', 'Pods are selected and cannot be, or asked not to be, changed.'],
  'unknown-namespace': ['note', 'Whether a namespace is selected cannot be told from the input.'],
  'unknown-label': ['note', 'Whether pods are selected depends on a label that their controller gives them.'],
  'unknown-runtime-class': [
    'note',
    'Whether pods of a RuntimeClass run on Windows cannot be told from the input.',
  ],
  proxy: ['note', 'A proxy counts data: no keepalive probe refreshes it.'],
  'switched-off': ['note', 'The settings of the cluster let no policy act.'],
  overlap: ['note', 'Several policies select the same pods: the shortest timeout binds.'],
  'no-template': ['note', 'No object of a kind has a pod template where one was said to be.'],
  'template-text': ['note', 'A document of a folder is a template of something else, and was passed over.'],
} as const satisfies Readonly<Record<string, readonly [Severity, string]>>;

export type Severity = 'error' | 'warning' | 'note';
export type RemarkKind = keyof typeof remarkKinds;

/** One thing that somebody should know of, where it is. */
export interface Remark {
  readonly kind: RemarkKind;
  /** `undefined` where nothing could be read. */
  readonly manifest: Manifest | undefined;
  readonly file: string;
  readonly place: Place;
  /** What it is about: `KeepalivePolicy db/behind-the-nat`; empty where nothing could be read. */
  readonly object: string;
  readonly message: string;
}

export function severityOf({ kind }: Remark): Severity {
  return remarkKinds[kind][0];
}

export function remark(kind: RemarkKind, manifest: Manifest, path: Path, message: string): Remark {
  return {
    kind,
    manifest,
    file: manifest.source.name,
    place: placeOf(manifest, path),
    object: describeManifest(manifest),
    message,
  };
}

/** `KeepalivePolicy db/behind-the-nat`; without the namespace that it does not name. */
export function describeManifest({ kind, namespace, name }: Manifest): string {
  return `${kind || 'object'} ${namespace === '' ? '' : `${namespace}/`}${name === '' ? '(without a name)' : name}`;
}

/** File by file, from above to below; in one place the worst first. */
export function inOrder(remarks: readonly Remark[]): Remark[] {
  const ranks: readonly Severity[] = ['error', 'warning', 'note'];
  const rank = (one: Remark) => ranks.indexOf(severityOf(one));
  return [...remarks].sort(
    (a, b) =>
      (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
      a.place.line - b.place.line ||
      a.place.column - b.place.column ||
      rank(a) - rank(b),
  );
}
