import type { Sysctl } from '../../src/policy/sysctl.ts';
import type { AdmissionCase } from './admission-cases.ts';
import { sysctls } from './builder.ts';
import { entry, interval, probes, time } from './declaration-cases.ts';

/** What admission notes beside the values that it gives. */
const given = (requirement: string, ownValues: string): Record<string, string> => ({
  'keepalive.dev/requirement': requirement,
  'keepalive.dev/own-values': ownValues,
});

const declaring = (...list: Sysctl[]) => ({ spec: { securityContext: { sysctls: list } } });

/** Of no network: the API server refuses those of one beside hostNetwork. */
const ofNoNetwork = entry('kernel.shm_rmid_forced', '1');

/** Pods that admission changed, and that became such as it leaves alone: one pod, and a policy of each kind behind 90 s. */
export const takeBackCases: [sentence: string, pod: AdmissionCase['pod'], expected: Sysctl[]][] = [
  [
    'hostNetwork that somebody set after admission changed the pod: what it was given is taken back',
    {
      annotations: given('90/-/-/-', '-/-/-'),
      spec: { hostNetwork: true, securityContext: { sysctls: [ofNoNetwork, ...sysctls()] } },
    },
    [ofNoNetwork],
  ],
  [
    'the pod has its own values then',
    {
      annotations: given('90/-/-/-', '600/-/-'),
      labels: { 'keepalive.dev/skip': 'true' },
      ...declaring(...sysctls()),
    },
    [entry(time, '600')],
  ],
  [
    'also a spelling that only the kernel can read',
    {
      annotations: given('90/-/-/-', '-/?/-'),
      labels: { 'keepalive.dev/skip': 'true' },
      ...declaring(entry(interval, '010'), entry(time, '30'), entry(probes, '6')),
    },
    [entry(interval, '010')],
  ],
  [
    'Windows that somebody set after it, too',
    {
      annotations: given('90/-/-/-', '-/-/-'),
      spec: { nodeSelector: { 'kubernetes.io/os': 'windows' }, securityContext: { sysctls: sysctls() } },
    },
    [],
  ],
  [
    'values that are not those it was given are somebody’s own',
    {
      annotations: given('90/-/-/-', '-/-/-'),
      labels: { 'keepalive.dev/skip': 'true' },
      ...declaring(...sysctls(20)),
    },
    sysctls(20),
  ],
  [
    'so are those beside own values that admission would not have changed',
    {
      annotations: given('90/-/-/-', '15/15/9'),
      labels: { 'keepalive.dev/skip': 'true' },
      ...declaring(...sysctls(15, 15, 9)),
    },
    sysctls(15, 15, 9),
  ],
  [
    'and beside annotations that say nothing',
    {
      annotations: given('soon', '-/-/-'),
      labels: { 'keepalive.dev/skip': 'true' },
      ...declaring(...sysctls()),
    },
    sysctls(),
  ],
];
