import { keepaliveSpecimens } from './keepalive-specimens.ts';
import type { Row, Specimen } from './specimen.ts';
import { hop, namespaced, sameName, tooBig, tooSmall } from './specimen.ts';

const path = (...hops: object[]) => namespaced({ path: hops });
const timeout = (idleTimeoutSeconds: unknown) => path({ ...hop, idleTimeoutSeconds });
const labels = (matchLabels: object) => namespaced({ podSelector: { matchLabels } });
const requirement = (...matchExpressions: object[]) => namespaced({ podSelector: { matchExpressions } });
const cluster = (spec: object): Specimen => ({
  kind: 'ClusterKeepalivePolicy',
  spec: { path: [hop], ...spec },
});
const numbered = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`);

const oneOf = 'exactly one of preset and idleTimeoutSeconds';
const needsNameAndType = 'needs a name and a type';
const ownType = 'a preset brings its own type';
const proxiesOnly = 'every hop of this path is a proxy';
const inNeeds = 'In and NotIn need at least one value';
const badLabels = 'matchLabels needs valid label keys and values';

export const specimens: Row[] = [
  ['a hop with a number is valid', path(hop)],
  ['a hop with a preset is valid', path({ preset: 'aws-nlb' })],
  ['a preset may have a name', path({ preset: 'aws-nlb', name: 'edge' })],
  ['an empty path is too short, and nothing else is said of it', path(), ['spec.path', tooSmall]],
  ['sixteen hops are valid', path(...numbered(16).map((name) => ({ ...hop, name })))],
  ['seventeen are not', path(...numbered(17).map((name) => ({ ...hop, name }))), ['spec.path', tooBig]],
  ['no path at all', namespaced({ path: undefined }), ['spec.path', 'expected array']],
  [
    'a namespaced policy says which pods',
    namespaced({ podSelector: undefined }),
    ['spec.podSelector', 'expected object'],
  ],
  [
    'a hop with preset and number',
    path({ name: 'a', preset: 'aws-nlb', idleTimeoutSeconds: 90 }),
    ['spec.path[0]', oneOf],
  ],
  ['a hop with neither', path({ name: 'a', type: 'NAT' }), ['spec.path[0]', oneOf]],
  ['an empty hop', path({}), ['spec.path[0]', oneOf], ['spec.path[0]', needsNameAndType]],
  [
    'a number without a type',
    path({ name: 'a', idleTimeoutSeconds: 90 }),
    ['spec.path[0]', needsNameAndType],
  ],
  [
    'a number without a name',
    path({ type: 'NAT', idleTimeoutSeconds: 90 }),
    ['spec.path[0]', needsNameAndType],
  ],
  ['a type beside a preset', path({ preset: 'aws-nlb', type: 'LoadBalancer' }), ['spec.path[0]', ownType]],
  [
    'the second hop is named where it is wrong',
    path(hop, { name: 'b', type: 'NAT' }),
    ['spec.path[1]', oneOf],
  ],
  ['an unknown preset', path({ preset: 'aws-nbl' }), ['spec.path[0].preset', 'expected one of']],
  ['an unknown type', path({ ...hop, type: 'Router' }), ['spec.path[0].type', 'expected one of']],
  ['a name in capitals', path({ ...hop, name: 'NAT' }), ['spec.path[0].name', 'must match pattern']],
  ['a name of 63 characters is valid', path({ ...hop, name: 'a'.repeat(63) })],
  ['one of 64 is not', path({ ...hop, name: 'a'.repeat(64) }), ['spec.path[0].name', tooBig]],
  ['a timeout of 2 s is the shortest', timeout(2)],
  ['432000 s are the longest', timeout(432_000)],
  ['1 s is too short for a probe', timeout(1), ['spec.path[0].idleTimeoutSeconds', tooSmall]],
  ['0 s', timeout(0), ['spec.path[0].idleTimeoutSeconds', tooSmall]],
  ['less than nothing', timeout(-5), ['spec.path[0].idleTimeoutSeconds', tooSmall]],
  ['432001 s', timeout(432_001), ['spec.path[0].idleTimeoutSeconds', tooBig]],
  ['more than 32 bits', timeout(10 ** 10), ['spec.path[0].idleTimeoutSeconds', tooBig]],
  ['half a second', timeout(2.5), ['spec.path[0].idleTimeoutSeconds', 'expected int']],
  ['a number as text', timeout('90'), ['spec.path[0].idleTimeoutSeconds', 'expected number']],

  ['two hops of one name', path(hop, { ...hop, type: 'IPVS' }), ['spec.path', sameName]],
  ['two hops of one preset', path({ preset: 'aws-nlb' }, { preset: 'aws-nlb' }), ['spec.path', sameName]],
  [
    'a preset and a hop that is named like it',
    path({ preset: 'aws-nlb' }, { ...hop, name: 'aws-nlb' }),
    ['spec.path', sameName],
  ],
  [
    'one preset twice with a name of its own each time is valid',
    path({ preset: 'aws-nlb' }, { preset: 'aws-nlb', name: 'b' }),
  ],
  [
    'a name that is the name of another preset is valid',
    path({ preset: 'aws-nlb', name: 'aws-ec2' }, { preset: 'aws-gwlb' }),
  ],

  ['proxies only, by type', path({ ...hop, type: 'Proxy' }), ['spec.path', proxiesOnly]],
  [
    'proxies only, by preset',
    path({ preset: 'envoy-tcp' }, { preset: 'nginx-stream' }),
    ['spec.path', proxiesOnly],
  ],
  [
    'proxies only, one of each',
    path({ ...hop, type: 'Proxy' }, { preset: 'envoy-tcp' }),
    ['spec.path', proxiesOnly],
  ],
  ['a proxy beside a tracker is valid', path({ preset: 'envoy-tcp' }, hop)],

  ...keepaliveSpecimens,

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
    ['spec.podSelector.matchExpressions[0].operator', 'expected one of'],
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

  ['a cluster policy of pods', cluster({ podSelector: {} })],
  ['one of nodes', cluster({ nodes: { selector: {} } })],
  ['one of both', cluster({ namespaceSelector: {}, podSelector: {}, nodes: { selector: {} } })],
  ['one that selects nothing', cluster({}), ['spec', 'nothing is selected']],
  ['namespaces alone select nothing', cluster({ namespaceSelector: {} }), ['spec', 'nothing is selected']],
  ['nodes without a selector', cluster({ nodes: {} }), ['spec.nodes.selector', 'expected object']],
  [
    'a bad label among namespaces',
    cluster({ namespaceSelector: { matchLabels: { a: '-' } }, podSelector: {} }),
    ['spec.namespaceSelector.matchLabels', badLabels],
  ],
  [
    'a bad requirement among nodes',
    cluster({ nodes: { selector: { matchExpressions: [{ key: 'a', operator: 'In' }] } } }),
    ['spec.nodes.selector.matchExpressions[0]', inNeeds],
  ],
  [
    'late values in a cluster policy that selects nothing',
    cluster({ keepalive: { timeSeconds: 90 } }),
    ['spec', 'before nat forgets at 90 s'],
    ['spec', 'nothing is selected'],
  ],

  ['modes of either kind', namespaced({ mode: 'Audit', openConnections: 'Observe' })],
  ['an unknown mode', namespaced({ mode: 'Off' }), ['spec.mode', 'expected one of']],
  [
    'an unknown way with open connections',
    cluster({ podSelector: {}, openConnections: 'Ignore' }),
    ['spec.openConnections', 'expected one of'],
  ],
];
