import type { Requirement } from '../../src/policy/requirement.ts';
import type { Sysctl } from '../../src/policy/sysctl.ts';
import { behind, sysctls } from './builder.ts';
import { entry, interval, probes, time } from './declaration-cases.ts';

/** What admission notes beside the values that it gives; without what was asked, only what the pod had. */
export const notes = (requirement: string | undefined, ownValues: string): Record<string, string> => ({
  ...(requirement === undefined ? {} : { 'keepalive.dev/requirement': requirement }),
  'keepalive.dev/own-values': ownValues,
});

export interface NotedCase {
  readonly sentence: string;
  readonly annotations: Record<string, string>;
  readonly have: readonly Sysctl[];
  /** By policies that select it, one each. */
  readonly asked: readonly Requirement[];
  readonly expected: readonly Sysctl[];
}

/** Pods that come with notes of admission: another mutation, or a copy of a pod, may have changed their sysctls since. */
export const notedCases: readonly NotedCase[] = [
  {
    sentence: 'stricter values beside notes of other ones are the pod’s own',
    annotations: notes('90/30/10/-', '-/-/-'),
    have: sysctls(10, 5, 9),
    asked: [behind(90)],
    expected: sysctls(10, 5, 9),
  },
  {
    sentence: 'so are more probes',
    annotations: notes('90/30/10/-', '-/-/-'),
    have: sysctls(30, 10, 20),
    asked: [behind(90)],
    expected: sysctls(30, 10, 20),
  },
  {
    sentence: 'also behind a longer timeout than was noted',
    annotations: notes('90/30/10/-', '-/-/-'),
    have: sysctls(60, 5, 9),
    asked: [behind(350)],
    expected: sysctls(60, 5, 9),
  },
  {
    sentence: 'and where what was asked is not noted',
    annotations: notes(undefined, '-/-/-'),
    have: sysctls(10, 5, 9),
    asked: [behind(350)],
    expected: sysctls(10, 5, 9),
  },
  {
    sentence: 'or says nothing',
    annotations: notes('soon', '-/-/-'),
    have: sysctls(60, 20, 9),
    asked: [behind(350)],
    expected: sysctls(60, 20, 9),
  },
  {
    sentence: 'what was lowered beside notes and is not enough is amended from what it is',
    annotations: notes('350/116/39/-', '-/-/-'),
    have: sysctls(20, 75, 12),
    asked: [behind(90)],
    expected: sysctls(20, 10, 12),
  },
  {
    sentence: 'what was raised beside them is lowered again',
    annotations: notes('90/30/10/-', '-/-/-'),
    have: sysctls(7200, 10, 6),
    asked: [behind(90)],
    expected: sysctls(30, 10, 6),
  },
  {
    sentence: 'a key that was taken out beside them is given again',
    annotations: notes('90/30/10/-', '600/-/-'),
    have: [entry(interval, '5'), entry(probes, '6')],
    asked: [behind(90)],
    expected: [entry(interval, '5'), entry(probes, '9'), entry(time, '30')],
  },
  {
    sentence: 'a spelling that only the kernel can read came after notes of a number',
    annotations: notes('90/30/10/-', '-/-/-'),
    have: [entry(time, '30'), entry(interval, '10'), entry(probes, '0x6')],
    asked: [behind(90, { timeSeconds: 20 })],
    expected: [entry(time, '20'), entry(interval, '10'), entry(probes, '0x6')],
  },
  {
    sentence: 'values that are still as they were written give way to what is derived from the pod’s own',
    annotations: notes('900/300/75/-', '7200/75/8'),
    have: sysctls(300, 75, 8),
    asked: [behind(90)],
    expected: sysctls(30, 10, 8),
  },
  {
    sentence: 'and to those of several policies, whichever comes first',
    annotations: notes('350/116/39/-', '60/300/-'),
    have: sysctls(60, 39, 8),
    asked: [behind(350), behind(300)],
    expected: sysctls(60, 34, 8),
  },
];
