import type { Sysctl } from '../../src/policy/sysctl.ts';
import { sysctls } from './builder.ts';
import type { CasePolicy } from './case-policy.ts';
import { platform, team } from './case-policy.ts';
import { entry, interval, ports, probes, time } from './declaration-cases.ts';

/** Several policies at once over what a pod declares. */
export const meetings: [sentence: string, policies: CasePolicy[], have: Sysctl[], expected: Sysctl[]][] = [
  [
    'of two policies of a namespace the smallest of what each declares, and the rest derived from both',
    [team(90, { keepalive: { timeSeconds: 20 } }), team(90, { keepalive: { intervalSeconds: 4 } })],
    [],
    sysctls(20, 4, 9),
  ],
  ['a cluster policy tightens what a team declared', [team(350), platform(90)], [], sysctls()],
  ['a cluster policy cannot loosen it', [team(90), platform(350)], [], sysctls()],
  [
    'two cluster policies and a team, over values of the pod',
    [platform(350), platform(240, { keepalive: { intervalSeconds: 3 } }), team(600)],
    [entry(probes, '2'), entry(time, '3000')],
    [entry(probes, '9'), entry(time, '80'), entry(interval, '3')],
  ],
  [
    'one that audits or selects others does not count beside one that enforces',
    [
      team(90),
      team(9, { mode: 'Audit' }),
      team(9, { podSelector: { matchExpressions: [{ key: 'tier', operator: 'Exists' }] } }),
      platform(9, { mode: 'Audit' }),
    ],
    [],
    sysctls(),
  ],
  ['a namespaced policy in Audit changes nothing', [team(90, { mode: 'Audit' })], [ports], [ports]],
  ['a cluster policy in Audit changes nothing', [platform(90, { mode: 'Audit' })], [], []],
  [
    'the shortest hop that follows packets binds, a preset among them',
    [team(90, { path: [{ preset: 'aws-nlb' }, { name: 'sidecar', type: 'Proxy', idleTimeoutSeconds: 15 }] })],
    [],
    sysctls(116, 39, 6),
  ],
  ['a very short timeout', [team(2)], [], sysctls(1, 1, 2)],
  ['the more patient of two leaves no trace', [team(900), platform(90)], [], sysctls()],
  ['nor do its probes', [platform(900), team(90), team(350)], sysctls(7200, 75, 9), sysctls()],
  [
    'probes that the pod’s own spec chose do, whichever policy comes first',
    [platform(900), team(90)],
    sysctls(7200, 75, 8),
    sysctls(30, 10, 8),
  ],
  [
    'a declared value counts for the shorter timeout of another policy too',
    [team(350, { keepalive: { timeSeconds: 20 } }), platform(90)],
    [],
    sysctls(20, 10, 7),
  ],
  [
    'but makes nothing longer there that leaves room for it: a time',
    [team(900, { keepalive: { timeSeconds: 75 } }), platform(90)],
    [],
    sysctls(),
  ],
  ['an interval', [team(3600, { keepalive: { intervalSeconds: 60 } }), platform(90)], [], sysctls()],
  [
    'nor does the shorter timeout with a declared time, beside what the longer one derives',
    [team(90, { keepalive: { timeSeconds: 60 } }), platform(120)],
    [],
    sysctls(40, 5, 9),
  ],
  [
    'what is enough for all stays, whatever they would derive',
    [team(240), platform(350, { keepalive: { timeSeconds: 60 } })],
    sysctls(45, 45, 5),
    sysctls(45, 45, 5),
  ],
  [
    'what one of them declares is an order to it all the same, whichever comes first',
    [team(240), platform(350, { keepalive: { timeSeconds: 40 } }), platform(3600)],
    sysctls(45, 45, 5),
    sysctls(40, 27, 8),
  ],
  [
    'and leaves no more than there is room for',
    [team(350, { keepalive: { intervalSeconds: 60 } }), platform(20)],
    [],
    sysctls(6, 3, 6),
  ],
  ['what AKS advises is enough behind 240 s', [team(240)], sysctls(45, 45, 5), sysctls(45, 45, 5)],
  [
    'what a policy declares that changes nothing by itself counts with the next one',
    [platform(8185, { keepalive: { probes: 9 } }), team(90)],
    [],
    sysctls(30, 10, 9),
  ],
  ['so is a pool’s 60/1/10', [team(240), platform(350)], sysctls(60, 1, 10), sysctls(60, 1, 10)],
  ['and an operator’s 120/60/30 behind 350 s', [platform(350)], sysctls(120, 60, 30), sysctls(120, 60, 30)],
  [
    'a declared value is an order also to what is enough',
    [team(240, { keepalive: { timeSeconds: 40 } })],
    sysctls(45, 45, 5),
    sysctls(40, 34, 6),
  ],
  [
    'by one of two policies too',
    [team(240, { keepalive: { probes: 3 } }), platform(350)],
    sysctls(45, 45, 5),
    sysctls(45, 39, 3),
  ],
  [
    'behind days also what is above the kernel’s own values stays',
    [team(432_000)],
    sysctls(9000, 80, 9),
    sysctls(9000, 80, 9),
  ],
];
