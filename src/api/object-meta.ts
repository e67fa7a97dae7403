import type { PolicyKind } from './group.ts';
import {
  bytesOf,
  dnsLabelProblems,
  labelKeyProblems,
  labelValueProblems,
  subdomainProblems,
} from './name-format.ts';
import type { Path, Problem } from './schema-node.ts';
import { isObject } from './schema-node.ts';

/**
 * What an API server has against the metadata of an object of any kind, once it could be read (k8s.io/apimachinery,
 * api/validation/objectmeta.go, ValidateObjectMeta).
 */
export function metadataProblems(kind: PolicyKind, object: unknown): Problem[] {
  const metadata: Metadata = isObject(object) && isObject(object.metadata) ? object.metadata : {};
  return [
    ...generateNameProblems(metadata),
    ...nameProblems(metadata),
    // What a cluster policy says of a namespace is dropped (EnsureObjectNamespaceMatchesRequestNamespace).
    ...(kind === 'KeepalivePolicy' ? namespaceProblems(metadata) : []),
    ...labelProblems(metadata),
    ...annotationProblems(metadata),
    ...ownerProblems(metadata),
    ...finalizerProblems(metadata),
  ];
}

/** Of the types that objectMetaSchema asks for; a text that is null is an empty one to Go, also in a map. */
interface Metadata {
  readonly name?: string | null;
  readonly generateName?: string | null;
  readonly namespace?: string | null;
  readonly labels?: Texts | null;
  readonly annotations?: Texts | null;
  readonly ownerReferences?: readonly (Readonly<Record<string, unknown>> | null)[] | null;
  readonly finalizers?: readonly (string | null)[] | null;
}

type Texts = Readonly<Record<string, string | null>>;

function entriesOf(texts: Texts | null | undefined): [key: string, value: string][] {
  return Object.entries(texts ?? {}).map(([key, value]) => [key, value ?? '']);
}

/** `at` where a person finds it: the API server names no key of a map and no item of a list. */
function invalid(path: Path, at: Path, value: unknown, words: readonly string[]): Problem[] {
  return words.map((one) => ({ path, at, body: `Invalid value: ${JSON.stringify(value)}: ${one}` }));
}

const namePath = ['metadata', 'name'];

function generateNameProblems({ generateName }: Metadata): Problem[] {
  if (!generateName) return [];
  const path = ['metadata', 'generateName'];
  // Go's maskTrailingDash takes one character too many away, so that a_- passes here, and what is made of it does not.
  const masked =
    generateName.length > 1 && generateName.endsWith('-') ? `${generateName.slice(0, -2)}a` : generateName;
  return invalid(path, path, generateName, subdomainProblems(masked));
}

function nameProblems({ name, generateName }: Metadata): Problem[] {
  if (name) return invalid(namePath, namePath, name, subdomainProblems(name));
  if (!generateName) return [{ path: namePath, body: 'Required value: name or generateName is required' }];
  // Five characters at random stand behind the first 58 of it (k8s.io/apiserver, storage/names/generate.go).
  const generated = `${generateName.slice(0, 58)}xxxxx`;
  return invalid(namePath, ['metadata', 'generateName'], generated, subdomainProblems(generated));
}

function namespaceProblems({ namespace }: Metadata): Problem[] {
  const path = ['metadata', 'namespace'];
  return namespace ? invalid(path, path, namespace, dnsLabelProblems(namespace)) : [];
}

function labelProblems({ labels }: Metadata): Problem[] {
  const path = ['metadata', 'labels'];
  return entriesOf(labels).flatMap(([key, value]) => [
    ...invalid(path, [...path, key], key, labelKeyProblems(key)),
    ...invalid(path, [...path, key], value, labelValueProblems(value)),
  ]);
}

const annotationBytes = 256 * 1024;

function annotationProblems({ annotations }: Metadata): Problem[] {
  const path = ['metadata', 'annotations'];
  const entries = entriesOf(annotations);
  const size = entries.reduce((sum, [key, value]) => sum + bytesOf(key) + bytesOf(value), 0);
  return [
    ...entries.flatMap(([key]) => invalid(path, [...path, key], key, labelKeyProblems(key.toLowerCase()))),
    ...(size > annotationBytes
      ? [{ path, body: `Too long: may not be more than ${annotationBytes} bytes` }]
      : []),
  ];
}

function ownerProblems({ ownerReferences }: Metadata): Problem[] {
  return (ownerReferences ?? []).flatMap((owner, at) =>
    ['apiVersion', 'kind', 'name', 'uid']
      .filter((field) => (owner?.[field] ?? '') === '')
      .map((field) => ({
        path: ['metadata', 'ownerReferences', at, field],
        body: 'Required value: must not be empty',
      })),
  );
}

function finalizerProblems({ finalizers }: Metadata): Problem[] {
  const path = ['metadata', 'finalizers'];
  return (finalizers ?? []).flatMap((one, at) =>
    invalid(path, [...path, at], one ?? '', labelKeyProblems(one ?? '')),
  );
}
