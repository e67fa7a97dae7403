import type { Sysctl } from '../../src/policy/sysctl.ts';
import type { AdmissionCase } from './admission-cases.ts';
import { nat, sysctls } from './builder.ts';
import { entry, interval, probes, time } from './declaration-cases.ts';
import { notes } from './noted-cases.ts';

const declaring = (...list: Sysctl[]) => ({ spec: { securityContext: { sysctls: list } } });

/** Of no network: the API server refuses those of one beside hostNetwork. */
const ofNoNetwork = entry('kernel.shm_rmid_forced', '1');

/** Pods that admission changed, and that became such as it leaves alone: one pod, and a policy of each kind behind 90 s. */
export const takeBackCases: [sentence: string, pod: AdmissionCase['pod'], expected: Sysctl[]][] = [
  [
    'hostNetwork that somebody set after admission changed the pod: what it was given is taken back',
    {
      annotations: notes('90/30/10/-', '-/-/-'),
      spec: { hostNetwork: true, securityContext: { sysctls: [ofNoNetwork, ...sysctls()] } },
    },
    [ofNoNetwork],
  ],
  [
    'the pod has its own values then',
    {
      annotations: notes('90/30/10/-', '600/-/-'),
      labels: { 'keepalive.dev/skip': 'true' },
      ...declaring(...sysctls()),
    },
    [entry(time, '600')],
  ],
  [
    'also a spelling that only the kernel can read',
    {
      annotations: notes('90/30/10/-', '-/?/-'),
      labels: { 'keepalive.dev/skip': 'true' },
      ...declaring(entry(interval, '010'), entry(time, '30'), entry(probes, '6')),
    },
    [entry(interval, '010')],
  ],
  [
    'Windows that somebody set after it, too',
    {
      annotations: notes('90/30/10/-', '-/-/-'),
      spec: { nodeSelector: { 'kubernetes.io/os': 'windows' }, securityContext: { sysctls: sysctls() } },
    },
    [],
  ],
  [
    'what was asked for then is what counts, and not what is asked now',
    {
      annotations: notes('350/116/39/-', '-/-/-'),
      labels: { 'keepalive.dev/skip': 'true' },
      ...declaring(...sysctls(116, 39, 6)),
    },
    [],
  ],
  [
    'values that are not those it was given are somebody’s own',
    {
      annotations: notes('90/30/10/-', '-/-/-'),
      labels: { 'keepalive.dev/skip': 'true' },
      ...declaring(...sysctls(20)),
    },
    sysctls(20),
  ],
  [
    'and a spelling that only the kernel can read, which came after it',
    {
      annotations: notes('90/30/10/-', '-/-/-'),
      labels: { 'keepalive.dev/skip': 'true' },
      ...declaring(entry(time, '30'), entry(interval, '10'), entry(probes, '0x20')),
    },
    [entry(time, '30'), entry(interval, '10'), entry(probes, '0x20')],
  ],
  [
    'so are those beside own values that admission would not have changed',
    {
      annotations: notes('90/30/10/-', '15/15/9'),
      labels: { 'keepalive.dev/skip': 'true' },
      ...declaring(...sysctls(15, 15, 9)),
    },
    sysctls(15, 15, 9),
  ],
  [
    'and beside annotations that say nothing',
    {
      annotations: notes('soon', '-/-/-'),
      labels: { 'keepalive.dev/skip': 'true' },
      ...declaring(...sysctls()),
    },
    sysctls(),
  ],
];

/** The same where no policy acts on the pod by now. One is in its namespace: about none an API server asks nobody. */
export const unaskedTakeBackCases: AdmissionCase[] = [
  {
    sentence: 'what a pod was given is taken back also where the policy only audits by now',
    pod: {
      annotations: notes('90/30/10/-', '-/-/-'),
      spec: { hostNetwork: true, securityContext: { sysctls: [ofNoNetwork, ...sysctls()] } },
    },
    policies: [{ kind: 'KeepalivePolicy', spec: { podSelector: {}, path: nat(90), mode: 'Audit' } }],
    expected: [ofNoNetwork],
  },
  {
    sentence: 'and where it selects other pods',
    pod: {
      annotations: notes('90/30/10/-', '600/-/-'),
      labels: { 'keepalive.dev/skip': 'true', app: 'mongo' },
      ...declaring(...sysctls()),
    },
    policies: [
      { kind: 'KeepalivePolicy', spec: { podSelector: { matchLabels: { app: 'redis' } }, path: nat(90) } },
    ],
    expected: [entry(time, '600')],
  },
];
