import { keepaliveSpecimens } from './keepalive-specimens.ts';
import { badLabels, inNeeds, selectorSpecimens } from './selector-specimens.ts';
import type { Row, Specimen } from './specimen.ts';
import { hop, namespaced, numbered, sameName, tooBig, tooSmall } from './specimen.ts';

const path = (...hops: object[]) => namespaced({ path: hops });
const timeout = (idleTimeoutSeconds: unknown) => path({ ...hop, idleTimeoutSeconds });
const cluster = (spec: object): Specimen => ({
  kind: 'ClusterKeepalivePolicy',
  spec: { path: [hop], ...spec },
});

const oneOf = 'declare name, type and idleTimeoutSeconds instead';
const needsNameAndType = 'needs a name and a type';
const ownType = 'a preset brings its own type';
const proxiesOnly = 'every hop of this path is a proxy';
const wholeNumber = 'a whole number of seconds without a unit';
const emptyNamespaces = 'leave it out to select every namespace';

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
  ['0 s', timeout(0), ['spec.path[0].idleTimeoutSeconds', 'Where 0 or less stands for never']],
  ['less than nothing', timeout(-5), ['spec.path[0].idleTimeoutSeconds', 'leave the hop out']],
  ['432001 s', timeout(432_001), ['spec.path[0].idleTimeoutSeconds', tooBig]],
  ['a week', timeout(604_800), ['spec.path[0].idleTimeoutSeconds', 'asks for nothing: leave it out']],
  ['more than 32 bits', timeout(10 ** 10), ['spec.path[0].idleTimeoutSeconds', tooBig]],
  ['half a second', timeout(2.5), ['spec.path[0].idleTimeoutSeconds', 'expected int']],
  ['a number as text', timeout('90'), ['spec.path[0].idleTimeoutSeconds', wholeNumber]],
  ['a number with its unit', timeout('350s'), ['spec.path[0].idleTimeoutSeconds', wholeNumber]],
  ['never', timeout('never'), ['spec.path[0].idleTimeoutSeconds', 'never forgets needs no mention']],
  [
    'a text in a path is refused beside values of its own, and nothing else is said',
    namespaced({
      keepalive: { timeSeconds: 70 },
      path: [hop, { ...hop, name: 'b', idleTimeoutSeconds: '4m' }],
    }),
    ['spec.path[1].idleTimeoutSeconds', wholeNumber],
  ],

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

  ...selectorSpecimens,

  ['a cluster policy of pods', cluster({ podSelector: {} })],
  ['one of nodes', cluster({ nodes: { selector: {} } })],
  ['one of both', cluster({ podSelector: {}, nodes: { selector: {} } })],
  ['namespaces by label', cluster({ namespaceSelector: { matchLabels: { tier: 'db' } }, podSelector: {} })],
  [
    'namespaces by expression',
    cluster({
      namespaceSelector: { matchExpressions: [{ key: 'tier', operator: 'Exists' }] },
      podSelector: {},
    }),
  ],
  [
    'an empty selector of namespaces, as is left of matchNames',
    cluster({ namespaceSelector: {}, podSelector: {} }),
    ['spec.namespaceSelector', emptyNamespaces],
  ],
  [
    'one that is empty in its parts',
    cluster({ namespaceSelector: { matchLabels: {}, matchExpressions: [] }, podSelector: {} }),
    ['spec.namespaceSelector', emptyNamespaces],
  ],
  ['one that selects nothing', cluster({}), ['spec', 'nothing is selected']],
  [
    'namespaces alone select nothing',
    cluster({ namespaceSelector: { matchLabels: { tier: 'db' } } }),
    ['spec', 'nothing is selected'],
  ],
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
