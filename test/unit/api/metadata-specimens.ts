import type { PolicyKind } from '../../../src/api/group.ts';

/** What kubectl sends as it is; `kind` is KeepalivePolicy unless told. */
export interface MetadataSpecimen {
  readonly kind?: PolicyKind;
  readonly metadata: object;
}

/** Lines of what the API server says of it, as far as they tell it from others; none where it has nothing against it. */
type Row = [sentence: string, specimen: MetadataSpecimen, ...said: string[]];

const named = (more: object): MetadataSpecimen => ({ metadata: { name: 'specimen', ...more } });
const labels = (all: object) => named({ labels: all });
const annotations = (all: object) => named({ annotations: all });
const size = 256 * 1024;
const owner = { apiVersion: 'v1', kind: 'Pod', name: 'a', uid: 'b' };
const notRead = (what: string, field: string, type: string) =>
  `<nil>: json: cannot unmarshal ${what} into Go struct field ${field} of type ${type}`;
const dnsName = 'a lowercase RFC 1123 subdomain must consist of';

/** Metadata of objects whose spec is valid. */
export const metadataSpecimens: readonly Row[] = [
  [
    'labels and annotations as people have them',
    named({
      labels: { 'app.kubernetes.io/name': 'Mongo_4.2', app: '', empty: null },
      annotations: { 'UPPER.io/a': 'any text: at all\n', 'example.com/b': '' },
      finalizers: ['example.com/keep'],
      creationTimestamp: null,
    }),
  ],
  [
    'a label with spaces in key and value',
    labels({ 'a b': 'c d' }),
    'metadata.labels: Invalid value: "a b": name part must consist of alphanumeric characters',
    'metadata.labels: Invalid value: "c d": a valid label must be an empty string or consist of',
  ],
  ['a label key of 63 characters is valid', labels({ ['a'.repeat(63)]: 'x'.repeat(63) })],
  [
    'one of 64 is not, and neither is such a value',
    labels({ ['a'.repeat(64)]: 'x'.repeat(64) }),
    `metadata.labels: Invalid value: "${'a'.repeat(64)}": name part must be no more than 63 bytes`,
    `metadata.labels: Invalid value: "${'x'.repeat(64)}": must be no more than 63 bytes`,
  ],
  ['a prefix of 253 characters is valid', labels({ [`${'a'.repeat(253)}/b`]: 'x' })],
  [
    'one of 254 is not',
    labels({ [`${'a'.repeat(254)}/b`]: 'x' }),
    `metadata.labels: Invalid value: "${'a'.repeat(254)}/b": prefix part must be no more than 253 bytes`,
  ],
  [
    'a prefix in capitals',
    labels({ 'App.io/name': 'x' }),
    `metadata.labels: Invalid value: "App.io/name": prefix part ${dnsName}`,
  ],
  [
    'an empty prefix',
    labels({ '/name': 'x' }),
    'metadata.labels: Invalid value: "/name": prefix part must be non-empty',
  ],
  [
    'an empty name behind a prefix',
    labels({ 'app.io/': 'x' }),
    'metadata.labels: Invalid value: "app.io/": name part must be non-empty',
    'metadata.labels: Invalid value: "app.io/": name part must consist of',
  ],
  [
    'two slashes',
    labels({ 'a/b/c': 'x' }),
    'metadata.labels: Invalid value: "a/b/c": a valid label key must consist of',
  ],
  ['a label that is a number', labels({ a: 1 }), notRead('number', 'ObjectMeta.labels', 'string')],
  ['a label that is a list', labels({ a: ['x'] }), notRead('array', 'ObjectMeta.labels', 'string')],
  [
    'labels that are a list',
    named({ labels: ['a'] }),
    notRead('array', 'ObjectMeta.labels', 'map[string]string'),
  ],
  [
    'an annotation that is a truth, and nothing else is said',
    annotations({ a: true, 'a b': 'x' }),
    notRead('bool', 'ObjectMeta.annotations', 'string'),
  ],
  [
    'an annotation whose key has a space',
    annotations({ 'A B': 'x' }),
    'metadata.annotations: Invalid value: "A B": name part must consist of',
  ],
  ['annotations of 256 KiB are valid', annotations({ a: 'x'.repeat(size - 1) })],
  [
    'a byte more is not, and no rule is asked then',
    annotations({ a: 'x'.repeat(size) }),
    'metadata.annotations: Too long: may not be more than 262144 bytes',
    '<nil>: Invalid value: null: some validation rules were not checked',
  ],
  [
    'a name of 254 characters',
    { metadata: { name: 'a'.repeat(254) } },
    `metadata.name: Invalid value: "${'a'.repeat(254)}": must be no more than 253 characters`,
    '<nil>: Invalid value: the name of a policy may have at most 63 characters',
  ],
  ['a generated name', { metadata: { generateName: 'a-' } }],
  [
    'a generated name in capitals',
    { metadata: { generateName: 'A_' } },
    `metadata.generateName: Invalid value: "A_": ${dnsName}`,
    `metadata.name: Invalid value: "A_xxxxx": ${dnsName}`,
  ],
  [
    'a generated name whose start passes and whose whole does not',
    { metadata: { generateName: 'A-' } },
    `metadata.name: Invalid value: "A-xxxxx": ${dnsName}`,
  ],
  [
    'a name beside one that is generated',
    named({ generateName: 'A_' }),
    `metadata.generateName: Invalid value: "A_": ${dnsName}`,
  ],
  [
    'a cluster policy in a namespace, which is dropped',
    { kind: 'ClusterKeepalivePolicy', ...named({ namespace: 'anywhere' }) },
  ],
  ['a uid that is a number', named({ uid: 5 }), notRead('number', 'ObjectMeta.uid', 'types.UID')],
  ['half a generation', named({ generation: 1.5 }), notRead('number 1.5', 'ObjectMeta.generation', 'int64')],
  [
    'a finalizer with a space',
    named({ finalizers: ['a b'] }),
    'metadata.finalizers: Invalid value: "a b": name part must consist of',
  ],
  [
    'a finalizer that is none',
    named({ finalizers: 'a' }),
    notRead('string', 'ObjectMeta.finalizers', '[]string'),
  ],
  ['an owner', named({ ownerReferences: [owner] })],
  [
    'an owner without a uid',
    named({ ownerReferences: [{ ...owner, uid: '' }] }),
    'metadata.ownerReferences[0].uid: Required value: must not be empty',
    '<nil>: Invalid value: null: some validation rules were not checked',
  ],
  [
    'an owner whose name is a number',
    named({ ownerReferences: [{ ...owner, name: 5 }] }),
    notRead('number', 'OwnerReference.ownerReferences.name', 'string'),
  ],
];

/** What kubectl writes over before it sends it, reads itself in the order in which it is written, or asks another path of the API for. */
export const unsentSpecimens: readonly Row[] = [
  [
    'of several that cannot be read the first by the alphabet is named',
    named({ uid: 5, labels: { b: true, a: 1 } }),
    notRead('number', 'ObjectMeta.labels', 'string'),
  ],
  [
    'a namespace in capitals',
    named({ namespace: 'DB_x' }),
    'metadata.namespace: Invalid value: "DB_x": a lowercase RFC 1123 label must consist of',
  ],
  [
    'a namespace with dots',
    named({ namespace: 'a.b' }),
    'metadata.namespace: Invalid value: "a.b": must not contain dots',
  ],
  [
    'a namespace of 64 characters',
    named({ namespace: 'a'.repeat(64) }),
    `metadata.namespace: Invalid value: "${'a'.repeat(64)}": must be no more than 63 characters`,
  ],
  [
    'a namespace that is a number',
    named({ namespace: 12 }),
    notRead('number', 'ObjectMeta.namespace', 'string'),
  ],
  [
    'a cluster policy in a namespace that is a number',
    { kind: 'ClusterKeepalivePolicy', ...named({ namespace: 12 }) },
    notRead('number', 'ObjectMeta.namespace', 'string'),
  ],
  ['a name that is a number', { metadata: { name: 12 } }, notRead('number', 'ObjectMeta.name', 'string')],
];

/** The fields of metadata that strict validation names as unknown. */
export const unknownMetadata: readonly [sentence: string, metadata: object, ...fields: string[]][] = [
  ['labels spelled wrong', { lables: { a: 'b' } }, 'metadata.lables'],
  [
    'labels in capitals, and a field that is gone',
    { Labels: {}, clusterName: 'a' },
    'metadata.Labels',
    'metadata.clusterName',
  ],
  [
    'a field of an owner',
    { ownerReferences: [{ ...owner, nickname: 'x' }] },
    'metadata.ownerReferences[0].nickname',
  ],
  ['whatever a label is called', { labels: { anything: 'x' }, annotations: { anything: 'x' } }],
];
