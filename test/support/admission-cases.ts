import type { RawPod } from '../../src/policy/pod.ts';
import type { Sysctl } from '../../src/policy/sysctl.ts';
import { nat, sysctls } from './builder.ts';
import type { CasePolicy } from './case-policy.ts';
import { platform, team } from './case-policy.ts';
import { declarations, ports } from './declaration-cases.ts';
import { meetings } from './meeting-cases.ts';
import { notedCases, notes } from './noted-cases.ts';
import { placementCases } from './placement-cases.ts';
import { manyRequirements, selectorCases } from './selector-cases.ts';
import { takeBackCases, unaskedTakeBackCases } from './take-back-cases.ts';

type Labels = Record<string, string>;
interface CasePodSpec extends NonNullable<RawPod['spec']> {
  readonly securityContext?: { readonly sysctls?: readonly Sysctl[]; readonly [field: string]: unknown };
  readonly containers?: readonly object[];
}

/**
 * What becomes of one pod at its creation. Plain data, each case on its own, so that the same table is put
 * to admit() and to a real API server: a pod needs a name and, where its spec has no containers, one container.
 */
export interface AdmissionCase {
  readonly sentence: string;
  readonly pod: { readonly labels?: Labels; readonly annotations?: Labels; readonly spec?: CasePodSpec };
  readonly policies: readonly CasePolicy[];
  readonly namespaceLabels?: Labels;
  /** spec.securityContext.sysctls of the created pod, in order. */
  readonly expected: readonly Sysctl[];
}

const declaring = (...list: Sysctl[]) => ({ spec: { securityContext: { sysctls: list } } });

/** Annotations of so many bytes, keys and values together. */
const notesOf = (bytes: number): Labels => ({
  notes: `${'ä'.repeat(130_000)}${'x'.repeat(bytes - 260_005)}`,
});

const podSecurity = (level: string, version?: string, mode = 'enforce'): Labels => ({
  [`pod-security.kubernetes.io/${mode}`]: level,
  ...(version !== undefined && { [`pod-security.kubernetes.io/${mode}-version`]: version }),
});
/** What Pod Security's restricted level asks of a pod. */
const restrictedContext = { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } };
const restrictedContainer = {
  name: 'main',
  image: 'registry.example/main:1',
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
};
const restricted = { spec: { securityContext: restrictedContext, containers: [restrictedContainer] } };

const whole: AdmissionCase[] = [
  {
    sentence: 'a pod without a security context gets the three values',
    pod: {},
    policies: [team(90)],
    expected: sysctls(),
  },
  {
    sentence: 'so does one whose security context has no sysctls',
    pod: { spec: { securityContext: { runAsUser: 1000 } } },
    policies: [team(90)],
    expected: sysctls(),
  },
  { sentence: 'no policy changes nothing', pod: declaring(ports), policies: [], expected: [ports] },
  {
    sentence: 'a cluster policy selects pods in the same words',
    pod: { labels: { app: 'mongo', tier: 'db' } },
    policies: [platform(90, { podSelector: manyRequirements })],
    expected: sysctls(),
  },
  {
    sentence: 'and leaves others',
    pod: { labels: { app: 'mongo', tier: 'db', old: '' } },
    policies: [platform(90, { podSelector: manyRequirements })],
    expected: [],
  },
];

/** Labels of the namespace, and one policy; the pod is plain. */
const namespaces: [sentence: string, namespaceLabels: Labels, policy: CasePolicy, expected: Sysctl[]][] = [
  [
    'a cluster policy selects namespaces by label',
    { stage: 'prod' },
    platform(90, { namespaceSelector: { matchLabels: { stage: 'prod' } } }),
    sysctls(),
  ],
  [
    'and leaves other namespaces',
    { stage: 'test' },
    platform(90, { namespaceSelector: { matchLabels: { stage: 'prod' } } }),
    [],
  ],
  [
    'it selects them by expression',
    {},
    platform(90, {
      namespaceSelector: { matchExpressions: [{ key: 'stage', operator: 'NotIn', values: ['test'] }] },
    }),
    sysctls(),
  ],
  [
    'one of nodes only selects no pod',
    {},
    { kind: 'ClusterKeepalivePolicy', spec: { nodes: { selector: {} }, path: nat(90) } },
    [],
  ],
  [
    'Pod Security baseline as of v1.28 forbids the values',
    podSecurity('baseline', 'v1.28'),
    platform(90),
    [],
  ],
  ['to both kinds of policies', podSecurity('baseline', 'v1.0'), team(90), []],
  ['as of v1.29 it allows them', podSecurity('baseline', 'v1.29'), team(90), sysctls()],
  ['and without a version', podSecurity('baseline'), platform(90), sysctls()],
  ['privileged allows them whatever the version', podSecurity('privileged', 'v1.28'), team(90), sysctls()],
  ['a level that only warns forbids nothing', podSecurity('baseline', 'v1.28', 'warn'), team(90), sysctls()],
  [
    'a version without a level forbids nothing',
    { 'pod-security.kubernetes.io/enforce-version': 'v1.28' },
    team(90),
    sysctls(),
  ],
];

/** One pod, and a policy of each kind. */
const pods: [sentence: string, pod: AdmissionCase['pod'], expected: Sysctl[]][] = [
  [
    'the skip label keeps every policy off',
    { labels: { 'keepalive.dev/skip': 'true' }, ...declaring(...sysctls(7200)) },
    sysctls(7200),
  ],
  ['any other value of that label means nothing', { labels: { 'keepalive.dev/skip': 'yes' } }, sysctls()],
  ['hostNetwork is left alone', { spec: { hostNetwork: true } }, []],
  ['hostNetwork that is declared off is none', { spec: { hostNetwork: false } }, sysctls()],
  ...placementCases,
  [
    'the mirror of a static pod is left alone',
    { annotations: { 'kubernetes.io/config.mirror': 'abc' }, spec: { nodeName: 'no-such-node' } },
    [],
  ],
  [
    'annotations that leave room for our notes, and no more, are annotations like any others',
    { annotations: notesOf(262_080) },
    sysctls(),
  ],
  [
    'those that leave none stay alone, and so do the values: the API server would refuse the pod',
    { annotations: notesOf(262_081), ...declaring(ports) },
    [ports],
  ],
  [
    'what is noted already takes no more room',
    { annotations: { ...notesOf(262_080), ...notes('90/30/10/-', '-/-/-') }, ...declaring(...sysctls()) },
    sysctls(),
  ],
  ['another annotation means nothing', { annotations: { 'kubernetes.io/config.source': 'api' } }, sysctls()],
];

export const admissionCases: readonly AdmissionCase[] = [
  ...whole,
  ...declarations.map(([sentence, have, expected]) => ({
    sentence,
    pod: declaring(...have),
    policies: [team(90)],
    expected,
  })),
  ...selectorCases.map(({ sentence, labels, podSelector, selected }) => ({
    sentence,
    pod: { labels },
    policies: [team(90, { podSelector })],
    expected: selected ? sysctls() : [],
  })),
  ...namespaces.map(([sentence, namespaceLabels, policy, expected]) => ({
    sentence,
    pod: {},
    policies: [policy],
    namespaceLabels,
    expected,
  })),
  {
    sentence: 'Pod Security restricted as of v1.9 forbids the values',
    pod: restricted,
    policies: [team(90), platform(90)],
    namespaceLabels: podSecurity('restricted', 'v1.9'),
    expected: [],
  },
  {
    sentence: 'restricted as of the latest version allows them',
    pod: restricted,
    policies: [team(90)],
    namespaceLabels: podSecurity('restricted', 'latest'),
    expected: sysctls(),
  },
  ...[...pods, ...takeBackCases].map(([sentence, pod, expected]) => ({
    sentence,
    pod,
    policies: [team(90), platform(90)],
    expected,
  })),
  ...unaskedTakeBackCases,
  ...notedCases.map(({ sentence, annotations, have, asked, expected }) => ({
    sentence,
    pod: { annotations, ...declaring(...have) },
    policies: asked.map(({ idleTimeoutSeconds, declared: keepalive }) =>
      team(idleTimeoutSeconds, { keepalive }),
    ),
    expected,
  })),
  ...meetings.map(([sentence, policies, have, expected]) => ({
    sentence,
    pod: declaring(...have),
    policies,
    expected,
  })),
];
