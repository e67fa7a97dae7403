import type { Row } from './specimen.ts';
import { namespaced, numbered, tooBig } from './specimen.ts';

const labels = (matchLabels: object) => namespaced({ podSelector: { matchLabels } });
const requirement = (...matchExpressions: object[]) => namespaced({ podSelector: { matchExpressions } });
export const inNeeds = 'In and NotIn need at least one value';
export const badLabels = 'matchLabels needs valid label keys and values';

export const selectorSpecimens: readonly Row[] = [
  ['In with values', requirement({ key: 'tier', operator: 'In', values: ['db', ''] })],
  [
    'In without values',
    requirement({ key: 'tier', operator: 'In' }),
    ['spec.podSelector.matchExpressions[0]', inNeeds],
  ],
  [
    'NotIn with an empty list',
    requirement({ key: 'tier', operator: 'NotIn', values: [] }),
    ['spec.podSelector.matchExpressions[0]', inNeeds],
  ],
  [
    'Exists without values',
    requirement({ key: 'tier', operator: 'Exists' }, { key: 'a', operator: 'DoesNotExist', values: [] }),
  ],
  [
    'Exists with a value',
    requirement(
      { key: 'a', operator: 'In', values: ['b'] },
      { key: 'tier', operator: 'Exists', values: ['db'] },
    ),
    ['spec.podSelector.matchExpressions[1]', inNeeds],
  ],
  [
    'DoesNotExist with a value',
    requirement({ key: 'tier', operator: 'DoesNotExist', values: ['db'] }),
    ['spec.podSelector.matchExpressions[0]', inNeeds],
  ],
  [
    'an operator of node selectors',
    requirement({ key: 'tier', operator: 'Gt', values: ['1'] }),
    ['spec.podSelector.matchExpressions[0].operator', 'Gt and Lt are for the node affinity of pods'],
  ],
  [
    'an operator that is none',
    requirement({ key: 'tier', operator: 'Is' }),
    ['spec.podSelector.matchExpressions[0].operator', 'is one of In, NotIn, Exists, DoesNotExist'],
  ],
  [
    'a requirement with a bad key',
    requirement({ key: '-a', operator: 'Exists' }),
    ['spec.podSelector.matchExpressions[0].key', 'must match pattern'],
  ],
  [
    'a requirement with a bad value',
    requirement({ key: 'a', operator: 'In', values: ['b c'] }),
    ['spec.podSelector.matchExpressions[0].values[0]', 'must match pattern'],
  ],
  [
    '33 requirements',
    requirement(...numbered(33).map((key) => ({ key, operator: 'Exists' }))),
    ['spec.podSelector.matchExpressions', tooBig],
  ],
  [
    'labels with prefix, dots, capitals and no value',
    labels({ 'app.kubernetes.io/name': 'Mongo_4.2', app: '' }),
  ],
  [
    'a label key with a bad prefix',
    labels({ 'App.io/name': 'x' }),
    ['spec.podSelector.matchLabels', badLabels],
  ],
  ['a label key with an empty prefix', labels({ '/name': 'x' }), ['spec.podSelector.matchLabels', badLabels]],
  [
    'a label key of 64 characters',
    labels({ ['a'.repeat(64)]: 'x' }),
    ['spec.podSelector.matchLabels', badLabels],
  ],
  ['a prefix of 253 characters is valid', labels({ [`${'a'.repeat(253)}/b`]: 'x' })],
  [
    'one of 254 is not',
    labels({ [`${'a'.repeat(254)}/b`]: 'x' }),
    ['spec.podSelector.matchLabels', badLabels],
  ],
  [
    'neither is it in a requirement',
    requirement({ key: `${'a'.repeat(254)}/b`, operator: 'Exists' }),
    ['spec.podSelector.matchExpressions[0]', 'the prefix of a label key has at most 253 characters'],
  ],
  ['an empty label key', labels({ '': 'x' }), ['spec.podSelector.matchLabels', badLabels]],
  ['a label value that ends in a dash', labels({ app: 'x-' }), ['spec.podSelector.matchLabels', badLabels]],
  ['a label value of 63 characters is valid', labels({ app: 'x'.repeat(63) })],
  [
    'one of 64 is not',
    labels({ app: 'x'.repeat(64) }),
    ['spec.podSelector.matchLabels.app', tooBig],
    ['spec.podSelector.matchLabels', badLabels],
  ],
  ['32 labels are valid', labels(Object.fromEntries(numbered(32).map((key) => [key, 'x'])))],
  [
    '33 are not',
    labels(Object.fromEntries(numbered(33).map((key) => [key, 'x']))),
    ['spec.podSelector.matchLabels', tooBig],
  ],
];
